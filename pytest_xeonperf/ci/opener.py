"""Requests to the one host that was named: a token, and what is signed, are for nobody that it points to."""

from __future__ import annotations

from typing import Any
from urllib.request import HTTPRedirectHandler, build_opener


class _StayHere(HTTPRedirectHandler):
    """Follows nobody: an answer that says where to go is an error by its status."""

    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = build_opener(_StayHere)
"""Opens a request, and raises HTTPError for every answer but a success."""
