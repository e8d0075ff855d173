"""Who may do what: a bearer token, or the same as the password of a browser."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.tokens import Token

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="xeonperf", charset="UTF-8"'}


def require(request: Request, store: Store, scope: Scope) -> Token:
    """Let a request pass that carries a token of this scope, and say which.

    Raises:
        HTTPException: 401 without a good token, 403 with one of another scope.
    """
    said = _said(request.headers.get("authorization", ""), scope)
    token = store.token(said) if said else Unknown(reason="a token is needed")
    if isinstance(token, Unknown):
        raise HTTPException(401, detail=token.reason, headers=_CHALLENGE)
    if scope not in token.scopes:
        raise HTTPException(403, detail=f"the token {token.id} has no scope {scope.value}")
    return token


def _said(header: str, scope: Scope) -> str:
    """The token in a header: ``Bearer TOKEN``, or for reading ``Basic`` with any name and the token for a password.

    A browser sends a password along with whatever another site has it send, so it is good for nothing that changes.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic" or scope is not Scope.READ:
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
