"""How often somebody may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from pytest_xeonperf.exchange import native
from pytest_xeonperf.service import budgets
from pytest_xeonperf.service.budgets import Budget, Budgets, address_of
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Run


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_bucket_holds_a_minute_s_permits_and_fills_as_time_goes_by(clock: Clock) -> None:
    budget = Budget(6, clock=clock)
    assert [budget.spend("a") for _ in range(6)] == [0] * 6
    assert budget.spend("a") == pytest.approx(10)
    clock.now_s += 4
    assert budget.spend("a") == pytest.approx(6)
    clock.now_s += 6
    assert budget.spend("a") == 0
    assert budget.spend("a") == pytest.approx(10)
    clock.now_s += 3600
    assert [budget.spend("a") == 0 for _ in range(7)] == [True] * 6 + [False]


def test_nobody_pays_for_another(clock: Clock) -> None:
    budget = Budget(1, clock=clock)
    assert budget.spend("a") == 0
    assert budget.spend("a") > 0
    assert budget.spend("b") == 0


def test_zero_is_no_limit(clock: Clock) -> None:
    budget = Budget(0, clock=clock)
    assert not any(budget.spend("a") for _ in range(1000))


def test_many_names_do_not_fill_the_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "_MOST_BUCKETS", 10)
    budget = Budget(2, clock=clock)
    for number in range(1000):
        budget.spend(f"{number}")
        budget.spend("always here")
    assert len(budget._buckets) == 10
    assert budget.spend("always here") > 0


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("x" * 10_000, "x" * 64),
    ],
)
def test_an_address_is_as_much_of_it_as_one_customer_has(host: str, name: str) -> None:
    assert address_of(Request({"type": "http", "headers": [], "client": (host, 1)})) == name


def test_who_reads_too_often_is_told_when_to_come_again(make_client: Callable) -> None:
    client = make_client(budgets=Budgets(reads=Budget(2)))
    assert [client.get(path).status_code for path in ("/api/v1/runs", "/", "/badge.svg")] == [200, 200, 429]
    refused = client.get("/metrics")
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert "too many requests" in refused.json()["error"]["what"]
    assert client.get("/api/v1/openapi.json").status_code == 429
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_a_token_has_a_budget_of_its_own_and_reading_takes_nothing_from_bringing(
    make_client: Callable, bearing: Callable, recorded: Run
) -> None:
    client = make_client(open_to_read=False, budgets=Budgets(reads=Budget(1), ingests=Budget(1)))
    one, another = (bearing(Scope.READ, Scope.INGEST) for _ in range(2))
    assert [client.get("/api/v1/runs", headers=one).status_code for _ in range(2)] == [200, 429]
    assert client.get("/api/v1/runs", headers=another).status_code == 200
    body = native.dumps(recorded)
    assert [client.post("/api/v1/runs", content=body, headers=one).status_code for _ in range(2)] == [200, 429]


def test_who_is_often_wrong_about_a_token_waits_and_keeps_nobody_else_waiting(
    make_client: Callable, bearing: Callable
) -> None:
    client = make_client(open_to_read=False, budgets=Budgets(failures=Budget(3)))
    wrong = {"Authorization": "Bearer xp_guess_guess"}
    assert [client.get("/", headers=wrong).status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    assert client.get("/", headers=bearing(Scope.READ)).status_code == 200
    assert client.get("/").status_code == 401


def test_a_good_token_for_something_else_is_no_guess_and_is_limited_too(
    make_client: Callable, bearing: Callable
) -> None:
    client = make_client(open_to_read=False, budgets=Budgets(reads=Budget(2), failures=Budget(1)))
    wrong = bearing(Scope.INGEST)
    assert [client.get("/", headers=wrong).status_code for _ in range(3)] == [403, 403, 429]
    assert client.get("/", headers=bearing(Scope.READ)).status_code == 200


def test_to_have_no_token_yet_is_not_to_be_wrong_about_one(make_client: Callable, bearing: Callable) -> None:
    client = make_client(open_to_read=False, budgets=Budgets(failures=Budget(1)))
    assert [client.get("/").status_code for _ in range(3)] == [401] * 3
    assert client.get("/", headers=bearing(Scope.READ)).status_code == 200
