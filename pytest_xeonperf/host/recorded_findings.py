"""What about a machine deserves a word, as far as a run has recorded it: pure rules over the fingerprint.

What changes from hour to hour, as load and free memory do, no run records: `findings` looks at that on the machine.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from pytest_xeonperf.host.compiler import COMPILER_REMEDY
from pytest_xeonperf.host.cpu import INTEL, X86
from pytest_xeonperf.host.finding import NOTHING_TO_DO, Finding, Level
from pytest_xeonperf.host.libraries import ALLOCATOR_REMEDY
from pytest_xeonperf.host.processor_findings import no_amx_finding, processor_findings, slow_bf16_findings
from pytest_xeonperf.host.setting_findings import core_findings, isa_findings, system_findings
from pytest_xeonperf.records import Remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.records import Machine

_ON_BARE_METAL = "none"


def recorded_findings(machine: Machine) -> tuple[Finding, ...]:
    """Everything that can be said of a machine of which a run is known, what matters most first."""
    facts = dict(machine.facts)
    vendor = facts.get("vendor", INTEL if machine.architecture in X86 else "")
    hypervisor = facts.get("hypervisor", _ON_BARE_METAL)
    found = [
        *processor_findings(
            architecture=machine.architecture,
            vendor=vendor,
            model_name=machine.cpu_model,
            isa=machine.isa,
        ),
        *isa_findings(machine),
        *_amx_findings(machine, vendor),
        *slow_bf16_findings(machine.limits, machine.isa),
        *_software_findings(facts),
        *core_findings(
            logical_cpus=_whole(facts, "logical_cpus", machine.physical_cores),
            cores=machine.physical_cores,
            smt=facts.get("smt") == "on",
            quota_cpus=_quota(facts),
            nodes=_whole(facts, "numa_nodes", 1),
            threads=machine.threads,
        ),
        *system_findings(
            hypervisor="" if hypervisor == _ON_BARE_METAL else hypervisor,
            governor=facts.get("governor", ""),
            huge_pages=facts.get("thp", ""),
        ),
    ]
    return tuple(sorted(found, key=lambda finding: -list(Level).index(finding.level)))


def _amx_findings(machine: Machine, vendor: str) -> Iterator[Finding]:
    """What came of trying AMX in that run."""
    amx = machine.amx
    if not amx.advertised:
        yield no_amx_finding(vendor=vendor, isa=machine.isa)
        return
    if amx.remedy is Remedy.REPAIR:
        yield Finding(
            level=Level.NOTE,
            what="AMX works in oneDNN once its tile palette is repaired",
            detail=amx.detail,
            remedy="other programs will die of SIGILL here: give them ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16",
        )
    elif amx.usable_by_onednn and amx.remedy is Remedy.NONE:
        yield Finding(level=Level.GOOD, what="AMX works in oneDNN", detail=amx.detail, remedy=NOTHING_TO_DO)
    else:
        yield Finding(
            level=Level.WARNING,
            what="AMX is advertised and oneDNN did not use it",
            detail=amx.detail,
            remedy="xeonperf doctor on that machine says why",
        )
    if not amx.usable_by_inductor:
        yield Finding(
            level=Level.WARNING,
            what="Inductor's AMX micro-kernels cannot work",
            detail="they were tried in that run",
            remedy="xeonperf doctor on that machine says why",
        )


def _software_findings(facts: dict[str, str]) -> Iterator[Finding]:
    if "compiler" not in facts:
        yield Finding(
            level=Level.PROBLEM,
            what="no working C++ compiler",
            detail="compiled variants are not measured, which leaves the run undecided",
            remedy=COMPILER_REMEDY,
        )
    if facts.get("allocator") == "libc":
        yield Finding(
            level=Level.NOTE,
            what="no allocator was preloaded",
            detail="the default one is used",
            remedy=ALLOCATOR_REMEDY,
        )


def _whole(facts: dict[str, str], name: str, otherwise: int) -> int:
    """A whole number that a run recorded; runs from elsewhere may hold anything."""
    try:
        return int(facts.get(name, otherwise))
    except ValueError:
        return otherwise


def _quota(facts: dict[str, str]) -> float:
    """CPUs that the cgroup allowed; a quota that limits nothing is not recorded."""
    try:
        return float(facts.get("cpu_quota", inf))
    except ValueError:
        return inf
