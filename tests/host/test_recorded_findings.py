"""What is said of a machine of which only a run is known."""

from dataclasses import replace

import pytest

from pytest_xeonperf.host.finding import Level
from pytest_xeonperf.host.recorded_findings import recorded_findings
from pytest_xeonperf.records import Amx, Isa, Limits, Machine, Remedy, Unknown

FACTS = {
    "allocator": "libtcmalloc",
    "compiler": "g++ 14.2",
    "governor": "performance",
    "hypervisor": "none",
    "logical_cpus": "2",
    "numa_nodes": "1",
    "smt": "off",
    "thp": "madvise",
    "vendor": "GenuineIntel",
}


@pytest.fixture
def machine():
    return Machine(
        architecture="x86_64",
        cpu_model="Intel(R) Xeon(R) Platinum 8488C",
        isa=Isa.AMX_BF16,
        amx=Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail="works"),
        threads=2,
        physical_cores=2,
        memory_bytes=32 << 30,
        facts=tuple(sorted(FACTS.items())),
        limits=Unknown(reason="not measured"),
    )


def said(machine, **facts):
    known = {**FACTS, **facts}
    changed = replace(machine, facts=tuple((name, value) for name, value in known.items() if value))
    assert all(finding.remedy for finding in recorded_findings(changed))
    return {finding.what: finding.level for finding in recorded_findings(changed)}


def test_a_machine_in_order_has_only_good_findings(machine):
    assert set(said(machine).values()) == {Level.GOOD}


def test_bf16_that_is_slower_than_fp32_is_said(machine):
    limits = Limits(read_bytes_per_s=3e10, fp32_flop_per_s=3e11, bf16_flop_per_s=2e11, int8_op_per_s=1e12)
    what = "BF16 is multiplied more slowly than FP32"
    assert said(replace(machine, isa=Isa.AVX512, limits=limits))[what] is Level.NOTE
    assert what not in said(replace(machine, isa=Isa.AVX512, limits=replace(limits, bf16_flop_per_s=4e11)))
    assert what not in said(replace(machine, limits=limits))


@pytest.mark.parametrize(
    ("facts", "level", "what"),
    [
        ({"governor": "powersave"}, Level.WARNING, "frequency governor is powersave"),
        ({"thp": "never"}, Level.NOTE, "transparent huge pages are off"),
        ({"hypervisor": "Firecracker"}, Level.NOTE, "virtual machine (Firecracker)"),
        ({"smt": "on", "logical_cpus": "4"}, Level.NOTE, "hyper-threading is on"),
        ({"cpu_quota": "1.5"}, Level.WARNING, "the cgroup's CPU quota is below the cpuset"),
        ({"numa_nodes": "2"}, Level.NOTE, "2 NUMA nodes"),
        ({"compiler": ""}, Level.PROBLEM, "no working C++ compiler"),
        ({"allocator": "libc"}, Level.NOTE, "no allocator was preloaded"),
        ({"vendor": "AuthenticAMD"}, Level.NOTE, "not an Intel processor"),
        ({"env.ONEDNN_MAX_CPU_ISA": "AVX2"}, Level.WARNING, "ONEDNN_MAX_CPU_ISA=AVX2 is set in your environment"),
    ],
)
def test_what_is_out_of_order_is_said_as_the_doctor_says_it(machine, facts, level, what):
    assert said(machine, **facts)[what] is level
    assert what not in said(machine)


@pytest.mark.parametrize(
    ("changes", "level", "what"),
    [
        ({"advertised": False}, Level.NOTE, "AMX is not advertised"),
        ({"remedy": Remedy.REPAIR}, Level.NOTE, "AMX works in oneDNN once its tile palette is repaired"),
        ({"remedy": Remedy.CAP}, Level.WARNING, "AMX is advertised and oneDNN did not use it"),
        ({"usable_by_onednn": False}, Level.WARNING, "AMX is advertised and oneDNN did not use it"),
        ({"usable_by_inductor": False}, Level.WARNING, "Inductor's AMX micro-kernels cannot work"),
    ],
)
def test_what_came_of_trying_amx_is_said(machine, changes, level, what):
    assert said(replace(machine, amx=replace(machine.amx, **changes)))[what] is level


def test_what_matters_most_comes_first(machine):
    found = recorded_findings(replace(machine, isa=Isa.AVX2, facts=(("governor", "powersave"),)))
    ranks = [list(Level).index(finding.level) for finding in found]
    assert ranks == sorted(ranks, reverse=True)
    assert found[0].level is Level.PROBLEM


@pytest.mark.parametrize("nonsense", ["many", "1e9999", "nan", "-", "9" * 5000])
def test_a_run_from_elsewhere_may_have_recorded_nonsense(machine, nonsense):
    assert recorded_findings(replace(machine, facts=tuple((name, nonsense) for name in (*FACTS, "cpu_quota"))))
