"""Who may do what: a bearer token, or the same as the password of a browser."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.tokens import Scope, Token

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="xeonperf", charset="UTF-8"'}


def identify(request: Request, store: Store, scope: Scope, *, password: bool) -> tuple[Token, str]:
    """The token that a request carries, and its text.

    Args:
        request: What was asked.
        store: Knows the tokens.
        scope: What it must be good for.
        password: Whether the password of a browser counts. A browser sends it along with whatever another site has it
            send, so it is good for nothing that changes, but for a form that proves where it is from.

    Raises:
        HTTPException: 401 without a good token, 403 with one of another scope.
    """
    said = _said(request.headers.get("authorization", ""), password=password)
    token = store.token(said) if said else Unknown(reason="a token is needed")
    if isinstance(token, Unknown):
        raise HTTPException(401, detail=token.reason, headers=_CHALLENGE)
    if scope not in token.scopes:
        raise HTTPException(403, detail=f"the token {token.id} has no scope {scope.value}")
    return token, said


def _said(header: str, *, password: bool) -> str:
    """The token in a header: ``Bearer TOKEN``, or ``Basic`` with any name and the token for a password."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic" or not password:
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
