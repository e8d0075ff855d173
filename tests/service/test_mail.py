"""Notices as letters."""

from __future__ import annotations

import email
import email.policy
import socketserver
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.service.mail import Mail
from pytest_xeonperf.service.outbox import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTICE = Notice(id="run-red-1", event="run.red", subject="xeonperf: ✗ failed", text="▼ below\n.dot\n", document={})


class PostOffice(socketserver.ThreadingTCPServer):
    """As much of a mail server as one letter needs."""

    daemon_threads = True

    def __init__(self) -> None:
        self.said: list[str] = []
        self.letters: list[bytes] = []
        self.offers: tuple[str, ...] = ()
        self.refuses = ""
        super().__init__(("127.0.0.1", 0), _Counter)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Counter(socketserver.StreamRequestHandler):
    server: PostOffice

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            self.server.said.append(line)
            word = line.split()[0].upper()
            if word == self.server.refuses:
                self._say("554 no")
            elif word == "EHLO":
                lines = ["here", *self.server.offers]
                self._say(*(f"250{' ' if each is lines[-1] else '-'}{each}" for each in lines))
            elif word == "DATA":
                self._say("354 go on")
                self.server.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """A mail server in a thread."""
    with PostOffice() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_notice_is_a_letter(office: PostOffice) -> None:
    Mail("team@perf.example", smtp=office.address, sender="xeonperf@perf.example").send(NOTICE)
    (raw,) = office.letters
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert (letter["From"], letter["To"]) == ("xeonperf@perf.example", "team@perf.example")
    assert letter["Subject"] == NOTICE.subject
    assert letter["Date"]
    assert letter["Message-ID"].endswith("@perf.example>")
    assert "▼ below" in letter.get_content()


def test_encryption_that_is_offered_is_used(office: PostOffice) -> None:
    office.offers = ("STARTTLS",)
    office.refuses = "STARTTLS"  # as a server does whose certificate is out of order
    with pytest.raises(InfrastructureError, match="not taken"):
        Mail("team@perf.example", smtp=office.address, sender="a@perf.example").send(NOTICE)
    assert "STARTTLS" in office.said
    assert office.letters == []


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
def test_what_the_server_does_not_take_is_a_failure(office: PostOffice, word: str) -> None:
    office.refuses = word
    with pytest.raises(InfrastructureError, match="not taken"):
        Mail("team@perf.example", smtp=office.address, sender="a@perf.example").send(NOTICE)
    assert office.letters == []


def test_nobody_there_is_a_failure() -> None:
    with pytest.raises(InfrastructureError, match="not taken"):
        Mail("team@perf.example", smtp="127.0.0.1:9", sender="a@perf.example").send(NOTICE)


def test_a_subject_cannot_add_a_header(office: PostOffice) -> None:
    hostile = Notice(id="x", event="run.red", subject="a\r\nBcc: everybody@perf.example", text="", document={})
    with pytest.raises(InfrastructureError):
        Mail("team@perf.example", smtp=office.address, sender="a@perf.example").send(hostile)
    assert office.letters == []


@pytest.mark.parametrize("to", ["", "team", "team@", "a b@perf.example", "a@perf.example, b@perf.example", "a@b\n.c"])
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(UsageError, match="no address of mail"):
        Mail(to, smtp="localhost")


@pytest.mark.parametrize("smtp", ["", "host:0", "host:99999", "ho st", "host/x"])
def test_what_is_no_server_is_refused(smtp: str) -> None:
    with pytest.raises(UsageError, match="no mail server"):
        Mail("team@perf.example", smtp=smtp, sender="a@perf.example")


def test_a_server_s_port_is_that_of_mail_unless_said() -> None:
    mail = Mail("team@perf.example", smtp="mail.perf.example", sender="a@perf.example")
    assert (mail._host, mail._port) == ("mail.perf.example", 25)
