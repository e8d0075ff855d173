from dataclasses import replace

import pytest

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.measure.failure import FailureKind
from pytest_xeonperf.measure.plan import total_bytes
from pytest_xeonperf.records import Amx, Isa, Limits, Remedy, Unknown
from pytest_xeonperf.shell import admission
from pytest_xeonperf.shell.admission import Room, admit, without_repeats
from pytest_xeonperf.shell.protocol import Barred
from pytest_xeonperf.variants import peers
from pytest_xeonperf.variants.named import NAMED, from_keywords
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Footprint, Inputs, Phase

GIB = 1 << 30
MODEL = Footprint(parameters=GIB, activation_bytes=GIB, flop=10**12)  # 4 GiB of FP32 weights
WIDE = Footprint(parameters=2 * GIB, activation_bytes=12 * GIB, flop=10**12)  # leaner in BF16 than its weights alone
RUNGS = (NAMED["eager_bf16"], NAMED["sdpa_bf16"], NAMED["compiled_bf16"])
LIMITS = Limits(read_bytes_per_s=1e10, fp32_flop_per_s=1e11, bf16_flop_per_s=1e12, int8_op_per_s=1e12)
AMX = Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail="works as it is")
ROOM = Room(amx=AMX, isa=Isa.AMX_BF16, limits=LIMITS, available_bytes=100 * GIB, rounds=6, budget_s=600.0)
AUTOTUNED = from_keywords({"compile": True, "freeze": True, "autotune": True})


@pytest.fixture
def admitted(make_rung, monkeypatch):
    """Sorts the rungs of a ladder over eager FP32; there is a compiler unless told otherwise."""

    def run(
        rungs=RUNGS, *, footprint=MODEL, over="eager_fp32", barred=(), available_gib=100, compiler=True,
        preset=Preset.QUICK, **room,
    ):  # fmt: skip
        def need_compiler():
            if not compiler:
                raise NotApplicableError("no C++ compiler", remedy="install g++")

        monkeypatch.setattr(admission, "need_compiler", need_compiler)
        key = make_rung(over=over, preset=preset).ladder
        phase = Phase(name="forward", build=lambda: None, inputs=Inputs, footprint=footprint)
        killers = [Barred(model=key.model, variant=name, reason=f"{name} killed") for name in barred]
        return admit(key, phase, rungs, killers, replace(ROOM, available_bytes=int(available_gib * GIB), **room))

    return run


def test_where_nothing_is_in_the_way_all_run_together(admitted):
    found = admitted()
    assert (found.baseline, found.groups, dict(found.refused)) == (NAMED["eager_fp32"], (RUNGS,), {})


def test_a_variant_that_killed_a_child_stays_out_and_the_others_run(admitted):
    found = admitted(barred=["sdpa_bf16"])
    assert found.groups == ((NAMED["eager_bf16"], NAMED["compiled_bf16"]),)
    assert (found.refused["sdpa_bf16"].kind, found.refused["sdpa_bf16"].reason) == (
        FailureKind.DIED,
        "sdpa_bf16 killed",
    )


@pytest.mark.parametrize("amx", [AMX, replace(AMX, usable_by_onednn=False, remedy=Remedy.CAP)], ids=["plain", "cap"])
def test_products_of_inductors_own_run_where_its_micro_kernels_do(admitted, amx):
    assert admitted((AUTOTUNED,), amx=amx).groups == ((AUTOTUNED,),)


def test_they_stay_out_where_amx_crashes_them_or_is_not_to_be_used(admitted):
    off = replace(AMX, usable_by_inductor=False, detail="AMX is not to be used, as asked")
    refused = admitted((AUTOTUNED, NAMED["sdpa_bf16"]), amx=off).refused
    assert list(refused) == [AUTOTUNED.name]
    assert refused[AUTOTUNED.name].kind is FailureKind.NOT_APPLICABLE
    assert "AMX is not to be used, as asked" in refused[AUTOTUNED.name].reason


def test_a_variant_barred_from_another_ladder_may_run(admitted, make_rung):
    key = make_rung(over="eager_bf16").ladder
    phase = Phase(name="forward", build=lambda: None, inputs=Inputs)
    elsewhere = [Barred(model="another ladder", variant="sdpa_bf16", reason="killed")]
    assert admit(key, phase, [NAMED["sdpa_bf16"]], elsewhere, ROOM).groups == ((NAMED["sdpa_bf16"],),)


@pytest.mark.parametrize("over", ["eager_fp32", "eager_bf16"])
def test_a_baseline_or_reference_that_killed_a_child_leaves_no_rung_to_run(admitted, over):
    found = admitted((NAMED["sdpa_bf16"],), over=over, barred=["eager_fp32"])
    assert found.groups == ()
    assert found.refused["sdpa_bf16"].kind is FailureKind.NO_BASELINE
    assert "eager_fp32 killed" in found.refused["sdpa_bf16"].reason


def test_without_a_compiler_compiled_variants_are_left_out_and_the_rest_runs(admitted):
    found = admitted(compiler=False)
    assert found.groups == ((NAMED["eager_bf16"], NAMED["sdpa_bf16"]),)
    assert found.refused["compiled_bf16"].kind is FailureKind.NEEDS_MORE
    assert "C++ compiler" in found.refused["compiled_bf16"].reason


def test_where_fp32_does_not_fit_eager_bf16_is_the_baseline_and_no_rung_over_itself(admitted):
    found = admitted(available_gib=6.4)  # FP32 takes 6.5 with the process
    assert found.baseline == NAMED["eager_bf16"]
    assert all(NAMED["eager_bf16"] not in group for group in found.groups)
    assert found.refused["eager_bf16"].kind is FailureKind.NEEDS_MORE
    assert "eager_fp32 does not fit" in found.refused["eager_bf16"].reason


def test_a_rung_that_has_a_ladder_over_the_stand_in_too_is_measured_for_that_one_alone(admitted, make_rung):
    keys = [make_rung(over=over, preset=Preset.QUICK).ladder for over in ("eager_fp32", "eager_bf16")]
    both, alone = NAMED["woq_int4"], NAMED["sdpa_bf16"]
    over_fp32 = admitted((both, alone), footprint=WIDE, available_gib=20)  # FP32 takes 21.5
    over_bf16 = admitted((both,), footprint=WIDE, available_gib=20, over="eager_bf16")
    assert over_fp32.able == (both, alone)
    phase = Phase(name="forward", build=lambda: None, inputs=Inputs, footprint=WIDE)
    found = without_repeats(dict(zip(keys, (over_fp32, over_bf16), strict=True)), phase, 20 * GIB)
    assert found[keys[1]] == over_bf16
    assert found[keys[0]].able == (alone,)
    assert found[keys[0]].refused["woq_int4"].kind is FailureKind.NEEDS_MORE
    assert "eager_fp32: needs 21.5 GiB, 20.0 GiB are available" in found[keys[0]].refused["woq_int4"].reason


def test_where_every_baseline_fits_both_ladders_keep_their_rungs(admitted, make_rung):
    ladders = {
        make_rung(over=over, preset=Preset.QUICK).ladder: admitted((NAMED["woq_int4"],), over=over)
        for over in ("eager_fp32", "eager_bf16")
    }
    phase = Phase(name="forward", build=lambda: None, inputs=Inputs, footprint=MODEL)
    assert without_repeats(ladders, phase, 100 * GIB) == ladders


def test_a_ladder_that_does_not_fit_at_all_is_left_out_with_both_figures(admitted):
    found = admitted(available_gib=2)
    assert found.groups == ()
    assert set(found.refused) == {rung.name for rung in RUNGS}
    assert all("2.00 GiB" in failure.reason for failure in found.refused.values())


def test_a_rung_that_does_not_fit_beside_the_baseline_is_refused_with_both_figures_and_not_tried(admitted):
    # room for the FP32 baseline and the leaner of the two rungs, not for the other
    lean, large = NAMED["woq_int4"], NAMED["eager_bf16"]
    together = total_bytes(MODEL, (NAMED["eager_fp32"], lean))
    found = admitted((large, lean), available_gib=together / GIB + 0.1)
    assert found.groups == ((lean,),)
    assert found.refused["eager_bf16"].kind is FailureKind.NEEDS_MORE
    assert "GiB" in found.refused["eager_bf16"].reason


def test_a_rung_whose_fewest_rounds_do_not_fit_into_the_budget_is_refused_with_both_figures(admitted):
    # 10 s for FP32 and 1 s for BF16 at the machine's limits, six times
    assert admitted(budget_s=67.0).groups == (RUNGS,)
    refused = admitted(budget_s=59.0).refused["compiled_bf16"]
    assert refused.kind is FailureKind.NEEDS_MORE
    assert "6 rounds beside eager_fp32 take 1 min" in refused.reason
    assert "--xeonperf-budget" in refused.reason


def test_a_reference_that_does_not_fit_refuses_the_rungs_before_anything_is_built(admitted):
    wide = Footprint(parameters=GIB, activation_bytes=40 * GIB, flop=1)
    found = admitted((NAMED["woq_int4"],), footprint=wide, over="eager_bf16", available_gib=36)
    assert found.groups == ()
    assert "the FP32 reference needs 45.5 GiB, 36.0 GiB are available" in found.refused["woq_int4"].reason


@pytest.mark.parametrize("keywords", [{"attention": "fused"}, {"woq": "int8", "kernel": "dynamic"}])
@pytest.mark.parametrize("preset", [Preset.SMOKE, Preset.QUICK])
def test_our_kernels_in_fp32_are_left_out_without_avx512(admitted, keywords, preset):
    ours = from_keywords({"dtype": "fp32", **keywords})
    found = admitted((ours,), isa=Isa.AVX2, preset=preset)
    assert found.refused[ours.name].kind is FailureKind.NEEDS_MORE
    assert found.refused[ours.name].reason == "our kernels need avx512; usable here is avx2"
    assert not admitted((ours,), isa=Isa.AVX512, preset=preset).refused


def test_without_avx512_bf16_is_left_out_where_speed_is_judged(admitted):
    assert admitted(isa=Isa.AVX2, preset=Preset.SMOKE).groups == (RUNGS,)
    found = admitted(isa=Isa.AVX2)
    assert found.groups == ()
    assert all("usable here is avx2" in failure.reason for failure in found.refused.values())


def test_fp32_with_bf16_inside_needs_amx_without_which_nothing_would_be_rounded(admitted):
    inside = from_keywords({"dtype": "fp32", "internals": "bf16"})
    assert admitted((inside,), isa=Isa.AMX_BF16).groups == ((inside,),)
    refused = admitted((inside,), isa=Isa.AVX512_BF16).refused[inside.name]
    assert refused.kind is FailureKind.NEEDS_MORE
    assert "only with amx_bf16; usable here is avx512_bf16" in refused.reason


def test_a_variant_that_killed_a_child_stays_dead_where_it_would_not_fit_either(admitted):
    lean, large = NAMED["woq_int4"], NAMED["eager_bf16"]
    together = total_bytes(MODEL, (NAMED["eager_fp32"], lean))
    found = admitted((large, lean), available_gib=together / GIB + 0.1, barred=["eager_bf16"])
    assert found.refused["eager_bf16"].kind is FailureKind.DIED
    assert admitted(available_gib=2, barred=["sdpa_bf16"]).refused["sdpa_bf16"].kind is FailureKind.DIED


@pytest.mark.parametrize("cause", [{"compiler": False}, {"isa": Isa.AVX2}])
def test_a_baseline_that_this_machine_cannot_run_is_the_machines_fault(admitted, cause):
    found = admitted((NAMED["compiled_bf16"],), over="compiled_bf16" if "compiler" in cause else "eager_bf16", **cause)
    assert found.refused["compiled_bf16"].kind is FailureKind.NEEDS_MORE


def test_a_model_without_a_footprint_is_let_in(admitted):
    assert admitted(footprint=Unknown(reason="own"), available_gib=0).groups == (RUNGS,)


def test_a_peer_that_is_not_installed_is_no_reason_for_another_group(admitted, monkeypatch):
    peer = from_keywords({"runtime": "openvino"})
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    found = admitted((*RUNGS, peer))
    assert found.groups == (RUNGS,)
    assert found.refused[peer.name].kind is FailureKind.NOT_APPLICABLE
    assert "pytest-xeonperf[peers]" in found.refused[peer.name].reason
