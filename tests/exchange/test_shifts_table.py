"""What is said of two runs of the history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.shifts_table import shift_notes, shifts_table, since_then
from pytest_xeonperf.judge.runs import Past, compare_runs
from pytest_xeonperf.records import Operator, Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.judge.runs import RunComparison
    from pytest_xeonperf.records import Result, Run

NOTHING = Past(sessions=(), accepted=Unknown(reason="nothing was accepted"))


def compared(make_run: Callable[..., Run], *outcomes: Outcome) -> RunComparison:
    """Two runs with a case of each outcome."""
    found = compare_runs(make_run(), make_run(), lambda _: NOTHING, tolerance=0.05, alpha=0.05)
    case = found.cases[0]
    return replace(found, cases=tuple(replace(case, outcome=outcome, reason="so it is") for outcome in outcomes))


def test_a_session_tells_what_is_worse_and_counts_the_rest(make_run: Callable[..., Run]) -> None:
    outcomes = (Outcome.PASS, Outcome.REGRESSION, Outcome.INCONCLUSIVE, Outcome.CRASHED, Outcome.INCONCLUSIVE)
    found = compared(make_run, *outcomes)
    first, *worse = since_then(found)
    assert first.startswith(f"since run {found.base.id} of ")
    assert first.endswith(": 1 of 5 speed-ups held, 2 undecided (xeonperf compare says more)")
    assert sorted(line.split()[0] for line in worse) == ["CRASHED", "fell"]


def test_a_release_is_named_and_what_says_more_of_it(make_run: Callable[..., Run]) -> None:
    found = compared(make_run, Outcome.PASS, Outcome.INCONCLUSIVE)
    (line,) = since_then(found, release="v1.2")
    assert line.startswith(f"since release v1.2, run {found.base.id} of ")
    assert line.endswith(", 1 undecided (xeonperf compare v1.2 says more)")


def test_where_all_held_there_is_one_line(make_run: Callable[..., Run]) -> None:
    (line,) = since_then(compared(make_run, Outcome.PASS))
    assert line.endswith(": 1 of 1 speed-up held")


def test_the_command_tells_every_reason_the_worst_first(make_run: Callable[..., Run]) -> None:
    found = compared(make_run, Outcome.PASS, Outcome.REGRESSION)
    assert [line.split()[0] for line in shift_notes(found) if line[0] != " "] == ["REGRESSION", "PASS"]
    assert shifts_table(found).row_count == 2


def test_what_explains_a_case_stands_below_it(make_run: Callable[..., Run], make_result: Callable[..., Result]) -> None:
    base, head = (make_result(candidates_ns=(candidate_ns,) * 12) for candidate_ns in (10_000_000, 20_000_000))
    slower = tuple(Operator(name=name, self_ns=1, calls=1) for name in ("aten::mm", "aten::gelu"))
    measured = replace(
        head.measurement,
        candidate_median_ns=20_000_000,
        evidence=replace(head.measurement.evidence, operators=slower, kernels=("aten::mm", "aten::gelu")),
    )
    runs = make_run(results=(base,)), make_run(results=(replace(head, measurement=measured),))
    lines = shift_notes(compare_runs(*runs, lambda _: NOTHING, tolerance=0.05, alpha=0.05))
    assert lines[1:] == (
        "    +10.0 ms a call: aten::gelu appeared, +10.0 ms (100 %), aten::mm +2.50 ms (25 %)",
        "    kernels that appeared: aten::gelu",
    )


def test_where_the_baseline_moved_too_the_machine_may_have(
    make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    base = make_result(candidates_ns=(10_000_000,) * 12)
    slower = replace(base.measurement, candidate_median_ns=20_000_000, baseline_median_ns=70_000_000)
    runs = make_run(results=(base,)), make_run(results=(replace(base, measurement=slower),))
    found = compare_runs(*runs, lambda _: NOTHING, tolerance=0.05, alpha=0.05)
    assert found.outcome is Outcome.PASS
    assert shift_notes(found)[1].endswith("; its baseline takes +100.0 % time too, so the machine may have changed")


def test_a_session_names_what_changed_about_the_machine_and_baselines_that_drifted(
    make_run: Callable[..., Run],
) -> None:
    found = compared(make_run, Outcome.PASS)
    (case,) = found.cases
    assert not isinstance(case.shift, Unknown)
    drifted = replace(case, outcome=Outcome.INCONCLUSIVE, reason="so it is", shift=replace(case.shift, drifted=True))
    other = replace(found.head.machine, facts=(("torch", "9.9"),))
    found = replace(found, cases=(drifted,), head=replace(found.head, machine=other))
    first, line = since_then(found)
    assert "; the environment changed too: torch " in first
    assert line == f"drifted {case.case.label}: so it is"
