"""Requests made of the OpenAPI document, good ones and bad ones, and whether the answers are as it says."""

from functools import partial

import hypothesis
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from pytest_xeonperf.service.app import Service, application
from pytest_xeonperf.service.budgets import Budget, Budgets

DOCUMENT = "/api/v1/openapi.json"


def operations(store):
    """What the document of a service over a history describes."""
    unlimited = Budgets(reads=Budget(0), ingests=Budget(0), failures=Budget(0))  # half of the requests are wrong ones
    service = Service(store=store, open_to_read=False, budgets=unlimited)
    described = schemathesis.openapi.from_asgi(DOCUMENT, application(service))
    return [operation.ok() for operation in described.get_all_operations()]


def ask(operation, token, *, examples, seed=1, there=()):
    """Make requests of an operation, half of them against the document; how many were answered with which status.

    Args:
        operation: One of those described.
        token: That may do it.
        examples: How many.
        seed: Of what is made up.
        there: (name, value) of parameters of the path under which there is something: good requests are about that.

    Raises:
        FailureGroup: An answer is not as described, or is a defect of the service.
    """
    statuses = {}
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE).map(partial(_about, dict(there)))
    for strategy in (good, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)):

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=max(1, examples // 2),
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=strategy)
        def one(case):
            answer = case.call_and_validate(
                headers={"Authorization": f"Bearer {token}"}, excluded_checks=[positive_data_acceptance]
            )
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

        try:
            one()
        except hypothesis.errors.Unsatisfiable:
            if strategy is good:  # what has no parameters cannot be asked for wrongly
                raise
    return statuses


def _about(there, case):
    case.path_parameters.update({name: value for name, value in there.items() if name in case.path_parameters})
    return case
