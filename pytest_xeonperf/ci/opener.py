"""Requests to the one host that was named: a token, and what is signed, are for nobody that it points to."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from ssl import SSLEOFError, SSLZeroReturnError
from typing import TYPE_CHECKING, Any
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, build_opener

if TYPE_CHECKING:
    from urllib.request import Request

_HUNG_UP = (BrokenPipeError, ConnectionResetError, SSLEOFError, SSLZeroReturnError)


class _StayHere(HTTPRedirectHandler):
    """Follows nobody: an answer that says where to go is an error by its status."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Listening(HTTPConnection):
    """Hears the answer also of a server that does not want the rest of a body, and has hung up after saying so."""

    _hung_up = False

    def send(self, data: Any) -> None:
        """Send, or leave it to the answer to tell what is wrong; if there is none, reading it fails."""
        under_way = self.sock is not None
        if self._hung_up:
            return
        try:
            super().send(data)
        except _HUNG_UP:
            if not under_way:
                raise
            self._hung_up = True


class _ListeningSafely(_Listening, HTTPSConnection):
    """The same over TLS."""


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Listening, req)


class _Https(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_ListeningSafely, req)


OPENER = build_opener(_StayHere, _Http, _Https)
"""Opens a request, and raises HTTPError for every answer but a success."""
