"""How long rounds go on and which of them count, on a clock that a test sets."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.measure import pace
from pytest_xeonperf.measure.pace import Effort, Pace

BUDGET_NS = 100


@dataclass
class Clock:
    now_ns: int = 0


@pytest.fixture
def play(monkeypatch):
    """Runs rounds: how long each takes, and what the canary says before the first and after each; then all is well.

    Gives whether each was kept, and the pace at its end.
    """
    return lambda rounds_ns, words, **effort: _play(monkeypatch, rounds_ns, words, effort)


def _play(monkeypatch, rounds_ns, words, effort):
    clock, left_ns, song = Clock(), iter(rounds_ns), iter(words)
    monkeypatch.setattr(pace, "now_ns", lambda: clock.now_ns)
    made = Pace(effort=Effort(**{"budget_ns": BUDGET_NS, **effort}), sing=lambda: next(song, True))
    kept = []
    while made.goes_on():
        clock.now_ns += next(left_ns, 1)
        kept.append(made.keeps())
    return kept, made


def test_undisturbed_rounds_all_count_up_to_the_most(play):
    assert play([], [], min_rounds=2, max_rounds=4)[0] == [True] * 4


def test_nobody_may_leave_before_the_fewest_rounds(monkeypatch):
    made = Pace(effort=Effort(min_rounds=2), sing=lambda: True)
    seen = []
    for _round in range(3):
        made.keeps()
        seen.append(made.may_settle)
    assert seen == [False, True, True]


def test_a_bad_word_voids_the_rounds_before_and_after_it(play):
    assert play([], [True, True, False], min_rounds=2, max_rounds=2)[0] == [True, False, False, True]


def test_a_spent_budget_ends_the_rounds_once_there_are_enough(play):
    assert play([BUDGET_NS, 1, 1], [], min_rounds=3, max_rounds=9)[0] == [True] * 3


def test_a_disturbed_round_that_spends_the_budget_is_kept(play):
    kept, made = play([1, 1, BUDGET_NS], [True, True, True, False], min_rounds=2, max_rounds=9)
    assert kept == [True, True, True]
    assert (made.voided, made.disturbed) == (0, [2])


def test_after_the_budget_no_round_is_voided(play):
    assert play([BUDGET_NS], [False] * 9, min_rounds=3, max_rounds=9)[0] == [True] * 3


def test_no_more_rounds_are_voided_than_could_be_needed_in_all(play):
    kept, made = play([], [False] * 99, min_rounds=2, max_rounds=3)
    assert kept == [False] * 3 + [True] * 3
    assert (made.index, made.disturbed) == (6, [3, 4, 5])


@given(
    rounds_ns=st.lists(st.integers(1, BUDGET_NS), max_size=30),
    words=st.lists(st.booleans(), max_size=60),
    least=st.integers(1, 5),
    more=st.integers(0, 5),
)
def test_whatever_happens_it_ends_with_enough_rounds_and_voids_none_but_disturbed_ones(rounds_ns, words, least, more):
    with pytest.MonkeyPatch.context() as monkeypatch:
        kept, made = _play(monkeypatch, rounds_ns, words, {"min_rounds": least, "max_rounds": least + more})
    assert least <= sum(kept) == made.kept <= least + more
    assert kept.count(False) == made.voided <= least + more
    said = [*words, True, *[True] * len(kept)]
    disturbed = [not (said[index] and said[index + 1]) for index in range(len(kept))]
    assert all(bad for bad, was_kept in zip(disturbed, kept, strict=True) if not was_kept)
    assert len(made.disturbed) == sum(disturbed) - made.voided
