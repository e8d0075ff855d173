"""Telling a form of ours from one that another site has a browser send.

A browser that was told a token as a password sends it along with every request to this address, whoever makes it. So a
form carries an HMAC of what it is about under that token: only a page that was answered to the same token has it. There
is no cookie to be stolen or set from elsewhere, and nothing to be remembered here. A browser that says which site a
request comes from is believed first.

Source: OWASP, "Cross-Site Request Forgery Prevention Cheat Sheet" (HMAC based token pattern; fetch metadata).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

_OURS = "same-origin"


def proof(token: str, subject: str) -> str:
    """What a form about a subject carries, for whoever says this token."""
    return hmac.new(token.encode(), f"triage\0{subject}".encode(), hashlib.sha256).hexdigest()


def require_ours(request: Request) -> None:
    """Let a request pass that no other site has a browser make, as far as the browser says.

    Raises:
        HTTPException: 403.
    """
    if request.headers.get("sec-fetch-site", _OURS) != _OURS:
        raise HTTPException(403, detail="the form is of another site")


def require_proof(said: str, token: str, subject: str) -> None:
    """Let a form pass that a page of ours has held, answered to this token and about this subject.

    Raises:
        HTTPException: 403.
    """
    if not hmac.compare_digest(said.encode(errors="replace"), proof(token, subject).encode()):
        raise HTTPException(403, detail="the form is not of a page that this token has seen: load the page again")
