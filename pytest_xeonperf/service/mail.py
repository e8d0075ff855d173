"""Notices as letters, by a mail server that takes them without a password; encrypted where it offers that."""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    from pytest_xeonperf.service.outbox import Notice

_PATIENCE_S = 10
_PORT = 25
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


class Mail:
    """A channel to one address."""

    def __init__(self, to: str, *, smtp: str, sender: str = "") -> None:
        """A channel.

        Args:
            to: Address of the reader.
            smtp: ``HOST`` or ``HOST:PORT`` of the server.
            sender: Address of the writer; empty for ``xeonperf`` at this machine.

        Raises:
            UsageError: One of them is none.
        """
        self._to = _address(to)
        self._from = _address(sender or f"xeonperf@{socket.getfqdn()}")
        self._host, self._port = _server(smtp)
        self.name = f"mail-{hashlib.sha256(to.encode()).hexdigest()[:12]}"
        self.shown = f"mail to {to}"

    def send(self, notice: Notice) -> None:
        """Hand it to the server.

        Raises:
            InfrastructureError: The server did not take it.
        """
        try:
            with smtplib.SMTP(self._host, self._port, timeout=_PATIENCE_S) as server:
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                server.send_message(self._letter(notice))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise InfrastructureError(f"not taken: {error}", where=f"{self._host}:{self._port}") from error

    def _letter(self, notice: Notice) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"] = notice.subject
        letter["From"], letter["To"] = self._from, self._to
        letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(domain=self._from.rpartition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(notice.text)
        return letter


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise UsageError(f"{text!r:.80} is no address of mail", remedy="say name@host")
    return text


def _server(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if re.search(r":\d+$", text) else (text, "", "")
    number = int(port[:6]) if colon else _PORT
    if not re.fullmatch(r"[A-Za-z0-9.:_\[\]-]+", host) or not 0 < number < 1 << 16:
        raise UsageError(f"{text!r:.80} is no mail server", remedy="say HOST or HOST:PORT")
    return host.strip("[]"), number
