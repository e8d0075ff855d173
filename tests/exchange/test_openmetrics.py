"""Metrics that another program's parser reads."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_format

from pytest_xeonperf.exchange import openmetrics
from pytest_xeonperf.exchange.exposition import text
from pytest_xeonperf.records import Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prometheus_client import Metric

    from pytest_xeonperf.records import Result, Run

HOSTILE = 'a "quoted\\ name\nwith a line" {x="1"} 2\r# EOF \ud800'


def metrics(said: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(said)}


def served(*runs: Run) -> dict[str, Metric]:
    """The metrics as the service has them."""
    readings: Sequence[openmetrics.Reading] = [
        openmetrics._reading(result, run.machine.comparability_class) for run in runs for result in run.results
    ]
    sessions = [openmetrics._session(run) for run in runs]
    return metrics(text(openmetrics.families(readings, sessions)))


def figures(family: Metric, label: str) -> dict[str, float]:
    return {sample.labels[label]: sample.value for sample in family.samples}


def test_figures_are_in_base_units_and_names_end_with_them(make_run: Callable[..., Run]) -> None:
    found = served(make_run())
    assert figures(found["xeonperf_latency_seconds"], "side") == {"candidate": 0.01, "baseline": 0.035}
    ratios = ("speedup", "speedup_low", "speedup_high", "floor")
    assert [found[f"xeonperf_{name}_ratio"].samples[0].value for name in ratios] == [3.5, 3.4, 3.6, 2.91]
    assert all(not family.unit or name.endswith(f"_{family.unit}") for name, family in found.items())
    assert {family.unit for family in found.values()} == {"seconds", "ratio", ""}
    assert all(family.documentation for family in found.values())


def test_a_case_is_named_by_all_that_makes_it_the_one_it_is(make_run: Callable[..., Run]) -> None:
    run = make_run()
    (sample,) = served(run)["xeonperf_speedup_ratio"].samples
    assert sample.labels == {
        "workload": "sam-vit-b",
        "phase": "encode",
        "preset": "quick",
        "variant": "compiled_bf16",
        "over": "eager_fp32",
        "machine": run.machine.comparability_class,
    }


def test_a_verdict_is_a_state_of_which_exactly_one_holds(make_run: Callable[..., Run], crashed: Result) -> None:
    verdict = served(make_run(results=(crashed,)))["xeonperf_verdict"]
    assert verdict.type == "stateset"
    states = figures(verdict, "xeonperf_verdict")
    assert states.keys() == {outcome.value for outcome in Outcome}
    assert [state for state, held in states.items() if held] == ["CRASHED"]


def test_what_was_not_measured_has_a_verdict_and_no_figure(
    make_run: Callable[..., Run], crashed: Result, timed: Result
) -> None:
    assert "xeonperf_latency_seconds" not in served(make_run(results=(crashed,)))
    alone = served(make_run(results=(timed,)))
    assert figures(alone["xeonperf_latency_seconds"], "side") == {"candidate": 0.001255}
    assert "xeonperf_speedup_ratio" not in alone


def test_an_end_that_nothing_bounds_is_infinite(make_run: Callable[..., Run], unbounded: Result) -> None:
    found = served(make_run(results=(unbounded,)))
    assert found["xeonperf_speedup_low_ratio"].samples[0].value == 0
    assert found["xeonperf_speedup_high_ratio"].samples[0].value == inf


def test_the_commit_is_told_once_and_times_are_seconds_since_the_epoch(make_run: Callable[..., Run]) -> None:
    found = served(make_run())
    (sample,) = found["xeonperf_run"].samples
    assert (sample.name, sample.value) == ("xeonperf_run_info", 1)
    assert (sample.labels["commit"], sample.labels["branch"], sample.labels["isa"]) == ("0f" * 20, "main", "amx_bf16")
    assert found["xeonperf_run_started_timestamp_seconds"].samples[0].value == 1788256800
    assert found["xeonperf_measured_timestamp_seconds"].samples[0].value == 1788256860
    unversioned = served(make_run(commit=Unknown(reason="not a repository")))["xeonperf_run"].samples[0]
    assert (unversioned.labels["commit"], unversioned.labels["branch"]) == ("", "")


def test_no_name_can_break_out_of_its_label(make_run: Callable[..., Run], make_result: Callable[..., Result]) -> None:
    result = make_result()
    hostile = replace(result, case=replace(result.case, workload=HOSTILE))
    (sample,) = served(make_run(results=(hostile,)))["xeonperf_speedup_ratio"].samples
    assert sample.labels["workload"] == HOSTILE.replace("\ud800", "?")


def test_a_history_without_a_run_is_an_end_mark() -> None:
    assert text(openmetrics.families((), ())) == "# EOF\n"


def test_a_file_of_a_run_is_for_readers_of_either_format(
    make_run: Callable[..., Run], make_result: Callable[..., Result], crashed: Result, timed: Result
) -> None:
    said = openmetrics.dumps(make_run(results=(make_result(), crashed, timed)))
    assert {family.type for family in metrics(said).values()} == {"gauge"}
    older = {family.name: family for family in older_format(said)}
    assert older.keys() == metrics(said).keys()
    assert {"xeonperf_run_info", "xeonperf_verdict", "xeonperf_latency_seconds"} <= older.keys()
    assert {family.type for family in older.values()} == {"gauge"}


def test_of_two_tests_of_one_case_the_later_one_counts(
    make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    later = replace(make_result(), node_id="b", verdict=replace(make_result().verdict, floor_ratio=1.5))
    (floor,) = metrics(openmetrics.dumps(make_run(results=(make_result(), later))))["xeonperf_floor_ratio"].samples
    assert floor.value == 1.5
