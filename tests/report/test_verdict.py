import pytest

from pytest_xeonperf.records import Outcome, RunState
from pytest_xeonperf.report.verdict import Tone, badge, banner, counts, overall, worst


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_word_and_a_sign_beside_its_colour(outcome):
    shown = badge(outcome)
    assert shown.word.replace(" ", "_").upper() == outcome
    assert shown.sign


def test_words_of_one_tone_are_green_red_or_undecided_as_the_outcome_says():
    assert {badge(outcome).tone for outcome in Outcome if outcome.red} == {Tone.BAD}
    assert {badge(outcome).tone for outcome in Outcome if outcome.undecided} == {Tone.OPEN}
    assert badge(Outcome.PASS).tone is Tone.GOOD


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ([], "nothing measured"),
        ([Outcome.PASS, Outcome.PASS], "passed"),
        ([Outcome.PASS, Outcome.INCONCLUSIVE], "undecided"),
        ([Outcome.INCONCLUSIVE, Outcome.CRASHED, Outcome.PASS], "failed"),
    ],
)
def test_red_beats_undecided_and_undecided_beats_green(outcomes, word):
    assert overall(outcomes).word == word


def test_counts_leave_out_what_did_not_occur():
    found = counts([Outcome.CRASHED, Outcome.PASS, Outcome.CRASHED])
    assert [(count.badge.word, count.number) for count in found] == [("pass", 1), ("crashed", 2)]


def test_the_sentence_names_the_first_failure_and_counts_the_others(make):
    other = make.result(Outcome.CRASHED, case=make.case(variant="woq_int4"))
    run = make.run(make.result(), make.result(Outcome.BELOW_FLOOR), other, make.result(Outcome.INCONCLUSIVE))
    assert banner(run).sentence == ("sam-vit-b/encode compiled_bf16 and 1 more failed; 1 of 4 passed, 1 undecided.")


def test_the_sentence_of_a_green_run_says_that_everything_held(make):
    assert banner(make.run(make.result(), make.result())).sentence == "All 2 cases hold what is promised."


@pytest.mark.parametrize(
    ("state", "ending"), [(RunState.INTERRUPTED, "interrupted."), (RunState.RUNNING, "was killed.")]
)
def test_a_run_that_did_not_reach_its_end_says_so(make, state, ending):
    assert banner(make.run(make.result(), state=state)).sentence.endswith(ending)


def test_a_run_without_results_is_not_green(make):
    assert banner(make.run()).badge.tone is Tone.OPEN


def test_the_first_failure_leads_to_where_it_is_shown(make):
    run = make.run(make.result(), make.result(Outcome.BELOW_FLOOR))
    linked = banner(run, places=("#one", "#two")).pieces
    assert [(piece.text, piece.href) for piece in linked if piece.href] == [("sam-vit-b/encode compiled_bf16", "#two")]
    assert not any(piece.href for piece in banner(run).pieces)


def test_bad_is_worse_than_open_and_open_is_worse_than_good():
    assert worst(Tone.GOOD, Tone.OPEN) is Tone.OPEN
    assert worst(Tone.OPEN, Tone.BAD, Tone.GOOD) is Tone.BAD
