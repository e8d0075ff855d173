"""Notices as signed POST requests to a program of the user's.

The signature is an HMAC-SHA-256 with the shared secret over the timestamp, a full stop and the body, so that nobody
without it can make a request, or send one again much later to who looks at the timestamp.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from pytest_xeonperf.ci.opener import OPENER
from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.exchange.addresses import is_web_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_xeonperf.service.outbox import Notice

_PATIENCE_S = 10
_FEWEST_BYTES = 16
"""Of a secret: what is shorter can be guessed from one request."""


class WebHook:
    """A channel to one address."""

    def __init__(self, url: str, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        """A channel.

        Args:
            url: http or https; it may hold a secret of its own, and is shown to nobody.
            secret: Shared with whoever listens there.
            clock: Seconds since the epoch.

        Raises:
            UsageError: The address is none.
        """
        self._url = _checked(url)
        self._secret = secret
        self._clock = clock
        self.name = f"hook-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
        self.shown = f"web hook at {urlsplit(url).hostname}"

    def send(self, notice: Notice) -> None:
        """Send it once; only a status of 200 to 299 says that it got there.

        Raises:
            InfrastructureError: It did not.
        """
        body = json.dumps(notice.document, allow_nan=False).encode()
        timestamp = str(int(self._clock()))
        request = Request(  # noqa: S310 - http or https, as is checked
            self._url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "pytest-xeonperf",
                "X-Xeonperf-Event": notice.event,
                "X-Xeonperf-Delivery": notice.id,
                "X-Xeonperf-Timestamp": timestamp,
                "X-Xeonperf-Signature-256": f"sha256={signature(self._secret, timestamp, body)}",
            },
        )
        try:
            with OPENER.open(request, timeout=_PATIENCE_S):
                return
        except HTTPError as error:
            error.close()
            raise InfrastructureError(f"it says {error.code}", where=self.shown) from error
        except (HTTPException, OSError, ValueError) as error:
            said = str(error) or type(error).__name__
            raise InfrastructureError(f"no answer: {said}", where=self.shown) from error


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """What the header holds after ``sha256=``, in hexadecimal digits."""
    return hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def read_secret(path: Path) -> bytes:
    """The secret in a file, without the white space around it.

    Raises:
        UsageError: There is no file, or nothing in it that could be one.
    """
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), remedy="give a file that can") from error
    if len(secret) < _FEWEST_BYTES:
        raise UsageError(
            f"a secret has at least {_FEWEST_BYTES} bytes", where=str(path), remedy=f"openssl rand -hex 32 > {path}"
        )
    return secret


def _checked(url: str) -> str:
    good = is_web_address(url) and url.isascii() and urlsplit(url).username is None
    if not good or re.search(r"[\s#\x00-\x1f\x7f]", url):
        raise UsageError(
            "this is no address of a web hook", remedy="say https://host[:port]/path[?query], without a user"
        )
    return url
