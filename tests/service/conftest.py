"""A service over a history with two runs of two commits, asked in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from pytest_xeonperf.ci.alerts import watch_all
from pytest_xeonperf.exchange import native
from pytest_xeonperf.service.app import Service, application
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.tokens import Scope


FIRST = "01980000-0000-7000-8000-000000000000"
"""The id of the older run."""


@pytest.fixture(scope="session")
def recorded() -> Run:
    """A run in our own format: a pass, a crash, an undecided case."""
    return native.loads((Path(__file__).parents[1] / "cli" / "run.json").read_text(encoding="utf-8"))


@pytest.fixture
def store(migrated: str, recorded: Run) -> Iterator[Store]:
    """A history of two runs."""
    with open_store(migrated) as opened:
        opened.add_run(replace(recorded, id=FIRST, started_at="2026-08-01T10:00:00+00:00"))
        opened.add_run(recorded)
        yield opened


@pytest.fixture
def alert(store: Store, recorded: Run, slow_down: Callable) -> Alert:
    """An alert of that history, which has become longer."""
    slow_down(store, recorded)
    (raised,) = watch_all(store, at="2026-09-30T10:00:00+00:00").raised
    return raised


@pytest.fixture
def make_client(store: Store) -> Callable[..., TestClient]:
    """Makes a client of a service over the history; fields of the service by name."""

    def make(**changes: object) -> TestClient:
        fields = {"store": store, "open_to_read": True, **changes}
        return TestClient(application(Service(**fields)), base_url="http://service")

    return make


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    """A client of a service that everybody may read."""
    return make_client()


@pytest.fixture
def bearing(store: Store) -> Callable[..., dict[str, str]]:
    """Makes the header of a new token with these scopes."""

    def make(*scopes: Scope) -> dict[str, str]:
        token = store.create_token("somebody", scopes)[1]
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    return make


@pytest.fixture
def first() -> str:
    """The id of the older run."""
    return FIRST


@pytest.fixture
def plans(store: Store) -> Callable[[Callable[[], object]], list[str]]:
    """How SQLite would do what is asked of the history meanwhile, a line a step."""
    if store._engine.dialect.name != "sqlite":
        pytest.skip("SQLite's words")

    def told(ask: Callable[[], object]) -> list[str]:
        asked: list[tuple[str, Any]] = []
        event.listen(store._engine, "before_cursor_execute", lambda *found: asked.append((found[2], found[3])))
        ask()
        queries = [each for each in asked if each[0].startswith("SELECT")]
        with store._engine.connect() as connection:
            return [
                row[-1]
                for statement, values in queries
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]

    return told
