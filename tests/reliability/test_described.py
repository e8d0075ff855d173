"""Requests made of the OpenAPI document; `python tests/reliability describe` makes more of them."""

import pytest

from pytest_xeonperf.service.openapi import document
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

EXAMPLES = 24
OPERATIONS = [f"{method.upper()} {path}" for path, methods in document()["paths"].items() for method in methods]


@pytest.fixture
def described(module):
    """The module that asks; its plugin for pytest is not needed."""
    pytest.importorskip("schemathesis")
    return module("described")


@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(migrated, described, module, label):
    made = module("runs").made
    with open_store(migrated) as store:
        for number in range(2):
            store.add_run(made(number, cases=2))
        token = store.create_token("anybody", [Scope.READ, Scope.INGEST])[1]
        (operation,) = [each for each in described.operations(store) if each.label == label]
        statuses = described.ask(operation, token, examples=EXAMPLES)
        assert len(store.runs()) == 2
    assert sum(statuses.values()) >= EXAMPLES / 2
    assert max(statuses) < 500
