"""Everything about this host in one record; what needs torch comes from a prepared child."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass

import cattrs

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host import child
from pytest_xeonperf.host.amx import AmxMode, decide, usable_isa
from pytest_xeonperf.host.compiler import Compiler, find_compiler, knows_this_cpu
from pytest_xeonperf.host.cpu import Cpu, read_cpu
from pytest_xeonperf.host.environment import prepare
from pytest_xeonperf.host.fingerprint import machine_without_torch
from pytest_xeonperf.host.libraries import Library, find_libraries
from pytest_xeonperf.host.probe import Probe, probe, torch_version
from pytest_xeonperf.host.system import System, read_system
from pytest_xeonperf.host.topology import Topology, read_topology
from pytest_xeonperf.records import Machine, Unknown

_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The host as it was found.

    Attributes:
        knows_cpu: Whether the compiler knows this CPU, or can be asked.
        torchvision: Why torchvision, which is installed, cannot be imported; empty if it can or is not there.
        torch: Version of the installed torch; empty if there is none.
    """

    cpu: Cpu
    topology: Topology
    system: System
    compiler: Compiler | Unknown
    knows_cpu: bool
    libraries: tuple[Library, ...]
    probe: Probe
    torch: str
    torchvision: str
    machine: Machine


def inspect(*, fresh: bool = False, limits: bool = True, mode: AmxMode = AmxMode.AUTO, threads: int = 0) -> Inspection:
    """Look at this host.

    Args:
        fresh: Try everything again, also what was tried since the last boot.
        limits: Measure bandwidth and GEMM peaks, some seconds.
        mode: What to do about AMX.
        threads: Of a measurement; 0 for the physical cores.

    Raises:
        NotApplicableError: The mode cannot work here.
    """
    cpu, compiler = read_cpu(), find_compiler()
    tried = probe(fresh=fresh, cpu=cpu)
    return Inspection(
        cpu=cpu,
        topology=read_topology(),
        system=read_system(cpu.flags),
        compiler=compiler,
        knows_cpu=not isinstance(compiler, Compiler) or knows_this_cpu(compiler),
        libraries=find_libraries(),
        probe=tried,
        torch=torch_version(),
        torchvision=broken_torchvision(),
        machine=_machine(tried, mode, threads=threads, limits=limits),
    )


def broken_torchvision() -> str:
    """Why an installed torchvision cannot be imported; empty if it can, or if there is none.

    The published x86 wheel needs CUDA libraries and cannot load on a CPU-only torch. transformers only asks whether it
    is installed, and then fails with it.
    """
    if importlib.util.find_spec("torchvision") is None:
        return ""
    return child.run([sys.executable, "-P", "-W", "ignore", "-c", "import torchvision"], {}, _TIMEOUT_S).complaint


def _machine(tried: Probe, mode: AmxMode, *, threads: int, limits: bool) -> Machine:
    amx = decide(mode, tried)
    outside = machine_without_torch(
        amx=amx,
        isa=usable_isa(tried, amx),
        threads=threads or read_topology().default_threads,
        limits=Unknown(reason="torch is not installed"),
    )
    return measured_in_child(outside, limits=limits) if torch_version() else outside


def measured_in_child(outside: Machine, *, limits: bool) -> Machine:
    """The same machine as a prepared process with torch sees it, with its limits if asked for.

    Raises:
        InfrastructureError: The child did not come back with an answer.
    """
    ending = child.run_module(
        "pytest_xeonperf.host.measured",
        json.dumps({"machine": cattrs.unstructure(outside), "limits": limits}, allow_nan=False),
        environment=prepare(outside.amx.remedy, outside.threads),
        timeout_s=_TIMEOUT_S,
    )
    if ending.complaint:
        raise InfrastructureError(
            f"the measuring child ended with {ending.complaint}",
            where="xeonperf doctor",
            remedy="try --fresh; if it stays, report it with the output of `xeonperf doctor --no-limits --json`",
        )
    return cattrs.structure(json.loads(ending.stdout.splitlines()[-1]), Machine)
