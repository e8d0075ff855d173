from dataclasses import replace
from pathlib import Path

import pytest

from pytest_xeonperf.host.amx import AmxMode, decide, usable_isa
from pytest_xeonperf.host.compiler import Compiler
from pytest_xeonperf.host.cpu import Cpu
from pytest_xeonperf.host.inspection import Inspection
from pytest_xeonperf.host.libraries import Library, Role
from pytest_xeonperf.host.probe import Finish, Probe, Trial
from pytest_xeonperf.host.system import System
from pytest_xeonperf.host.topology import Core, Topology
from pytest_xeonperf.records import Limits, Machine

ON_AMX = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx10_1_512_amx",))
ON_AVX512 = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx512_core_bf16",), bf16_over_fp32=2.0)
LIMITS = Limits(read_bytes_per_s=3e11, fp32_flop_per_s=4e12, bf16_flop_per_s=6e13, int8_op_per_s=1e14)
UNTRIED = Trial(finish=Finish.NOT_TRIED, detail="not needed")
QUIET = System(
    kernel="6.8.0", hypervisor="", governor="performance", huge_pages="madvise", memory_bytes=64 << 30,
    available_bytes=60 << 30, swap_used_bytes=0, throttled_ns=0, load=0.1,
)  # fmt: skip
FOUR_CORES = Topology(
    cores=tuple(Core(node=0, package=0, core=core, cpu=core) for core in range(4)), logical_cpus=4, quota_cpus=4.0
)

AVX2 = frozenset({"avx2", "fma"})
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
AVX512_BF16 = AVX512 | {"avx512_vnni", "avx512_bf16"}
AMX = AVX512_BF16 | {"amx_tile", "amx_bf16", "amx_int8"}


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache_of_the_tests(shared_cache, monkeypatch):
    """The user's cache is left alone; what was compiled once is there for all tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))


@pytest.fixture
def make_cpu():
    """Facts of a processor that is not here."""

    def make(flags=AMX, *, architecture="x86_64", vendor="GenuineIntel", model_name="INTEL(R) XEON(R) PLATINUM 8581C"):
        return Cpu(
            architecture=architecture,
            vendor=vendor,
            model_name=model_name,
            stepping="2",
            microcode="0x1",
            flags=frozenset(flags),
        )

    return make


@pytest.fixture
def flags_of():
    """Flags of /proc/cpuinfo by the name of the instruction set they amount to."""
    return {"generic": frozenset(), "avx2": AVX2, "avx512": AVX512, "avx512_bf16": AVX512_BF16, "amx_bf16": AMX}


@pytest.fixture
def make_host(make_cpu):
    """A host in perfect order: a Xeon on metal, quiet, complete; the test says what is different."""

    def make(**changes):
        cpu = changes.pop("cpu", make_cpu())
        tried = changes.pop("probe", None) or Probe(
            advertised=cpu.isa, plain=ON_AMX, repaired=UNTRIED, capped=ON_AVX512, inductor=ON_AMX
        )
        system = replace(QUIET, **changes.pop("system", {}))
        topology = replace(FOUR_CORES, **changes.pop("topology", {}))
        amx = decide(AmxMode.AUTO, tried)
        limits = changes.pop("limits", None) or LIMITS
        whole = {
            "cpu": cpu, "probe": tried, "system": system, "topology": topology, "torch": "2.13.0", "torchvision": "",
            "compiler": Compiler(command="g++", version="g++ 14"),
            "knows_cpu": True,
            "libraries": (
                Library(role=Role.ALLOCATOR, name="libtcmalloc", path=Path("/usr/lib/libtcmalloc.so.4")),
                Library(role=Role.OPENMP, name="libiomp5", path=Path("/usr/lib/libiomp5.so")),
            ),
            "machine": Machine(
                architecture=cpu.architecture, cpu_model=cpu.model_name, isa=usable_isa(tried, amx), amx=amx, threads=4,
                physical_cores=4, memory_bytes=64 << 30, facts=(("kernel", "6.8"), ("torch", "2.13.0")),
                limits=limits,
            ),
        }  # fmt: skip
        return Inspection(**{**whole, **changes})

    return make
