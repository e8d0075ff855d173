"""Requests made of the OpenAPI document; `python tests/reliability describe` makes more of them."""

import pytest

from pytest_xeonperf.alerts import Alert, AlertSource, AlertState, Direction
from pytest_xeonperf.judge.alerts import Findings
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.service.openapi import document
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

EXAMPLES = 24
WITHOUT_ANYTHING_TO_SAY = {"GET /healthz", "GET /readyz"}
"""No token, no parameter: there is one way to ask, and Hypothesis knows when it has tried all ways."""

OPERATIONS = [f"{method.upper()} {path}" for path, methods in document()["paths"].items() for method in methods]


@pytest.fixture
def described(module):
    """The module that asks; its plugin for pytest is not needed."""
    pytest.importorskip("schemathesis")
    return module("described")


def raised_on(run):
    """An alert on the first case of a run."""
    return Alert(
        id="3f9a1c0b77de",
        case=run.results[0].case,
        comparability_class=run.machine.comparability_class,
        source=AlertSource.CHANGE_POINT,
        direction=Direction.SLOWER,
        latency_ratio=1.1,
        speed=Unknown(reason="none"),
        before_ns=10_000_000,
        after_ns=11_000_000,
        run_id=run.id,
        fingerprint=run.machine.fingerprint,
        since=run.started_at,
        sha_before="a" * 40,
        sha_after="b" * 40,
        raised_at=run.started_at,
        state=AlertState.NEW,
        assignee="",
        note="",
        issue_url="",
        recovered_run_id=Unknown(reason="the latency is not back"),
    )


@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(migrated, described, module, label):
    made = module("runs").made
    with open_store(migrated) as store:
        for number in range(2):
            store.add_run(made(number, cases=2))
        alert = raised_on(store.run(store.runs()[0].id))
        store.raise_alerts(alert.case, alert.comparability_class, lambda _known: Findings(raised=(alert,)))
        token = store.create_token("anybody", [Scope.READ, Scope.INGEST, Scope.TRIAGE])[1]
        (operation,) = [each for each in described.operations(store) if each.label == label]
        statuses = described.ask(operation, token, examples=EXAMPLES, there=[("alert_id", alert.id)])
        assert len(store.runs()) == 2
    assert sum(statuses.values()) >= (1 if label in WITHOUT_ANYTHING_TO_SAY else EXAMPLES / 2)
    assert max(statuses) < 500
    assert "{alert_id}" not in label or 200 in statuses
