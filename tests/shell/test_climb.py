import pytest

from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.admission import Admission
from pytest_xeonperf.shell.climb import Climb, climbs, read_out
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.workloads.protocol import Footprint

GIB = 1 << 30
MODEL = Footprint(parameters=GIB, activation_bytes=GIB, flop=10**12)  # 4 GiB of FP32 weights
ROOMY = 100 * GIB


def _admission(baseline, *groups):
    return Admission(
        baseline=NAMED[baseline], groups=tuple(tuple(NAMED[name] for name in group) for group in groups), refused={}
    )


@pytest.fixture
def keys(make_rung):
    """A ladder over FP32 and one over BF16 of one model."""
    return make_rung(over="eager_fp32").ladder, make_rung(over="eager_bf16").ladder


def test_ladders_of_one_model_are_climbed_together_over_the_reference(keys):
    over_fp32, over_bf16 = keys
    admitted = {
        over_bf16: _admission("eager_bf16", ["woq_int4"]),
        over_fp32: _admission("eager_fp32", ["sdpa_bf16", "woq_int4"]),
    }
    (climb,) = climbs(admitted, MODEL, ROOMY)
    assert climb.baseline == NAMED["eager_fp32"]
    assert [rung.name for rung in climb.rungs] == ["woq_int4", "sdpa_bf16", "eager_bf16"]
    assert climb.ladders == (over_bf16, over_fp32)


def test_the_baseline_of_one_that_is_a_rung_of_another_is_there_once(keys):
    over_fp32, over_bf16 = keys
    admitted = {
        over_fp32: _admission("eager_fp32", ["eager_bf16"]),
        over_bf16: _admission("eager_bf16", ["woq_int4"]),
    }
    (climb,) = climbs(admitted, Unknown(reason="the user's own"), ROOMY)
    assert [rung.name for rung in climb.rungs] == ["eager_bf16", "woq_int4"]


def test_without_room_for_all_each_ladder_is_climbed_by_its_groups(keys):
    over_fp32, over_bf16 = keys
    admitted = {
        over_fp32: _admission("eager_fp32", ["sdpa_bf16"], ["compiled_bf16"]),
        over_bf16: _admission("eager_bf16", ["woq_int4"]),
    }
    found = climbs(admitted, MODEL, 12 * GIB)
    assert [(climb.baseline.name, [rung.name for rung in climb.rungs]) for climb in found] == [
        ("eager_fp32", ["sdpa_bf16"]),
        ("eager_fp32", ["compiled_bf16"]),
        ("eager_bf16", ["woq_int4"]),
    ]


def test_where_one_would_be_held_against_its_own_candidate_they_are_climbed_apart(keys):
    over_fp32, over_bf16 = keys
    admitted = {
        over_fp32: _admission("eager_fp32", ["eager_bf16"]),
        over_bf16: _admission("eager_bf16", ["eager_fp32"]),
    }
    assert len(climbs(admitted, MODEL, ROOMY)) == 2


def test_a_ladder_that_nobody_got_onto_is_not_climbed(keys):
    over_fp32, over_bf16 = keys
    admitted = {over_fp32: _admission("eager_fp32"), over_bf16: _admission("eager_bf16", ["woq_int4"])}
    assert climbs(admitted, MODEL, ROOMY) == (
        Climb(baseline=NAMED["eager_bf16"], rungs=(NAMED["woq_int4"],), ladders=(over_bf16,)),
    )


@pytest.fixture
def outcome(keys, make_result):
    """Reads a climb of both ladders out of what its rungs came to."""
    over_fp32, over_bf16 = keys
    admitted = {
        over_fp32: _admission("eager_fp32", ["sdpa_bf16"]),
        over_bf16: _admission("eager_bf16", ["woq_int4"]),
    }
    (climb,) = climbs(admitted, MODEL, ROOMY)
    measured = {name: make_result(name).measurement for name in ("sdpa_bf16", "woq_int4", "eager_bf16")}

    def read(**changes):
        return read_out({**measured, **changes}, climb, admitted, lambda _samples: measured["sdpa_bf16"].speedup)

    return read


def test_each_ladder_gets_its_own_rungs_over_its_own_baseline(outcome, keys):
    over_fp32, over_bf16 = keys
    found = outcome()
    assert {key: {name: each.case.over for name, each in rungs.items()} for key, rungs in found.items()} == {
        over_fp32: {"sdpa_bf16": "eager_fp32"},
        over_bf16: {"woq_int4": "eager_bf16"},
    }


def test_a_baseline_that_failed_costs_the_ladder_that_has_it(outcome, keys):
    over_fp32, over_bf16 = keys
    found = outcome(eager_bf16=Failure(kind=FailureKind.RAISED, reason="broke"))
    assert found[over_fp32]["sdpa_bf16"].case.over == "eager_fp32"
    assert found[over_bf16]["woq_int4"].kind is FailureKind.NO_BASELINE


def test_where_the_climb_had_no_baseline_the_other_ladder_is_left_to_be_climbed_alone(outcome, keys):
    over_fp32, _ = keys
    lost = Failure(kind=FailureKind.NO_BASELINE, reason="baseline eager_fp32: broke")
    assert set(outcome(sdpa_bf16=lost, woq_int4=lost, eager_bf16=lost)) == {over_fp32}
