import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.measure.plan import (
    at_once,
    does_not_fit,
    expected_s,
    fits,
    groups,
    least_s,
    need,
    reference_bytes,
    reference_fits,
    total_bytes,
)
from pytest_xeonperf.records import Isa, Limits, Unknown
from pytest_xeonperf.variants.named import NAMED, from_keywords
from pytest_xeonperf.variants.spec import Convolutions, Dtype, Kernel, Woq
from pytest_xeonperf.workloads.protocol import Footprint

GIB = 1 << 30
MODEL = Footprint(parameters=GIB, activation_bytes=GIB, flop=10**12)  # 4 GiB of FP32 weights
RUNGS = tuple(NAMED[name] for name in ("eager_bf16", "sdpa_bf16", "compiled_bf16", "woq_int8", "woq_int4"))
BASELINE = NAMED["eager_fp32"]
NOBODY_KNOWS = Unknown(reason="the workload gives no footprint")


def _bytes(name):
    return need(MODEL, NAMED[name]).memory_bytes


def _seconds(footprint, name, isa=Isa.AMX_BF16):
    return expected_s(footprint, NAMED[name], isa)


def test_a_narrower_dtype_needs_less_memory():
    sizes = [_bytes(name) for name in ("eager_fp32", "compiled_bf16", "woq_int8", "woq_int4")]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4


def test_fused_attention_needs_less_than_the_whole_score_matrix():
    assert _bytes("sdpa_bf16") < _bytes("eager_bf16")


def test_what_nncf_quantises_needs_memory_and_a_minute_for_it():
    weights_alone = from_keywords({"runtime": "openvino", "dtype": "fp32", "woq": "int8"})
    everything = replace(weights_alone, kernel=Kernel.NNCF)
    extra_bytes = need(MODEL, everything).passing_bytes - need(MODEL, weights_alone).passing_bytes
    assert extra_bytes == 3 * 4 * MODEL.parameters + MODEL.activation_bytes
    assert expected_s(MODEL, everything, Isa.AVX512) == expected_s(MODEL, weights_alone, Isa.AVX512) + 60


def test_freezing_keeps_the_weights_twice():
    compiled = NAMED["compiled_bf16"]
    extra = need(MODEL, replace(compiled, freeze=True)).memory_bytes - need(MODEL, compiled).memory_bytes
    assert extra == 2 * MODEL.parameters


def test_what_is_no_linear_layer_stays_as_it_is_beside_bytes_and_is_kept_twice_by_freezing():
    in_bytes = from_keywords({"dtype": "fp32", "compile": True, "woq": "int8", "kernel": "dynamic"})
    fp32, frozen = replace(in_bytes, woq=Woq.NONE, kernel=Kernel.ATEN), replace(in_bytes, freeze=True)
    sizes = [need(MODEL, variant).resident_bytes / MODEL.parameters for variant in (in_bytes, frozen, fp32)]
    assert sizes == pytest.approx([0.5 * (4 + 1.05), 0.5 * (8 + 1.05), 4])


def test_convolutions_in_bytes_leave_nothing_beside_linear_layers_in_bytes_and_may_leave_all_without():
    alone = from_keywords({"dtype": "fp32", "channels_last": True, "convolutions": "dynamic"})
    both = replace(alone, woq=Woq.INT8, kernel=Kernel.DYNAMIC)
    in_int4 = replace(alone, dtype=Dtype.BF16, woq=Woq.INT4, kernel=Kernel.STREAM)
    sizes = [need(MODEL, variant).resident_bytes / MODEL.parameters for variant in (alone, both, in_int4)]
    assert sizes == pytest.approx([4, 1.05, 1.05])


def test_bytes_are_multiplied_faster_than_fp32():
    fp32 = from_keywords({"dtype": "fp32", "channels_last": True})
    for keywords in ({"woq": Woq.INT8, "kernel": Kernel.DYNAMIC}, {"convolutions": Convolutions.DYNAMIC}):
        assert expected_s(MODEL, replace(fp32, **keywords), Isa.AVX512) < expected_s(MODEL, fp32, Isa.AVX512)


def test_compiling_takes_time_and_more_work_takes_more():
    assert _seconds(MODEL, "compiled_bf16") > _seconds(MODEL, "sdpa_bf16")
    twice = Footprint(parameters=GIB, activation_bytes=GIB, flop=2 * 10**13)
    assert _seconds(twice, "eager_fp32") > _seconds(MODEL, "eager_fp32")


def test_a_call_that_reads_the_weights_more_often_takes_longer():
    once = replace(MODEL, flop=1)
    often = replace(once, weight_passes=8)
    assert _seconds(often, "eager_fp32") > _seconds(once, "eager_fp32")
    assert need(often, BASELINE).memory_bytes == need(once, BASELINE).memory_bytes


def test_bf16_takes_longer_the_less_the_processor_has_for_it_in_the_end_longer_than_fp32():
    heavy = replace(MODEL, flop=10**14)
    waits = [_seconds(heavy, "sdpa_bf16", isa) for isa in (Isa.AMX_BF16, Isa.AVX512_BF16, Isa.AVX512)]
    assert waits == sorted(set(waits))
    assert waits[-1] > _seconds(heavy, "eager_fp32", Isa.AVX512)
    assert waits[0] < _seconds(heavy, "eager_fp32", Isa.AMX_BF16)


def test_what_fits_together_is_measured_together():
    assert groups(MODEL, BASELINE, RUNGS, 100 * GIB) == (RUNGS,)


def test_what_does_not_fit_together_is_measured_in_groups_in_the_order_given():
    made = groups(MODEL, BASELINE, RUNGS, 10 * GIB)
    assert len(made) > 1
    assert tuple(rung for group in made for rung in group) == RUNGS


@given(st.integers(9, 40))
def test_every_group_fits_beside_the_baseline(available_gib):
    for group in groups(MODEL, BASELINE, RUNGS, available_gib * GIB):
        assert group
        assert fits(MODEL, (BASELINE, *group), available_gib * GIB)


def test_activations_of_two_variants_are_never_there_at_the_same_time():
    lean, wide = replace(MODEL, activation_bytes=0), replace(MODEL, activation_bytes=5 * GIB)
    assert total_bytes(wide, (BASELINE, *RUNGS)) - total_bytes(lean, (BASELINE, *RUNGS)) == 5 * GIB


def test_what_each_variant_keeps_between_calls_is_counted_for_each():
    keeping = replace(MODEL, state_bytes=2 * GIB)
    pair = (BASELINE, NAMED["eager_bf16"])
    assert total_bytes(keeping, pair) - total_bytes(MODEL, pair) == 3 * GIB  # half of it in BF16


def test_a_baseline_that_does_not_fit_is_refused_with_the_figure_needed_and_the_figure_present():
    with pytest.raises(NotApplicableError) as refused:
        groups(MODEL, BASELINE, RUNGS, 4 * GIB)
    assert "6.50 GiB" in refused.value.what  # 4 of weights, 1 of activations, 1.5 for the process
    assert "4.00 GiB" in refused.value.what
    assert "eager_fp32" in refused.value.where


def test_what_fits_is_what_is_not_refused():
    enough_bytes = _bytes("eager_fp32") + 3 * GIB // 2  # and 1.5 GiB for the process
    assert fits(MODEL, (BASELINE,), enough_bytes + 1)
    assert not fits(MODEL, (BASELINE,), enough_bytes)
    assert "6.50 GiB" in str(does_not_fit(MODEL, (BASELINE,), enough_bytes))


def test_rounds_take_at_least_what_the_limits_of_the_machine_allow():
    limits = Limits(read_bytes_per_s=1e10, fp32_flop_per_s=1e11, bf16_flop_per_s=1e12, int8_op_per_s=1e12)
    assert least_s(MODEL, (BASELINE, RUNGS[0]), limits, rounds=6) == pytest.approx(6 * (10 + 1))
    assert least_s(MODEL, (BASELINE,), Unknown(reason="smoke"), rounds=6) == 0


def test_the_reference_needs_its_activations_and_no_more_than_a_layer_of_its_weights():
    large = Footprint(parameters=7 * GIB, activation_bytes=GIB, flop=1)
    assert reference_bytes(large) == reference_bytes(MODEL) < need(large, BASELINE).memory_bytes / 4
    assert not reference_fits(large, reference_bytes(large))
    assert reference_fits(large, reference_bytes(large) + 1)


def test_a_model_without_a_footprint_is_measured_in_one_group():
    assert groups(NOBODY_KNOWS, BASELINE, RUNGS, 0) == (RUNGS,)


def test_no_rungs_are_no_work():
    assert all(not group for group in groups(MODEL, BASELINE, (), 100 * GIB))


def test_planning_imports_no_torch():
    program = "import sys, pytest_xeonperf.measure.plan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_as_many_processes_run_at_once_as_memory_has_room_for():
    assert at_once(MODEL, RUNGS, available_bytes=1000 * GIB, most=64) == len(RUNGS)
    assert at_once(MODEL, RUNGS, available_bytes=1000 * GIB, most=2) == 2
    assert at_once(MODEL, RUNGS, available_bytes=10 * GIB, most=64) in {2, 3}
    assert at_once(MODEL, RUNGS, available_bytes=4 * GIB, most=64) == 1
    assert at_once(NOBODY_KNOWS, RUNGS, available_bytes=1000 * GIB, most=64) == 1


@given(st.integers(1, 60), st.integers(1, 8))
def test_processes_that_run_at_once_fit_beside_each_other(available_gib, most):
    count = at_once(MODEL, RUNGS, available_gib * GIB, most)
    largest_first = sorted((_bytes(rung.name) for rung in RUNGS), reverse=True)
    assert count == 1 or sum(largest_first[:count]) < available_gib * GIB


def test_every_variant_has_weights_of_its_own_also_where_it_has_them_as_they_are_stored():
    """A copy has large pages, a mapped file small ones: a pair of the two would not be fair."""
    extra = total_bytes(MODEL, [NAMED["eager_bf16"], NAMED["sdpa_bf16"]]) - total_bytes(MODEL, [NAMED["eager_bf16"]])
    assert extra == 2 * MODEL.parameters
