import inspect
import re
from dataclasses import replace

import pytest

from pytest_xeonperf.host import findings as findings_module
from pytest_xeonperf.host import processor_findings, setting_findings
from pytest_xeonperf.host.amx import AmxMode, decide
from pytest_xeonperf.host.finding import NOTHING_TO_DO, Level
from pytest_xeonperf.host.findings import findings
from pytest_xeonperf.host.probe import Finish, Probe, Trial
from pytest_xeonperf.host.topology import Core
from pytest_xeonperf.records import Isa, Limits, Unknown

WORKED = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx512_core_bf16",), bf16_over_fp32=2.0)
ON_AMX = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx10_1_512_amx",))
SIGILL = Trial(finish=Finish.DIED, detail="SIGILL")
UNTRIED = Trial(finish=Finish.NOT_TRIED, detail="not needed")
TWO_NODES = tuple(Core(node=core // 2, package=0, core=core, cpu=core) for core in range(4))


def said(host, level=None):
    return {finding.what: finding for finding in findings(host) if level in (None, finding.level)}


def test_a_machine_in_order_has_only_good_findings_about_which_nothing_needs_doing(make_host):
    assert {(finding.level, finding.remedy) for finding in findings(make_host())} == {(Level.GOOD, NOTHING_TO_DO)}


@pytest.mark.parametrize(
    ("changes", "level", "what"),
    [
        ({"system": {"governor": "powersave"}}, Level.WARNING, "frequency governor is powersave"),
        ({"system": {"huge_pages": "never"}}, Level.NOTE, "transparent huge pages are off"),
        ({"system": {"hypervisor": "Firecracker"}}, Level.NOTE, "virtual machine (Firecracker)"),
        ({"system": {"available_bytes": 3 << 30}}, Level.WARNING, "3.00 GiB of memory are free"),
        ({"system": {"swap_used_bytes": 1 << 30}}, Level.WARNING, "1.00 GiB are swapped out"),
        ({"system": {"throttled_ns": 1_500_000_000}}, Level.NOTE, "this cgroup has been throttled"),
        ({"system": {"load": 3.5}}, Level.WARNING, "the machine is busy"),
        ({"topology": {"logical_cpus": 8}}, Level.NOTE, "hyper-threading is on"),
        ({"topology": {"quota_cpus": 1.5}}, Level.WARNING, "the cgroup's CPU quota is below the cpuset"),
        ({"torchvision": "no torchvision::nms"}, Level.PROBLEM, "torchvision is installed and broken"),
        ({"torch": ""}, Level.PROBLEM, "torch is not installed"),
        ({"compiler": Unknown(reason="g++ is not installed")}, Level.PROBLEM, "no working C++ compiler"),
        ({"knows_cpu": False}, Level.NOTE, "the C++ compiler does not know this CPU"),
        ({"libraries": ()}, Level.NOTE, "no allocator to preload"),
    ],
)  # fmt: skip
def test_what_is_out_of_order_is_said_with_its_level(make_host, changes, level, what):
    assert what in said(make_host(**changes), level)
    assert what not in said(make_host())


def test_two_numa_nodes_are_noted(make_host):
    assert "2 NUMA nodes" in said(make_host(topology={"cores": TWO_NODES}), Level.NOTE)


@pytest.mark.parametrize(
    ("flags", "maker", "level", "what"),
    [
        ("generic", ("aarch64", "0x41"), Level.PROBLEM, "aarch64 is not x86-64"),
        ("avx2", ("x86_64", "GenuineIntel"), Level.PROBLEM, "no AVX-512"),
        ("avx512_bf16", ("x86_64", "AuthenticAMD"), Level.NOTE, "not an Intel processor"),
    ],
)
def test_other_processors_get_a_clear_word(make_host, make_cpu, flags_of, flags, maker, level, what):  # noqa: PLR0917
    cpu = make_cpu(flags_of[flags], architecture=maker[0], vendor=maker[1])
    tried = Probe(advertised=cpu.isa, plain=WORKED, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
    found = said(make_host(cpu=cpu, probe=tried))
    assert found[what].level is level
    assert "AMX is not advertised" in found


def test_amx_that_needs_the_repair_warns_of_other_programs(make_host):
    tried = Probe(advertised=Isa.AMX_BF16, plain=SIGILL, repaired=ON_AMX, capped=WORKED, inductor=WORKED)
    finding = said(make_host(probe=tried))["AMX works in oneDNN once its tile palette is repaired"]
    assert "died (SIGILL)" in finding.detail
    assert "ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16" in finding.remedy


def test_amx_that_cannot_be_helped_is_a_warning(make_host):
    tried = Probe(advertised=Isa.AMX_BF16, plain=SIGILL, repaired=SIGILL, capped=WORKED, inductor=SIGILL)
    found = said(make_host(probe=tried), Level.WARNING)
    assert {"AMX is advertised and oneDNN cannot use it", "Inductor's AMX micro-kernels cannot work"} <= set(found)


def test_bf16_that_kills_is_a_problem_without_amx_too(make_host):
    tried = Probe(advertised=Isa.AVX512_BF16, plain=SIGILL, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
    assert "BF16 does not work" in said(make_host(probe=tried), Level.PROBLEM)


def test_what_matters_most_comes_first(make_host):
    levels = [finding.level for finding in findings(make_host(torch="", system={"load": 9.0, "huge_pages": "never"}))]
    assert levels == sorted(levels, key=list(Level).index, reverse=True)
    assert levels[0] is Level.PROBLEM


BROKEN_BF16 = Probe(advertised=Isa.AVX512_BF16, plain=SIGILL, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
BROKEN_AMX = Probe(advertised=Isa.AMX_BF16, plain=SIGILL, repaired=SIGILL, capped=WORKED, inductor=SIGILL)
REPAIRED_AMX = Probe(advertised=Isa.AMX_BF16, plain=SIGILL, repaired=ON_AMX, capped=WORKED, inductor=WORKED)
OF_SLOW_BF16 = Limits(read_bytes_per_s=3e11, fp32_flop_per_s=4e12, bf16_flop_per_s=2e12, int8_op_per_s=1e13)
SLOW_BF16 = Probe(
    advertised=Isa.AVX512_BF16, plain=replace(WORKED, bf16_over_fp32=0.5), repaired=UNTRIED, capped=UNTRIED,
    inductor=UNTRIED,
)  # fmt: skip
OUT_OF_ORDER = {
    "BF16 is multiplied more slowly than FP32": {"limits": OF_SLOW_BF16, "probe": SLOW_BF16},
    "AMX is advertised and oneDNN cannot use it": {"probe": BROKEN_AMX},
    "AMX works in oneDNN once its tile palette is repaired": {"probe": REPAIRED_AMX},
    "Inductor's AMX micro-kernels cannot work": {"probe": BROKEN_AMX},
    "torch is not installed": {"torch": ""},
    "torchvision is installed and broken": {"torchvision": "no torchvision::nms"},
    "no working C++ compiler": {"compiler": Unknown(reason="none")},
    "the C++ compiler does not know this CPU": {"knows_cpu": False},
    "no allocator to preload": {"libraries": ()},
    "no OpenMP runtime to preload": {"libraries": ()},
    "frequency governor is powersave": {"system": {"governor": "powersave"}},
    "transparent huge pages are off": {"system": {"huge_pages": "never"}},
    "virtual machine (Firecracker)": {"system": {"hypervisor": "Firecracker"}},
    "3.00 GiB of memory are free": {"system": {"available_bytes": 3 << 30}},
    "1.00 GiB are swapped out": {"system": {"swap_used_bytes": 1 << 30}},
    "the machine is busy": {"system": {"load": 9.0}},
    "this cgroup has been throttled": {"system": {"throttled_ns": 1}},
    "the cgroup's CPU quota is below the cpuset": {"topology": {"quota_cpus": 1.5}},
    "hyper-threading is on": {"topology": {"logical_cpus": 8}},
    "2 NUMA nodes": {"topology": {"cores": TWO_NODES}},
}
"""On the Xeon that is else in order."""

IN_ORDER = {"AMX works in oneDNN", "AMX instructions of Inductor's micro-kernels work", "C++ compiler works"}
OF_OTHER_PROCESSORS = {
    "aarch64 is not x86-64": ("generic", "aarch64", "0x41"),
    "no AVX-512": ("avx2", "x86_64", "GenuineIntel"),
    "not an Intel processor": ("avx512_bf16", "x86_64", "AuthenticAMD"),
    "BF16 does not work": ("avx512_bf16", "x86_64", "GenuineIntel"),
    "AMX is not advertised": ("avx512_bf16", "x86_64", "GenuineIntel"),
}
AS_ASKED = {"AMX would work in oneDNN and is kept from it, as asked"}


@pytest.mark.parametrize("what", OUT_OF_ORDER)
def test_every_finding_comes_with_what_to_do_however_little_it_matters(make_host, what):
    found = said(make_host(**OUT_OF_ORDER[what]))
    assert what in found
    assert all(finding.remedy for finding in found.values())


@pytest.mark.parametrize("what", OF_OTHER_PROCESSORS)
def test_every_finding_about_another_processor_comes_with_what_to_do(make_host, make_cpu, flags_of, what):
    flags, architecture, vendor = OF_OTHER_PROCESSORS[what]
    cpu = make_cpu(flags_of[flags], architecture=architecture, vendor=vendor)
    found = said(make_host(cpu=cpu, probe=replace(BROKEN_BF16, advertised=cpu.isa)))
    assert what in found
    assert all(finding.remedy for finding in found.values())


def test_there_is_no_finding_that_these_tests_leave_out():
    modules = (findings_module, processor_findings, setting_findings)
    words = {what for each in modules for what in re.findall(r'what="([^"]+)"', inspect.getsource(each))}
    assert words <= {*OUT_OF_ORDER, *IN_ORDER, *OF_OTHER_PROCESSORS, *AS_ASKED}


def test_a_processor_that_has_no_amx_is_told_that_nothing_needs_doing(make_host, make_cpu, flags_of):
    remedies = {}
    for vendor in ("AuthenticAMD", "GenuineIntel"):
        cpu = make_cpu(flags_of["avx512_bf16"], vendor=vendor)
        remedies[vendor] = said(make_host(cpu=cpu, probe=replace(BROKEN_BF16, plain=WORKED)))[
            "AMX is not advertised"
        ].remedy
    assert remedies["AuthenticAMD"] == NOTHING_TO_DO
    assert "hypervisor" in remedies["GenuineIntel"]
    assert NOTHING_TO_DO in remedies["GenuineIntel"]


@pytest.mark.parametrize("flags", ["generic", "avx2"])
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_a_processor_that_will_not_do_comes_with_what_to_do(make_host, make_cpu, flags_of, flags, architecture):
    cpu = make_cpu(flags_of[flags], architecture=architecture)
    tried = Probe(advertised=cpu.isa, plain=UNTRIED, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
    problems = said(make_host(cpu=cpu, probe=tried), Level.PROBLEM)
    assert problems
    assert all(finding.remedy for finding in problems.values())


def test_what_to_do_about_micro_kernels_depends_on_what_stopped_them(make_host):
    remedies = set()
    for finish in (Finish.NOT_TRIED, Finish.FAILED, Finish.INTERRUPTED, Finish.DIED):
        stopped = Trial(finish=finish, detail="")
        tried = Probe(advertised=Isa.AMX_BF16, plain=ON_AMX, repaired=UNTRIED, capped=WORKED, inductor=stopped)
        remedies.add(said(make_host(probe=tried))["Inductor's AMX micro-kernels cannot work"].remedy)
    assert len(remedies - {""}) == 4


def test_without_torch_nothing_is_said_about_what_onednn_can_do(make_host):
    missing = Trial(finish=Finish.FAILED, detail="ModuleNotFoundError: No module named 'torch'")
    for advertised in (Isa.AMX_BF16, Isa.AVX512_BF16):
        tried = Probe(advertised=advertised, plain=missing, repaired=missing, capped=missing, inductor=WORKED)
        assert set(said(make_host(torch="", probe=tried), Level.PROBLEM)) == {"torch is not installed"}
        assert not said(make_host(torch="", probe=tried), Level.WARNING)


def test_bf16_that_is_slower_than_fp32_is_said_with_both_rates(make_host):
    assert "BF16 is multiplied more slowly than FP32" not in said(make_host(limits=OF_SLOW_BF16))  # with AMX: noise
    found = said(make_host(limits=OF_SLOW_BF16, probe=SLOW_BF16), Level.NOTE)[
        "BF16 is multiplied more slowly than FP32"
    ]
    assert "2.00 TFLOP/s against 4.00 TFLOP/s" in found.detail
    assert "dtype='fp32'" in found.remedy


@pytest.mark.parametrize("mode", [AmxMode.CAP, AmxMode.OFF])
def test_amx_that_is_kept_from_onednn_as_asked_is_no_warning(make_host, mode):
    host = make_host()
    capped = replace(host.machine, amx=decide(mode, host.probe))
    found = said(replace(host, machine=capped))
    (kept,) = (found[what] for what in AS_ASKED)
    assert kept.level is Level.NOTE
    assert kept.remedy
    assert "AMX is advertised and oneDNN cannot use it" not in found
