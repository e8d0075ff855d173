from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.measure.ladder import measure_ladder
from pytest_xeonperf.measure.rebase import paired, rebased
from pytest_xeonperf.records import Sample


def _pair(round_index, candidate_ns, candidate_position=1):
    return Sample(
        process=0,
        round_index=round_index,
        baseline_ns=1000,
        candidate_ns=candidate_ns,
        baseline_position=0,
        candidate_position=candidate_position,
    )


def test_a_pair_of_two_rungs_has_both_times_and_both_places_of_one_round():
    (pair,) = paired([_pair(3, 200, candidate_position=2)], [_pair(3, 500, candidate_position=1)])
    assert pair == Sample(
        process=0, round_index=3, baseline_ns=500, candidate_ns=200, baseline_position=1, candidate_position=2
    )


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_only_rounds_that_both_were_in_make_pairs(mine, theirs):
    pairs = paired([_pair(index, 10 + index) for index in sorted(mine)], [_pair(index, 99) for index in sorted(theirs)])
    assert [pair.round_index for pair in pairs] == sorted(mine & theirs)
    assert [pair.candidate_ns for pair in pairs] == [10 + index for index in sorted(mine & theirs)]


@pytest.fixture
def found(make_ladder, linear, bench):
    """Two rungs of one ladder, measured."""
    return measure_ladder(make_ladder(linear, "eager_bf16", "sdpa_bf16"), bench)


def test_a_rung_over_another_is_what_their_times_in_the_same_rounds_say(found, bench):
    mine, other = found["sdpa_bf16"], found["eager_bf16"]
    over = rebased(mine, other, "eager_bf16", bench.summarise)
    assert (over.case, over.evidence) == (replace(mine.case, over="eager_bf16"), mine.evidence)
    assert [pair.baseline_ns for pair in over.samples] == [pair.candidate_ns for pair in other.samples]
    assert [pair.candidate_ns for pair in over.samples] == [pair.candidate_ns for pair in mine.samples]
    assert (over.baseline_median_ns, over.candidate_median_ns) == (other.candidate_median_ns, mine.candidate_median_ns)
    assert over.speedup == bench.summarise(over.samples)


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        (FailureKind.RAISED, FailureKind.NO_BASELINE),
        (FailureKind.DIED, FailureKind.NO_BASELINE),
        (FailureKind.BAD_DATA, FailureKind.BAD_DATA),
    ],
)
def test_over_a_rung_that_failed_there_is_no_baseline(found, bench, kind, means):
    failure = rebased(found["sdpa_bf16"], Failure(kind=kind, reason="broke"), "eager_bf16", bench.summarise)
    assert failure == Failure(kind=means, reason="baseline eager_bf16: broke")


def test_a_rung_that_failed_itself_stays_what_it_is(found, bench):
    own = Failure(kind=FailureKind.RAISED, reason="broke")
    assert rebased(own, found["eager_bf16"], "eager_bf16", bench.summarise) is own
