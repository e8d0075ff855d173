from dataclasses import astuple, replace

import pytest

from pytest_xeonperf.measure.roofline import against, best_of, limits_of, roofline
from pytest_xeonperf.records import Amx, Bound, Limits, Remedy, Unknown
from pytest_xeonperf.variants.named import NAMED, from_keywords
from pytest_xeonperf.variants.spec import Internals

LIMITS = Limits(read_bytes_per_s=1e10, fp32_flop_per_s=1e11, bf16_flop_per_s=1e12, int8_op_per_s=2e12)
GIB = 1 << 30


def _roofline(**changes):
    given = {
        "duration_ns": 1_000_000_000, "flop": 0, "streamed_bytes": 0, "resident_bytes": GIB, "cache_bytes": 1 << 28,
        "variant": NAMED["eager_bf16"], "limits": LIMITS,
    }  # fmt: skip
    return roofline(**{**given, **changes})


def test_a_step_that_multiplies_is_bound_by_compute():
    found = _roofline(flop=500_000_000_000)
    assert (found.fraction, found.bound) == (pytest.approx(0.5), Bound.COMPUTE)


def test_a_step_that_streams_is_bound_by_bandwidth():
    found = _roofline(flop=1, streamed_bytes=2_500_000_000)
    assert (found.fraction, found.bound) == (pytest.approx(0.25), Bound.BANDWIDTH)


def test_the_tighter_limit_binds():
    found = _roofline(flop=500_000_000_000, streamed_bytes=8_000_000_000)
    assert (found.fraction, found.bound) == (pytest.approx(0.8), Bound.BANDWIDTH)


def test_the_peak_is_that_of_the_dtype():
    assert _roofline(flop=50_000_000_000, variant=NAMED["eager_fp32"]).fraction == pytest.approx(0.5)
    assert _roofline(flop=50_000_000_000, variant=NAMED["woq_int8"]).fraction == pytest.approx(0.05)
    in_bytes = from_keywords({"woq": "int8", "kernel": "dynamic"})
    assert _roofline(flop=50_000_000_000, variant=in_bytes).fraction == pytest.approx(0.025)
    attending_in_bytes = from_keywords({"attention": "fused", "internals": "int8"})
    assert _roofline(flop=50_000_000_000, variant=attending_in_bytes).fraction == pytest.approx(0.025)
    by_a_peer = from_keywords({"runtime": "llama_cpp", "woq": "int4"})
    assert _roofline(flop=50_000_000_000, variant=by_a_peer).fraction == pytest.approx(0.025)
    # its linear layers stay in BF16
    attending_in_fp32 = from_keywords({"attention": "fused", "internals": "fp32"})
    assert _roofline(flop=50_000_000_000, variant=attending_in_fp32).fraction == pytest.approx(0.05)
    rounding = replace(NAMED["eager_fp32"], internals=Internals.BF16)
    assert _roofline(flop=50_000_000_000, variant=rounding).fraction == pytest.approx(0.05)


def test_where_bf16_is_slow_what_widens_it_is_not_too_fast():
    slow = replace(LIMITS, bf16_flop_per_s=5e10)
    assert _roofline(flop=50_000_000_000, limits=slow, variant=NAMED["compiled_bf16"]).fraction == pytest.approx(0.5)


def test_weights_that_fit_into_the_cache_are_not_bound_by_the_memory():
    found = _roofline(flop=100_000_000_000, streamed_bytes=9_000_000_000, resident_bytes=1 << 20)
    assert (found.fraction, found.bound) == (pytest.approx(0.1), Bound.COMPUTE)


def test_how_much_the_cache_holds_is_the_machine_s_affair():
    streaming = {"flop": 1, "streamed_bytes": 2_500_000_000, "resident_bytes": 400 << 20}
    assert _roofline(**streaming, cache_bytes=32 << 20).bound is Bound.BANDWIDTH
    assert _roofline(**streaming, cache_bytes=480 << 20).bound is Bound.COMPUTE


def test_products_that_use_amx_beside_a_capped_onednn_are_not_held_against_its_limits():
    capped = Amx(advertised=True, usable_by_onednn=False, usable_by_inductor=True, remedy=Remedy.CAP, detail="")
    autotuned = from_keywords({"compile": True, "freeze": True, "autotune": True})
    assert isinstance(limits_of(autotuned, LIMITS, capped), Unknown)
    assert limits_of(NAMED["compiled_bf16"], LIMITS, capped) == LIMITS
    assert limits_of(autotuned, LIMITS, replace(capped, usable_by_onednn=True)) == LIMITS


def test_without_limits_the_reason_is_handed_on():
    assert _roofline(limits=Unknown(reason="smoke")) == Unknown(reason="smoke")


@pytest.mark.parametrize("duration_ns", [0, -5])
def test_without_a_duration_there_is_no_share(duration_ns):
    assert isinstance(_roofline(duration_ns=duration_ns), Unknown)


def test_the_best_of_two_measurements_takes_each_limit_from_the_higher():
    calm_memory = replace(LIMITS, read_bytes_per_s=2e10, bf16_flop_per_s=1e11)
    assert astuple(best_of(LIMITS, calm_memory)) == (2e10, 1e11, 1e12, 2e12)
    assert best_of(LIMITS, calm_memory) == best_of(calm_memory, LIMITS)


@pytest.mark.parametrize("variant", ["eager_fp32", "woq_int4"])
@pytest.mark.parametrize("work", [{"flop": 10**12}, {"streamed_bytes": 10**11}], ids=["compute", "bandwidth"])
def test_a_share_against_higher_limits_is_what_it_would_have_been_with_them(variant, work):
    higher = Limits(read_bytes_per_s=3e10, fp32_flop_per_s=2e11, bf16_flop_per_s=4e12, int8_op_per_s=2e12)
    found = _roofline(variant=NAMED[variant], **work)
    wanted = _roofline(variant=NAMED[variant], limits=higher, **work)
    now = against(found, NAMED[variant], before=LIMITS, now=higher)
    assert (now.fraction, now.bound) == (pytest.approx(wanted.fraction), wanted.bound)
