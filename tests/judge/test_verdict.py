from math import log, nan

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_xeonperf.judge.betting import pairs_to_decide
from pytest_xeonperf.judge.expectations import Promises, Threshold, threshold_here
from pytest_xeonperf.judge.verdict import Levels, Speed, judge, levels, settled
from pytest_xeonperf.records import Isa, Outcome, Unknown

RATES = Levels(pass_alpha=0.05, red_alpha=0.05)
ON_THE_FLOOR = (2.9, 3.1) * 4
ABOVE_MOSTLY = (3.1, 3.1, 2.9, 3.1, 3.1, 3.1, 2.9, 3.1)


@pytest.fixture
def judged(measured):
    """Judges a measurement by promises on a machine with AMX, speed included."""

    def judge_it(promises, *ratios, isa=Isa.AMX_BF16, speed=Speed.JUDGED, **changes):
        return judge(measured(*ratios, **changes), promises, isa=isa, rates=RATES, speed=speed)

    return judge_it


def test_above_its_floor_is_a_pass_without_a_reason(judged):
    verdict = judged(Promises(floors=(Threshold(ratio=2.5),)))
    assert (verdict.outcome, verdict.reason, verdict.floor_ratio) == (Outcome.PASS, "", 2.5)


def test_below_its_floor_is_red_and_says_how_far(judged):
    verdict = judged(Promises(floors=(Threshold(ratio=3.8),)))
    assert verdict.outcome is Outcome.BELOW_FLOOR
    assert verdict.reason == "min_speedup: 3.00x [3.00, 3.00], required 3.80x over eager_fp32"


def test_what_the_pairs_leave_open_is_undecided_and_says_after_how_many(judged):
    verdict = judged(Promises(floors=(Threshold(ratio=3.0),)), *ON_THE_FLOOR)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "after 8 pairs, undecided (it sits on the threshold" in verdict.reason


def test_what_is_undecided_says_which_ratio_would_have_been_seen(judged):
    verdict = judged(Promises(floors=(Threshold(ratio=3.0),)), *ABOVE_MOSTLY)
    assert "; a ratio below 2." in verdict.reason
    assert verdict.reason.partition("a ratio below")[2].endswith(
        "x would have been seen, required 3.00x over eager_fp32"
    )


def test_what_more_pairs_would_decide_says_how_many(judged):
    verdict = judged(Promises(floors=(Threshold(ratio=3.0),)), *ABOVE_MOSTLY)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    needed = pairs_to_decide([log(ratio) for ratio in ABOVE_MOSTLY], 3.0, pass_alpha=0.05, red_alpha=0.05)
    assert f"after 8 pairs, undecided (about {needed} would do, " in verdict.reason
    assert f": --xeonperf-pairs 6:{needed}, and a --xeonperf-budget from 1 on)" in verdict.reason


CEILING = Promises(ceilings=(Threshold(ratio=3.5),))


def test_below_its_ceiling_is_a_pass(judged):
    assert judged(CEILING).outcome is Outcome.PASS


def test_above_its_ceiling_is_red_and_names_the_baseline_that_may_have_become_slower(judged):
    verdict = judged(CEILING, *(4.0,) * 8)
    assert verdict.outcome is Outcome.TOO_FAST
    assert verdict.reason.startswith("max_speedup: 4.00x [4.00, 4.00], eager_fp32 at ")
    assert verdict.reason.endswith(", required at most 3.50x over eager_fp32")


def test_around_its_ceiling_is_undecided(judged):
    assert judged(CEILING, *(3.4, 3.6) * 4).outcome is Outcome.INCONCLUSIVE


def test_no_ceiling_for_this_machine_is_undecided(judged):
    promises = Promises(ceilings=(Threshold(ratio=9.0, isa=Isa.AMX_BF16),))
    assert judged(promises, isa=Isa.AVX2).outcome is Outcome.OTHER_MACHINE


def test_a_case_is_settled_when_floor_and_ceiling_both_are(measured):
    samples = measured(*(3.0,) * 8).samples
    both = Promises(floors=(Threshold(ratio=2.0),), ceilings=(Threshold(ratio=4.0),))
    assert settled(samples, both, Isa.AVX2, RATES, items_per_call=1)
    at_the_ceiling = measured(*(3.9, 4.1) * 4).samples
    assert not settled(at_the_ceiling, both, Isa.AVX2, RATES, items_per_call=1)
    assert settled(at_the_ceiling, Promises(floors=both.floors), Isa.AVX2, RATES, items_per_call=1)


def test_no_floor_for_this_machine_is_undecided_and_not_green(judged):
    verdict = judged(Promises(floors=(Threshold(ratio=2.0, isa=Isa.AMX_BF16),)), isa=Isa.AVX2)
    assert verdict.outcome is Outcome.OTHER_MACHINE
    assert "usable here is avx2" in verdict.reason
    assert isinstance(verdict.floor_ratio, Unknown)


def test_no_floor_asked_for_is_a_pass(judged):
    assert judged(Promises(), 0.5, 0.5, 0.5, 0.5, 0.5, 0.5).outcome is Outcome.PASS


def test_the_table_can_say_which_instruction_set_s_floor_applied(judged):
    floors = (Threshold(ratio=9.0, isa=Isa.AMX_BF16), Threshold(ratio=1.5, isa=Isa.AVX512_BF16))
    verdict = judged(Promises(floors=floors), isa=Isa.AVX512_BF16)
    assert verdict.outcome is Outcome.PASS
    assert [check.isa for check in verdict.expectations if check.name == "min_speedup"] == ["avx512_bf16"]


def test_a_wrong_answer_is_red_however_fast(judged):
    verdict = judged(Promises(floors=(Threshold(ratio=2.0),)), fidelity=(("cosine", 0.42),))
    assert verdict.outcome is Outcome.FIDELITY_FAILED
    assert "min_fidelity(cosine): 0.42, required at least 0.99" in verdict.reason


@pytest.mark.parametrize("value", [nan, 0.98])
def test_fidelity_that_is_no_number_or_too_low_fails(judged, value):
    assert judged(Promises(), fidelity=(("cosine", value),)).outcome is Outcome.FIDELITY_FAILED


def test_a_figure_that_was_promised_and_not_measured_fails(judged):
    verdict = judged(Promises(fidelity=(("iou", 0.9),)))
    assert verdict.outcome is Outcome.FIDELITY_FAILED
    assert "not measured" in verdict.reason


@pytest.mark.parametrize(("kl", "outcome"), [(0.01, Outcome.PASS), (0.2, Outcome.FIDELITY_FAILED)])
def test_a_divergence_has_a_ceiling_and_not_a_floor(judged, kl, outcome):
    assert judged(Promises(fidelity=(("kl", 0.1),)), fidelity=(("kl", kl),)).outcome is outcome


def test_a_kernel_that_did_not_run_is_red_and_the_reason_names_those_that_did(judged):
    verdict = judged(Promises(kernels=("aten::_weight_int4pack_mm",)))
    assert verdict.outcome is Outcome.WRONG_KERNEL
    assert "aten::addmm" in verdict.reason


def test_a_part_of_a_kernel_s_name_is_enough(judged):
    assert judged(Promises(kernels=("_linear_pointwise",))).outcome is Outcome.PASS


def test_a_star_in_a_kernel_s_name_stands_for_anything_and_ties_the_parts_together(judged):
    ran = ("aten::linear", "onednn::matmul:brg_matmul:avx512_core", "onednn::convolution:brg_conv:amx")
    evidence = {"kernels": ran}
    assert judged(Promises(kernels=("onednn::convolution:*amx",)), evidence=evidence).outcome is Outcome.PASS
    verdict = judged(Promises(kernels=("onednn::matmul:*amx",)), evidence=evidence)
    assert verdict.outcome is Outcome.WRONG_KERNEL
    assert "onednn::matmul:brg_matmul:avx512_core" in verdict.reason


def test_a_graph_break_too_many_is_red_and_says_where_it_broke(judged):
    broken = {"graph_breaks": 2, "first_break": "call to print"}
    verdict = judged(Promises(max_graph_breaks=1), evidence=broken)
    assert verdict.outcome is Outcome.WRONG_KERNEL
    assert "2 (call to print)" in verdict.reason
    assert judged(Promises(max_graph_breaks=2), evidence=broken).outcome is Outcome.PASS
    assert judged(Promises(), evidence=broken).outcome is Outcome.PASS


def test_a_recompile_inside_the_timed_rounds_is_red_unless_it_was_allowed(judged):
    again = {"recompiles": 1}
    assert judged(Promises(), evidence=again).outcome is Outcome.WRONG_KERNEL
    assert judged(Promises(max_recompiles=1), evidence=again).outcome is Outcome.PASS


def test_faster_than_the_machine_can_be_is_not_believed(judged):
    verdict = judged(Promises(), roofline=1.3)
    assert verdict.outcome is Outcome.TOO_FAST
    assert "130 % of the compute limit" in verdict.reason
    assert judged(Promises(), roofline=1.2).outcome is Outcome.PASS


def test_too_small_a_share_of_the_limit_is_below_the_floor(judged):
    assert judged(Promises(min_roofline=0.6)).outcome is Outcome.BELOW_FLOOR
    assert judged(Promises(min_roofline=0.4)).outcome is Outcome.PASS


def test_a_share_of_an_unknown_limit_is_undecided(judged):
    verdict = judged(Promises(min_roofline=0.4), roofline=Unknown(reason="not measured"))
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_a_latency_above_its_ceiling_is_below_the_floor(judged):
    verdict = judged(Promises(max_latency_ns=900_000))
    assert verdict.outcome is Outcome.BELOW_FLOOR
    assert verdict.reason == "max_latency: 1.00 ms, required at most 900 us"
    assert judged(Promises(max_latency_ns=1_100_000)).outcome is Outcome.PASS


def test_memory_above_its_ceiling_is_red_and_memory_nobody_weighed_is_undecided(judged):
    promises = Promises(max_memory_bytes=1 << 30)
    assert judged(promises, evidence={"peak_rss_bytes": 2 << 30}).outcome is Outcome.BELOW_FLOOR
    assert judged(promises, evidence={"peak_rss_bytes": 1 << 20}).outcome is Outcome.PASS
    verdict = judged(promises)
    assert (verdict.outcome, "not weighed" in verdict.reason) == (Outcome.INCONCLUSIVE, True)


def test_red_outranks_undecided(judged):
    floors = (Threshold(ratio=3.0),)
    verdict = judged(Promises(floors=floors, max_memory_bytes=1, max_latency_ns=1), *ON_THE_FLOOR)
    assert verdict.outcome is Outcome.BELOW_FLOOR
    assert "undecided" not in verdict.reason


def test_a_broken_promise_outranks_a_floor_for_another_machine(judged):
    floors = (Threshold(ratio=2.0, isa=Isa.AMX_BF16),)
    assert judged(Promises(floors=floors, kernels=("no_such",)), isa=Isa.AVX2).outcome is Outcome.WRONG_KERNEL


def test_a_wrong_answer_outranks_a_wrong_kernel_which_outranks_a_slow_one(judged):
    slow = (Threshold(ratio=9.0),)
    everything = judged(Promises(floors=slow, kernels=("no_such",)), fidelity=(("cosine", 0.0),))
    assert everything.outcome is Outcome.FIDELITY_FAILED
    assert all(name in everything.reason for name in ("cosine", "uses_kernel", "min_speedup"))
    assert judged(Promises(floors=slow, kernels=("no_such",))).outcome is Outcome.WRONG_KERNEL


def test_the_smoke_preset_never_judges_speed_but_fidelity_and_kernels(judged):
    slow = Promises(floors=(Threshold(ratio=99.0),), max_latency_ns=1, min_roofline=0.99)
    passed = judged(slow, speed=Speed.IGNORED)
    assert passed.outcome is Outcome.PASS
    assert passed.reason == "speed is not judged at this preset"
    assert judged(slow, speed=Speed.IGNORED, roofline=5.0).outcome is Outcome.PASS
    assert judged(slow, speed=Speed.IGNORED, fidelity=(("cosine", 0.1),)).outcome is Outcome.FIDELITY_FAILED
    assert judged(Promises(kernels=("x",)), speed=Speed.IGNORED).outcome is Outcome.WRONG_KERNEL


THRESHOLDS = st.builds(Threshold, ratio=st.floats(0.5, 5), isa=st.sampled_from(list(Isa)))
PROMISES = st.builds(
    Promises,
    floors=st.lists(THRESHOLDS, max_size=2).map(tuple),
    ceilings=st.lists(THRESHOLDS, max_size=2).map(tuple),
    max_latency_ns=st.sampled_from([1.0, 1e12]),
    max_memory_bytes=st.sampled_from([1.0, 1e15]),
    max_graph_breaks=st.integers(0, 1),
    kernels=st.sampled_from([(), ("addmm",), ("no_such",)]),
    min_roofline=st.sampled_from([0.0, 0.9]),
)


@given(promises=PROMISES, ratios=st.lists(st.floats(0.5, 5), min_size=1, max_size=8), isa=st.sampled_from(list(Isa)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_green_means_that_every_promise_was_held_and_anything_else_has_a_reason(judged, promises, ratios, isa):
    verdict = judged(promises, *ratios, isa=isa)
    all_held = all(check.held for check in verdict.expectations)
    given = [thresholds for thresholds in (promises.floors, promises.ceilings) if thresholds]
    has_none_here = any(isinstance(threshold_here(thresholds, isa), Unknown) for thresholds in given)
    assert (verdict.outcome is Outcome.PASS) == (all_held and not has_none_here)
    assert bool(verdict.reason) == (verdict.outcome is not Outcome.PASS)


def test_every_promise_that_was_looked_at_is_listed(judged):
    promises = Promises(floors=(Threshold(ratio=2.0),), kernels=("addmm",), max_graph_breaks=0, max_latency_ns=1e9)
    names = [check.name for check in judged(promises).expectations]
    assert names == [
        "min_fidelity(cosine)", "uses_kernel", "max_graph_breaks", "max_recompiles", "max_latency", "min_speedup",
    ]  # fmt: skip


def test_the_chance_of_an_undeserved_red_is_shared_by_all_cases_of_a_run():
    assert levels(0.05, 10) == Levels(pass_alpha=0.05, red_alpha=0.005)
    assert levels(0.05, 0) == RATES


def test_many_cases_ask_for_more_evidence_before_one_is_red(measured):
    floors = Promises(floors=(Threshold(ratio=3.8),))
    slow = measured(3.0, 3.0, 3.0, 3.0, 3.0)
    alone = judge(slow, floors, isa=Isa.AMX_BF16, rates=levels(0.05, 1), speed=Speed.JUDGED)
    among_many = judge(slow, floors, isa=Isa.AMX_BF16, rates=levels(0.05, 50), speed=Speed.JUDGED)
    assert (alone.outcome, among_many.outcome) == (Outcome.BELOW_FLOOR, Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("ratios", "is_settled"), [((3.0,) * 5, True), ((2.0,) * 5, True), ((3.0,) * 4, False), (ON_THE_FLOOR, False)]
)
def test_a_case_is_settled_when_its_floor_is_decided_either_way(pairs, ratios, is_settled):
    floors = (
        Promises(floors=(Threshold(ratio=2.5),))
        if ratios is not ON_THE_FLOOR
        else Promises(floors=(Threshold(ratio=3),))
    )
    assert settled(pairs(*ratios), floors, Isa.AMX_BF16, RATES, items_per_call=1) is is_settled


def test_a_case_without_a_floor_is_settled_at_once():
    assert settled((), Promises(), Isa.AMX_BF16, RATES, items_per_call=1)
    elsewhere = Promises(floors=(Threshold(ratio=2.0, isa=Isa.AMX_BF16),))
    assert settled((), elsewhere, Isa.AVX2, RATES, items_per_call=1)
