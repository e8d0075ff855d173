"""``xeonperf token``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_token_is_printed_once_listed_without_its_secret_and_revoked(command_line: Callable, history: Path) -> None:
    made = command_line("token", "create", "nightly", "--scope", "ingest", "--scope", "read")
    text = made.out.strip()
    assert made.exit_code == 0
    with open_store(str(history)) as store:
        assert store.token(text).scopes == (Scope.INGEST, Scope.READ)
    token_id = text.split("_")[1]
    assert token_id in made.err
    listed = command_line("token", "list")
    assert token_id in listed.out
    assert "ingest,read" in listed.out
    assert "good  nightly" in listed.out
    assert text not in listed.out
    assert command_line("token", "revoke", token_id).exit_code == 0
    assert "revoked 20" in command_line("token", "list").out
    again = command_line("token", "revoke", token_id)
    assert again.exit_code == 4
    assert "no good token" in again.err


def test_an_unknown_scope_is_refused_with_those_there_are(command_line: Callable, history: Path) -> None:
    said = command_line("token", "create", "nightly", "--scope", "root")
    assert said.exit_code == 4
    assert "'read', 'ingest'" in said.err
