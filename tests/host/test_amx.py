"""Every kind of machine, played through the decision."""

from dataclasses import replace

import pytest

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.amx import AmxMode, decide, usable_isa
from pytest_xeonperf.host.probe import Finish, Probe, Trial
from pytest_xeonperf.records import Isa, Remedy

ON_AMX = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx10_1_512_amx",))
ON_AVX512 = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx512_core_bf16",), bf16_over_fp32=2.0)
SIGILL = Trial(finish=Finish.DIED, detail="SIGILL")
REFUSED = Trial(finish=Finish.FAILED, detail="CPUID cannot be made to fault here")
UNTRIED = Trial(finish=Finish.NOT_TRIED, detail="not needed")

METAL = Probe(advertised=Isa.AMX_BF16, plain=ON_AMX, repaired=UNTRIED, capped=ON_AVX512, inductor=ON_AMX)
FIRECRACKER = Probe(advertised=Isa.AMX_BF16, plain=SIGILL, repaired=ON_AMX, capped=ON_AVX512, inductor=ON_AMX)
NO_FAULTING = Probe(advertised=Isa.AMX_BF16, plain=SIGILL, repaired=REFUSED, capped=ON_AVX512, inductor=ON_AMX)
NO_TILE_STATE = Probe(advertised=Isa.AMX_BF16, plain=ON_AVX512, repaired=REFUSED, capped=ON_AVX512, inductor=REFUSED)
NOTHING_WORKS = Probe(advertised=Isa.AMX_BF16, plain=SIGILL, repaired=SIGILL, capped=SIGILL, inductor=SIGILL)
COOPER_LAKE = Probe(advertised=Isa.AVX512_BF16, plain=ON_AVX512, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
SLOW_BF16 = replace(COOPER_LAKE, plain=replace(ON_AVX512, bf16_over_fp32=0.5))
LYING_BF16 = Probe(advertised=Isa.AVX512_BF16, plain=SIGILL, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
AVX2 = Probe(advertised=Isa.AVX2, plain=UNTRIED, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
ARM = Probe(advertised=Isa.GENERIC, plain=UNTRIED, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)


@pytest.mark.parametrize(
    ("probe", "remedy", "isa"),
    [
        (METAL, Remedy.NONE, Isa.AMX_BF16),
        (FIRECRACKER, Remedy.REPAIR, Isa.AMX_BF16),
        (NO_FAULTING, Remedy.CAP, Isa.AVX512_BF16),
        (NO_TILE_STATE, Remedy.NONE, Isa.AVX512_BF16),
        (NOTHING_WORKS, Remedy.CAP, Isa.AVX512),
        (COOPER_LAKE, Remedy.NONE, Isa.AVX512_BF16),
        (SLOW_BF16, Remedy.NONE, Isa.AVX512),
        (replace(NO_FAULTING, capped=SLOW_BF16.plain), Remedy.CAP, Isa.AVX512),
        (LYING_BF16, Remedy.NONE, Isa.AVX512),
        (AVX2, Remedy.NONE, Isa.AVX2),
        (ARM, Remedy.NONE, Isa.GENERIC),
    ],
)
def test_auto_takes_the_least_remedy_that_worked(probe, remedy, isa):
    amx = decide(AmxMode.AUTO, probe)
    assert amx.remedy is remedy
    assert usable_isa(probe, amx) is isa
    assert amx.usable_by_onednn is (isa is Isa.AMX_BF16)


def test_what_onednn_cannot_use_inductor_may_still_use():
    assert decide(AmxMode.AUTO, NO_FAULTING).usable_by_inductor


@pytest.mark.parametrize("mode", [AmxMode.CAP, AmxMode.OFF])
def test_cap_and_off_keep_onednn_from_amx_that_works(mode):
    amx = decide(mode, METAL)
    assert amx.remedy is Remedy.CAP
    assert not amx.usable_by_onednn
    assert usable_isa(METAL, amx) is Isa.AVX512_BF16


def test_only_off_keeps_inductor_from_amx():
    assert decide(AmxMode.CAP, METAL).usable_by_inductor
    assert not decide(AmxMode.OFF, METAL).usable_by_inductor


@pytest.mark.parametrize("probe", [COOPER_LAKE, AVX2, ARM])
@pytest.mark.parametrize("mode", [AmxMode.CAP, AmxMode.OFF])
def test_without_amx_cap_and_off_have_nothing_to_do(mode, probe):
    assert decide(mode, probe).remedy is Remedy.NONE


def test_a_repair_that_nothing_needs_is_no_error():
    assert decide(AmxMode.REPAIR, METAL).remedy is Remedy.NONE


@pytest.mark.parametrize("probe", [NO_FAULTING, NOTHING_WORKS, COOPER_LAKE, AVX2, ARM])
def test_a_repair_asked_for_by_name_that_cannot_work_is_an_error_with_a_reason(probe):
    with pytest.raises(NotApplicableError) as caught:
        decide(AmxMode.REPAIR, probe)
    assert "--xeonperf-amx=repair cannot work" in caught.value.what
    assert "auto" in caught.value.remedy
