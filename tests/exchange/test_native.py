"""Our own JSON: what is written is read back the same, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import NOT_RECORDED, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Result, Run


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_run_is_read_back_as_it_was(any_run: st.SearchStrategy[Run], data: st.DataObject) -> None:
    run = data.draw(any_run)
    assert native.loads(native.dumps(run)) == run


def test_a_timing_with_a_mistake_is_told_as_a_timing(make_run: Callable[..., Run], timed: Result) -> None:
    text = native.dumps(make_run(results=(timed,)))
    assert native.loads(text).results == (timed,)
    with pytest.raises(DataError, match=r"'fast' is no int @ run\.results\[0\]\.measurement\.median_ns"):
        native.loads(text.replace('"median_ns": 1255000', '"median_ns": "fast"'))


def test_the_document_says_its_schema_and_why_something_is_unknown(make_run: Callable[..., Run]) -> None:
    document = json.loads(native.dumps(make_run(commit=Unknown(reason="not a repository"))))
    assert document["schema"] == "xeonperf/4"
    assert document["run"]["commit"] == {"unknown": "not a repository"}
    assert document["run"]["machine"]["isa"] == "amx_bf16"
    assert document["run"]["results"][0]["measurement"]["samples"][0]["candidate_ns"] == 9_000_000


def _set(path: str, value: Any) -> Callable[[Any], None]:
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]

    def change(document: Any) -> None:
        for part in parents:
            document = document[part]
        document[last] = value

    return change


def _drop(path: str) -> Callable[[Any], None]:
    *parents, last = path.split(".")

    def change(document: Any) -> None:
        for part in parents:
            document = document[part]
        del document[last]

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_set("schema", "xeonperf/9"), r"the schema is 'xeonperf/9', not 'xeonperf/4'"),
        (_drop("schema"), r"the schema is None"),
        (_drop("run"), r"None is no Run @ run"),
        (_set("run", []), r"\[\] is no Run @ run"),
        (_drop("run.machine.isa"), r"'isa' is missing @ run\.machine"),
        (_set("run.machine.isa", "sse9"), r"'sse9' is not a valid Isa @ run\.machine\.isa"),
        (_set("run.machine.threads", "2"), r"'2' is no int @ run\.machine\.threads"),
        (_set("run.machine.threads", value=True), r"True is no int @ run\.machine\.threads"),
        (_set("run.machine.threads", 2.5), r"2\.5 is no int @ run\.machine\.threads"),
        (_set("run.machine.facts", {"torch": "2"}), r"is no array @ run\.machine\.facts"),
        (_set("run.machine.facts.1", ["torch"]), r"has 1 places, not 2 @ run\.machine\.facts\[1\]"),
        (_set("run.machine.limits.fp32_flop_per_s", "fast"), r"'fast' is no finite number @ run\.machine\.limits"),
        (_set("run.surprise", 1), r"nothing is known of 'surprise' @ run"),
        (_set("run.commit", {"unknown": 3}), r"3 is no str @ run\.commit"),
        (_set("run.commit", None), r"None is no Commit @ run\.commit"),
        (_set("run.results.0.measurement.evidence.kernels", "mm"), r"'mm' is no array .*evidence\.kernels"),
        (
            _set("run.results.0.measurement.samples.2", 5),
            r"5 is no Sample @ run\.results\[0\]\.measurement\.samples\[2\]",
        ),
        (_set("run.results.0.verdict.outcome", "GREEN"), r"'GREEN' is not a valid Outcome"),
    ],
)
def test_a_malformed_document_is_refused_with_the_place(
    make_run: Callable[..., Run], change: Callable[[Any], None], complaint: str
) -> None:
    document = json.loads(native.dumps(make_run()))
    change(document)
    with pytest.raises(DataError, match=complaint) as caught:
        native.loads(json.dumps(document), where="run.json")
    assert caught.value.where == "run.json"


def test_a_document_of_version_1_is_read_and_its_contention_is_unknown(make_run: Callable[..., Run]) -> None:
    document = json.loads(native.dumps(make_run()))
    document["schema"] = "xeonperf/1"
    del document["run"]["results"][0]["measurement"]["contention"]
    (result,) = native.loads(json.dumps(document)).results
    assert result.measurement.contention == Unknown(reason="measured before it was counted")


def test_a_document_of_version_2_is_read_and_says_what_was_not_recorded_then(make_run: Callable[..., Run]) -> None:
    document = json.loads(native.dumps(make_run()))
    document["schema"] = "xeonperf/2"
    del document["run"]["commit"]["author"]
    del document["run"]["results"][0]["measurement"]["evidence"]["operators"]
    run = native.loads(json.dumps(document))
    assert run.commit.author == NOT_RECORDED
    assert run.results[0].measurement.evidence.operators == NOT_RECORDED


def test_a_document_of_version_3_is_read_and_counted_no_disturbed_rounds(make_run: Callable[..., Run]) -> None:
    document = json.loads(native.dumps(make_run()))
    document["schema"] = "xeonperf/3"
    del document["run"]["results"][0]["measurement"]["disturbed_rounds"]
    assert native.loads(json.dumps(document)).results[0].measurement.disturbed_rounds == NOT_RECORDED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        '"xeonperf/4"',
        '{"schema": "xeonperf/4", "run": NaN}',
        "[" * 100_000,
        *(f'{{"schema": "xeonperf/1", "run": {run}}}' for run in ("[]", '{"results": 3}', '{"results": [[]]}')),
    ],
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        native.loads(text)


def test_a_truncated_document_is_refused_with_the_line(make_run: Callable[..., Run]) -> None:
    text = native.dumps(make_run())
    with pytest.raises(DataError, match=r"no JSON: .* line \d+"):
        native.loads(text[: len(text) // 2])


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_json_has_no_word_for_is_refused(make_run: Callable[..., Run], figure: float) -> None:
    run = make_run()
    limits = replace(run.machine.limits, int8_op_per_s=figure)
    with pytest.raises(DataError, match="cannot be written as JSON"):
        native.dumps(replace(run, machine=replace(run.machine, limits=limits)))
