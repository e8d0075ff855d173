"""A run on its way to a service."""

from __future__ import annotations

import socket
from threading import Thread
from typing import Any

import pytest

from pytest_xeonperf.ci import delivery
from pytest_xeonperf.ci.delivery import PassedOverError, checked, deliver
from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError


def test_the_token_of_the_environment_is_said(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XEONPERF_TOKEN", "xp_1_2")
    assert deliver(service.url + "/", "run 1")
    assert not deliver(service.url, "run 1")
    assert service.tokens == ["Bearer xp_1_2"] * 2


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"null"])
def test_an_answer_of_something_else_is_none(service: Any, body: bytes) -> None:
    service.status, service.body = 201, body
    with pytest.raises(InfrastructureError, match="no answer of a service"):
        deliver(service.url, "run 1")


def test_an_answer_that_is_cut_off_is_none(service: Any) -> None:
    service.missing = 5
    with pytest.raises(InfrastructureError, match="no answer of a service"):
        deliver(service.url, "run 1")


def test_a_token_goes_to_no_other_host(service: Any) -> None:
    service.status, service.moved_to = 302, "http://elsewhere.example/"
    with pytest.raises(UsageError, match=r"has moved to http://elsewhere\.example/"):
        deliver(service.url, "run 1")


@pytest.mark.parametrize("token", ["xp_1_2\n", "  xp_1_2"])
def test_blanks_around_a_token_are_none_of_it(service: Any, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("XEONPERF_TOKEN", token)
    assert deliver(service.url, "run 1")
    assert service.tokens == ["Bearer xp_1_2"]


def test_what_is_no_token_is_not_shown(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XEONPERF_TOKEN", "my\nsecret")
    with pytest.raises(UsageError, match="holds no token") as caught:
        deliver(service.url, "run 1")
    assert "secret" not in str(caught.value)


def test_what_the_service_says_is_an_error_of_its_kind(service: Any) -> None:
    with pytest.raises(DataError, match="says 400: no"):
        deliver(service.url, "bad")
    service.status = 500
    with pytest.raises(InfrastructureError, match="says 500: no"):
        deliver(service.url, "run")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "ftp://host",
        "file:///etc/passwd",
        "https://",
        "http://host:abc",
        "http://[::1",
        "http://host/a b",
        "http://user:secret@host",
        "http://host/?token=secret",
        "http://host/#part",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address of a service") as caught:
        checked(url)
    assert "user:secret" not in str(caught.value)


def test_a_run_may_take_longer_than_a_service_that_is_silent(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_PATIENCE_S", 0.5)
    service.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    service.pause_s = 0.05
    assert deliver(service.url, "x" * (16 << 20))


def test_what_comes_too_slowly_is_told_as_that(service: Any) -> None:
    service.status = 408
    with pytest.raises(PassedOverError, match="says 408: no"):
        deliver(service.url, "run")


@pytest.mark.parametrize(("status", "error"), [(408, PassedOverError), (413, DataError), (503, InfrastructureError)])
def test_what_a_service_says_before_it_hangs_up_is_heard(service: Any, status: int, error: type[Exception]) -> None:
    service.reads, service.status = False, status
    with pytest.raises(error, match=f"says {status}: no"):
        deliver(service.url, "x" * (16 << 20))


def test_a_service_that_hangs_up_without_a_word_has_not_answered() -> None:
    def hang_up(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        accepted.recv(1)
        accepted.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=hang_up, args=(listening,))
        thread.start()
        with pytest.raises(InfrastructureError, match="no answer of a service"):
            deliver(f"http://127.0.0.1:{listening.getsockname()[1]}", "x" * (16 << 20))
        thread.join()
