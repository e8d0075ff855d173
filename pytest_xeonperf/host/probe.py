"""What the processor can really do, tried in children that may die of it. Nothing advertised is believed.

Virtual machines advertise AMX and then kill the process at the first BF16 matmul. Hence separate facts: what is
advertised, whether oneDNN's kernels work as they are, with the repair and with the cap, and whether the instructions of
Inductor's own micro-kernels work. A child that dies of a signal is a finding.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host import child
from pytest_xeonperf.host.cachedir import cache_dir, write_atomically
from pytest_xeonperf.host.compiler import find_compiler
from pytest_xeonperf.host.cpu import Cpu, read_cpu
from pytest_xeonperf.host.onednn import parse_isa, parse_kernels, parse_speed
from pytest_xeonperf.records import Isa, Unknown

ISA_CAP = "AVX512_CORE_FP16"
"""The strongest value of ONEDNN_MAX_CPU_ISA without AMX that every oneDNN with AMX knows."""

_TIMEOUT_S = 180
_FROM_OUTSIDE = {"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"}
_SCHEMA = "xeonperf.probe/2"


class Finish(StrEnum):
    """How a trial ended. `INTERRUPTED` from outside (out of memory, no time) says nothing about the processor."""

    WORKED = "worked"
    DIED = "died"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing that was tried.

    Attributes:
        detail: The signal it died of, its complaint, why it was not tried, or the instruction set oneDNN named.
        kernels: ``primitive:implementation`` pairs that oneDNN ran.
        bf16_over_fp32: How much faster than FP32 it multiplied BF16; 0 where that was not timed.
    """

    finish: Finish
    detail: str
    kernels: tuple[str, ...] = ()
    bf16_over_fp32: float = 0.0

    @property
    def worked(self) -> bool:
        """Whether it came to the right result."""
        return self.finish is Finish.WORKED

    @property
    def used_amx(self) -> bool:
        """Whether it worked, and on AMX kernels: oneDNN falls back in silence where the kernel refuses tile state."""
        return self.worked and any("amx" in kernel for kernel in self.kernels)

    @property
    def gains_by_bf16(self) -> bool:
        """Whether it worked, and BF16 is multiplied no more slowly than FP32."""
        return self.worked and self.bf16_over_fp32 >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What was advertised and what came of trying it.

    Attributes:
        advertised: The strongest instruction set that the flags promise.
        plain: oneDNN in BF16 and INT8 as it is.
        repaired: The same after the palette repair.
        capped: The same with oneDNN kept from using AMX.
        inductor: The instructions of Inductor's own AMX micro-kernels.
    """

    advertised: Isa
    plain: Trial
    repaired: Trial
    capped: Trial
    inductor: Trial

    @property
    def interrupted(self) -> bool:
        """Whether a trial was stopped from outside: worth trying again."""
        trials = (self.plain, self.repaired, self.capped, self.inductor)
        return any(trial.finish is Finish.INTERRUPTED for trial in trials)


def probe(*, fresh: bool = False, cpu: Cpu | None = None) -> Probe:
    """What this machine can do. The first call after a boot takes seconds, later ones read what it found.

    Args:
        fresh: Try again even if this boot, torch and processor have been tried.
        cpu: Facts to go by instead of this machine's.
    """
    facts = cpu or read_cpu()
    remembered = cache_dir("probe") / f"{_identity(facts)}.json"
    if not fresh:
        found = _recall(remembered)
        if isinstance(found, Probe):
            return found
    made = try_everything(facts)
    if not made.interrupted:
        import cattrs

        document = {"schema": _SCHEMA, "probe": cattrs.unstructure(made)}
        write_atomically(remembered, json.dumps(document, allow_nan=False).encode())
    return made


def try_everything(cpu: Cpu) -> Probe:
    """Try what the processor advertises, as cheaply as its promises allow: no AMX, no trial of it."""
    if not cpu.is_x86 or cpu.isa.rank < Isa.AVX512_BF16.rank:
        nothing = _not_tried("no BF16 instructions are advertised")
        return Probe(advertised=cpu.isa, plain=nothing, repaired=nothing, capped=nothing, inductor=nothing)
    plain = _try_onednn({})
    if cpu.isa is not Isa.AMX_BF16:
        nothing = _not_tried("AMX is not advertised")
        return Probe(advertised=cpu.isa, plain=plain, repaired=nothing, capped=nothing, inductor=nothing)
    return Probe(
        advertised=cpu.isa,
        plain=plain,
        repaired=_not_tried("nothing to repair") if plain.used_amx else _try_onednn({}, "repair"),
        capped=_try_onednn({"ONEDNN_MAX_CPU_ISA": ISA_CAP}),
        inductor=try_micro_kernels(),
    )


def try_micro_kernels() -> Trial:
    """Compile and run a few AMX instructions as Inductor's micro-kernels use them: faster than compiling one of those.

    A compiler that does not know AMX fails the trial, as it would fail Inductor.
    """
    compiler = find_compiler()
    if isinstance(compiler, Unknown):
        return _not_tried(f"no compiler: {compiler.reason}")
    with tempfile.TemporaryDirectory(prefix="xeonperf-") as folder:
        program = Path(folder, "amx_trial")
        flags = ("-x", "c", "-std=gnu11", "-O1", "-mamx-tile", "-mamx-bf16", "-mamx-int8")
        try:
            compiler.build(Path(__file__).with_name("amx_trial.c"), program, *flags)
        except InfrastructureError as error:
            return Trial(finish=Finish.FAILED, detail=error.what)
        ending = child.run([str(program)], {}, _TIMEOUT_S)
    return judge_ending(ending)


def judge_ending(ending: child.Ending) -> Trial:
    """What a child's ending says."""
    if ending.timed_out or ending.signal_name in _FROM_OUTSIDE:
        return Trial(finish=Finish.INTERRUPTED, detail=ending.complaint)
    if ending.signal_name:
        return Trial(finish=Finish.DIED, detail=ending.signal_name, kernels=parse_kernels(ending.stdout))
    if ending.complaint:
        return Trial(finish=Finish.FAILED, detail=ending.complaint)
    return Trial(
        finish=Finish.WORKED,
        detail=parse_isa(ending.stdout),
        kernels=parse_kernels(ending.stdout),
        bf16_over_fp32=parse_speed(ending.stdout),
    )


def _try_onednn(environment: dict[str, str], *arguments: str) -> Trial:
    settings = {"ONEDNN_VERBOSE": "1", **environment}
    ending = child.run_module("pytest_xeonperf.host.trial", *arguments, environment=settings, timeout_s=_TIMEOUT_S)
    return judge_ending(ending)


def _not_tried(why: str) -> Trial:
    return Trial(finish=Finish.NOT_TRIED, detail=why)


def _identity(cpu: Cpu) -> str:
    """What the findings depend on: this boot, torch, the processor, the compiler, and how we try."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    compiler = find_compiler()
    facts = [
        boot.read_text(encoding="ascii").strip() if boot.is_file() else "",
        torch_version(),
        f"{cpu.architecture} {cpu.vendor} {cpu.model_name} {cpu.stepping} {cpu.microcode}",
        " ".join(sorted(cpu.flags)),
        compiler.reason if isinstance(compiler, Unknown) else compiler.version,
        *(os.environ.get(name, "") for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")),
        *(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("cpuid_shim.c", "amx_trial.c")),
    ]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


def torch_version() -> str:
    """The version of the installed torch without importing it; empty if there is none."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""


def _recall(path: Path) -> Probe | Unknown:
    """What an earlier call found; a file that is not what it should be is as good as none."""
    import cattrs

    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != _SCHEMA:
            return Unknown(reason="written by another version")
        return cattrs.structure(document["probe"], Probe)
    except (OSError, ValueError, KeyError, TypeError, cattrs.BaseValidationError) as error:
        return Unknown(reason=str(error))
