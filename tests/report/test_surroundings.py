"""What the history knows around an alert."""

from dataclasses import replace

import pytest

from pytest_xeonperf.ci.alerts import watch_all
from pytest_xeonperf.judge.meanwhile import Part
from pytest_xeonperf.records import TIMED_ALONE, Unknown
from pytest_xeonperf.report.surroundings import Surroundings, machine_lines, why_of_alert
from pytest_xeonperf.store.engine import open_store


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "xeonperf.db")) as opened:
        yield opened


@pytest.fixture
def slowed(store, make, slow_down):
    """The alert of a history in which a case became slower, and its runs."""

    def go():
        runs = slow_down(store, make.run(make.result()))
        (alert,) = watch_all(store, at="2026-09-30T10:00:00+00:00").raised
        return alert, runs

    return go


def around(store, alert):
    return Surroundings.of(store, alert, machine_lines(store.machines()))


def test_the_last_fast_run_its_commits_and_the_machine_are_known(store, slowed):
    alert, runs = slowed()
    found = around(store, alert)
    assert alert.run_id == runs[16].id
    assert found.fast_run == (runs[15].id, runs[15].started_at)
    assert [found.commits[sha].subject for sha in (alert.sha_before, alert.sha_after)] == ["Fuse", "Fuse"]
    assert found.machine == "INTEL(R) XEON(R) PLATINUM 8581C, amx_bf16, 2 threads"
    assert found.in_trend
    assert (found.side.part, found.side.baseline_ratio) == (Part.NONE, 1.0)
    assert (found.side.runs_before, found.side.runs_since) == (10, 10)


def test_a_baseline_that_moved_as_well_is_seen_and_other_branches_and_environments_are_not(store, make):
    def run(number, *, branch="main", torch="2.13.0", baseline_ns=100):
        measured = make.measurement(baseline_median_ns=baseline_ns)
        return make.run(
            make.result(measurement=measured),
            id=f"run-{number:02}",
            started_at=f"2026-05-{number:02}T14:00:00+00:00",
            commit=make.commit(branch=branch, sha=f"{number:040}"),
            machine=make.machine(facts=(("torch", torch),)),
        )

    for number in (1, 2, 3):
        store.add_run(run(number))
    store.add_run(run(4, branch="topic", baseline_ns=500))
    store.add_run(run(5, torch="2.12.0", baseline_ns=700))
    for number in (6, 7):
        store.add_run(run(number, baseline_ns=120))
    store.add_run(run(8, branch="topic", baseline_ns=900))
    slow = run(6)
    alert = make.alert(
        latency_ratio=1.2,
        run_id=slow.id,
        since=slow.started_at,
        fingerprint=slow.machine.fingerprint,
        sha_before=f"{3:040}",
        sha_after=f"{6:040}",
    )
    found = around(store, alert)
    assert (found.side.part, found.side.baseline_ratio) == (Part.MOST, 1.2)
    assert (found.side.runs_before, found.side.runs_since) == (3, 2)
    assert found.fast_run == ("run-03", "2026-05-03T14:00:00+00:00")


def test_of_a_gate_there_is_neither_run_nor_side(store, slowed):
    alert, _ = slowed()
    gate = replace(alert, run_id=Unknown(reason="a gate"), fingerprint=Unknown(reason="a gate"), sha_before="e" * 40)
    found = around(store, gate)
    assert "a gate measured both commits in the same rounds" in found.side.reason
    assert set(found.commits) == {alert.sha_after}
    assert why_of_alert(store, gate, found.fast_run) == found.side


def test_a_history_without_those_runs_says_so(store, make):
    found = around(store, make.alert())
    assert found.fast_run == Unknown(reason="no fast run is left in the history")
    assert not found.in_trend
    assert isinstance(found.machine, Unknown)
    assert why_of_alert(store, make.alert(), found.fast_run) == found.fast_run
    alone = make.alert(case=make.alone().case)
    assert around(store, alone).side == TIMED_ALONE
    assert isinstance(why_of_alert(store, alone, found.fast_run), Unknown)


def test_the_operators_of_the_two_runs_explain_the_change(store, make):
    for number, gelu in ((1, 100), (2, 500)):
        evidence = make.evidence(operators=make.operators(mm=300, gelu=gelu))
        measured = make.measurement(4.0 if number == 1 else 2.0, evidence=evidence)
        other = make.case(variant="woq_int4")
        store.add_run(
            make.run(
                make.result(case=other, measurement=replace(make.measurement(9.0), case=other), node_id="t.py::other"),
                make.result(measurement=measured),
                id=f"run-{number}",
            )
        )
    alert = make.alert(run_id="run-2")
    why = why_of_alert(store, alert, ("run-1", ""))
    assert why.lines == ("+400 ms a call: gelu +400 ms (100 %)",)
    assert [each.name for each in why.operators] == ["gelu", "mm"]
    missing = why_of_alert(store, replace(alert, run_id="run-9"), ("run-1", ""))
    assert missing == Unknown(reason="run run-9 has no measurement of the case")
