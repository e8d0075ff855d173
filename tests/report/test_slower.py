"""What open alerts do to a verdict."""

import pytest

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report.slower import KNOWN, SLOWER, open_ones, with_alerts
from pytest_xeonperf.report.verdict import Tone, banner

MACHINES = {"here": "a Xeon"}
GREEN = "All 2 cases of this run hold what is promised."


def verdict(make, *alerts, outcome=Outcome.PASS, machines=MACHINES):
    run = make.run(make.result(), make.result(outcome))
    return with_alerts(banner(run, places=("#one", "#two"), of_run=" of this run"), alerts, machines)


def test_without_open_alerts_a_verdict_stays_what_it_is(make):
    decided = [make.alert(state=state) for state in AlertState if not state.open]
    assert verdict(make, *decided).badge.word == "passed"
    assert verdict(make, *decided).sentence == GREEN


def test_a_green_run_with_an_alert_that_nobody_has_looked_at_is_red_and_says_what_is_slower_and_since_when(make):
    made = verdict(make, make.alert(latency_ratio=1.118))
    assert made.badge == SLOWER
    assert made.badge.tone is Tone.BAD
    assert made.sentence == (
        "sam-vit-b/encode compiled_bf16 takes 11.8 % more time since 2026-05-01 (commit bbbbbbbbbb). " + GREEN
    )
    assert made.pieces[0].href == "alert-3f9a1c0b77de.html"


@pytest.mark.parametrize("state", [AlertState.ACKNOWLEDGED, AlertState.INVESTIGATING])
def test_what_somebody_looks_at_is_undecided_and_names_who(make, state):
    made = verdict(make, make.alert(state=state, assignee="ann"))
    assert made.badge == KNOWN
    assert made.badge.tone is Tone.OPEN
    assert f"(commit bbbbbbbbbb), {state.value}, assigned to ann. All" in made.sentence


def test_an_undecided_run_is_red_with_a_new_alert(make):
    made = verdict(make, make.alert(), outcome=Outcome.INCONCLUSIVE)
    assert made.badge == SLOWER
    assert made.sentence.endswith(
        "(commit bbbbbbbbbb). sam-vit-b/encode compiled_bf16 could not be decided; 1 of 2 passed."
    )


def test_a_red_run_has_its_own_words_first_and_names_the_alert_after_them(make):
    made = verdict(make, make.alert(), outcome=Outcome.CRASHED)
    assert made.badge.word == "failed"
    assert made.sentence == (
        "sam-vit-b/encode compiled_bf16 failed; 1 of 2 passed. "
        "sam-vit-b/encode compiled_bf16 takes 10.0 % more time since 2026-05-01 (commit bbbbbbbbbb)."
    )
    assert [piece.href for piece in made.pieces if piece.href] == ["#two", "alert-3f9a1c0b77de.html"]


def test_the_worst_that_nobody_has_looked_at_is_named_and_the_others_are_counted(make):
    alerts = [
        make.alert(id="known", latency_ratio=2.0, state=AlertState.ACKNOWLEDGED),
        make.alert(id="small", latency_ratio=1.1),
        make.alert(id="large", latency_ratio=1.2),
        make.alert(id="over", latency_ratio=3.0, state=AlertState.FIXED),
    ]
    assert [alert.id for alert in open_ones(alerts)] == ["large", "small", "known"]
    made = verdict(make, *alerts)
    assert [piece.href for piece in made.pieces if piece.href] == ["alert-large.html", "alerts.html"]
    assert ", and 2 more open alerts. All" in made.sentence


def test_the_machine_is_named_where_there_are_several(make):
    alert = make.alert(comparability_class="there")
    assert " more time on another machine since " in verdict(make, alert, machines={**MACHINES, "x": "y"}).sentence
    assert " more time since " in verdict(make, alert).sentence


def test_a_commit_that_nobody_knows_is_left_out(make):
    assert "since 2026-05-01. All" in verdict(make, make.alert(sha_after=Unknown(reason="no git"))).sentence


def test_a_sentence_is_its_pieces(make):
    for alerts in ((), (make.alert(),), (make.alert(), make.alert(id="other"))):
        made = verdict(make, *alerts, outcome=Outcome.CRASHED)
        assert "".join(piece.text for piece in made.pieces) == made.sentence
