"""What about the processor deserves a word, BF16 and AMX as they were tried included; pure, as `findings`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.host.compiler import COMPILER_REMEDY
from pytest_xeonperf.host.cpu import INTEL, X86
from pytest_xeonperf.host.finding import NOTHING_TO_DO, Finding, Level
from pytest_xeonperf.host.probe import Finish
from pytest_xeonperf.records import Isa, Remedy, Unknown
from pytest_xeonperf.units import show_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.host.inspection import Inspection
    from pytest_xeonperf.host.probe import Trial
    from pytest_xeonperf.records import Limits


def processor_findings(*, architecture: str, vendor: str, model_name: str, isa: Isa) -> Iterator[Finding]:
    """Whether this is a processor that the models and floors were made for."""
    if architecture not in X86:
        yield Finding(
            level=Level.PROBLEM,
            what=f"{architecture} is not x86-64",
            detail="the accelerated kernels and the floors are for Xeon; BF16 is measured under the preset smoke only",
            remedy="measure on a Xeon of the 4th generation or later",
        )
    elif isa.rank < Isa.AVX512.rank:
        yield Finding(
            level=Level.PROBLEM,
            what="no AVX-512",
            detail=f"{model_name} offers {isa}; BF16 is emulated, and measured under the preset smoke only",
            remedy="measure on a machine with AVX-512",
        )
    elif vendor != INTEL:
        yield Finding(
            level=Level.NOTE,
            what="not an Intel processor",
            detail=f"{model_name} ({vendor}); floors for {isa} apply, the blog's figures are for Xeon",
            remedy=NOTHING_TO_DO,
        )


def amx_findings(host: Inspection) -> Iterator[Finding]:
    """What came of trying BF16 and AMX."""
    if host.probe.advertised is not Isa.AMX_BF16:
        yield from _bf16_findings(host)
        yield no_amx_finding(vendor=host.cpu.vendor, isa=host.machine.isa)
        return
    if host.torch:  # without it, no trial of oneDNN says anything about AMX
        yield _onednn_finding(host)
    yield _micro_kernel_finding(host.probe.inductor)


def no_amx_finding(*, vendor: str, isa: Isa) -> Finding:
    """The word for a processor, or a hypervisor, that shows no AMX."""
    from_intel = "on a Xeon of the 4th generation or later, have its BIOS, kernel (Linux 5.16) or hypervisor show AMX"
    return Finding(
        level=Level.NOTE,
        what="AMX is not advertised",
        detail=f"the most that can be used here is {isa}",
        remedy=f"{from_intel}; on any other, {NOTHING_TO_DO}" if vendor == INTEL else NOTHING_TO_DO,
    )


def slow_bf16_findings(limits: Limits | Unknown, isa: Isa) -> Iterator[Finding]:
    """Whether BF16 is multiplied more slowly than FP32, on a machine that has instructions for it or nearly."""
    if isa is Isa.AVX512 and not isinstance(limits, Unknown) and limits.bf16_is_slower:
        rates = [show_rate(rate, "FLOP/s") for rate in (limits.bf16_flop_per_s, limits.fp32_flop_per_s)]
        yield Finding(
            level=Level.NOTE,
            what="BF16 is multiplied more slowly than FP32",
            detail=f"{rates[0]} against {rates[1]}: BF16 halves what is read, and costs where arithmetic binds; floors "
            f"and recipes for {Isa.AVX512_BF16} are for processors that gain by it",
            remedy="where arithmetic binds use kernel='dynamic' with woq='int8', internals='int8', internals='fp32' or "
            "dtype='fp32'; with AMX, BF16 is several times as fast as FP32",
        )


def _bf16_findings(host: Inspection) -> Iterator[Finding]:
    tried = host.probe.plain
    if host.torch and host.cpu.is_x86 and host.probe.advertised is Isa.AVX512_BF16 and not tried.worked:
        yield Finding(
            level=Level.PROBLEM,
            what="BF16 does not work",
            detail=_story("oneDNN", tried),
            remedy="xeonperf doctor --fresh tries again; if it stays, update torch or the hypervisor, or measure on "
            "another machine",
        )


def _onednn_finding(host: Inspection) -> Finding:
    """What oneDNN makes of AMX that is advertised."""
    amx, tried = host.machine.amx, host.probe
    trials = {"as it is": tried.plain, "repaired": tried.repaired, "capped": tried.capped}
    story = "; ".join(_story(name, trial) for name, trial in trials.items())
    if amx.usable_by_onednn and amx.remedy is Remedy.NONE:
        return Finding(level=Level.GOOD, what="AMX works in oneDNN", detail=story, remedy=NOTHING_TO_DO)
    if amx.remedy is Remedy.REPAIR:
        return Finding(
            level=Level.NOTE,
            what="AMX works in oneDNN once its tile palette is repaired",
            detail=f"{story}. The hypervisor hides CPUID leaf 0x1D; xeonperf answers it in its own processes",
            remedy="other programs will die of SIGILL here: give them ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16",
        )
    if tried.plain.used_amx or tried.repaired.used_amx:
        return Finding(
            level=Level.NOTE,
            what="AMX would work in oneDNN and is kept from it, as asked",
            detail=f"{story}. BF16 runs on AVX-512",
            remedy="--xeonperf-amx=auto, here --amx auto, uses it; XEONPERF_AMX may say otherwise",
        )
    return Finding(
        level=Level.WARNING,
        what="AMX is advertised and oneDNN cannot use it",
        detail=f"{story}. BF16 runs on AVX-512 and may be slower than FP32",
        remedy="run on metal, or on a hypervisor that passes CPUID leaves 0x1D and 0x1E on",
    )


def _micro_kernel_finding(tried: Trial) -> Finding:
    """What Inductor's own micro-kernels make of AMX that is advertised."""
    story = _story("trial program", tried)
    if tried.worked:
        return Finding(
            level=Level.GOOD,
            what="AMX instructions of Inductor's micro-kernels work",
            detail=story,
            remedy=NOTHING_TO_DO,
        )
    remedies = {
        Finish.NOT_TRIED: COMPILER_REMEDY,
        Finish.FAILED: "it takes a compiler that knows AMX (g++ 11 or later, or CXX), and Linux 5.16 or later",
        Finish.INTERRUPTED: "xeonperf doctor --fresh tries again",
    }
    return Finding(
        level=Level.WARNING,
        what="Inductor's AMX micro-kernels cannot work",
        detail=story,
        remedy=remedies.get(tried.finish, "run on metal, or on a hypervisor that lets guests use AMX tiles"),
    )


def _story(name: str, trial: Trial) -> str:
    detail = f" ({trial.detail})" if trial.detail else ""
    amx = " on AMX" if trial.used_amx else ""
    return f"{name}: {trial.finish}{amx}{detail}"
