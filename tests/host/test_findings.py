import pytest

from pytest_xeonperf.host.findings import Level, findings
from pytest_xeonperf.host.probe import Finish, Probe, Trial
from pytest_xeonperf.host.topology import Core
from pytest_xeonperf.records import Isa, Unknown

WORKED = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx512_core_bf16",))
ON_AMX = Trial(finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx10_1_512_amx",))
SIGILL = Trial(finish=Finish.DIED, detail="SIGILL")
UNTRIED = Trial(finish=Finish.NOT_TRIED, detail="not needed")


def said(host, level=None):
    return {finding.what: finding for finding in findings(host) if level in (None, finding.level)}


def test_a_machine_in_order_has_only_good_findings(make_host):
    assert {finding.level for finding in findings(make_host())} == {Level.GOOD}


@pytest.mark.parametrize(
    ("changes", "level", "what"),
    [
        ({"system": {"governor": "powersave"}}, Level.WARNING, "frequency governor is powersave"),
        ({"system": {"huge_pages": "never"}}, Level.NOTE, "transparent huge pages are off"),
        ({"system": {"hypervisor": "Firecracker"}}, Level.NOTE, "virtual machine: Firecracker"),
        ({"system": {"available_bytes": 3 << 30}}, Level.WARNING, "3.00 GiB of memory are free"),
        ({"system": {"swap_used_bytes": 1 << 30}}, Level.WARNING, "1.00 GiB are swapped out"),
        ({"system": {"throttled_ns": 1_500_000_000}}, Level.NOTE, "this cgroup has been throttled"),
        ({"system": {"load": 3.5}}, Level.WARNING, "the machine is busy"),
        ({"topology": {"logical_cpus": 8}}, Level.NOTE, "hyper-threading is on"),
        ({"topology": {"quota_cpus": 1.5}}, Level.WARNING, "the cgroup's CPU quota is below the cpuset"),
        ({"torchvision": "no torchvision::nms"}, Level.PROBLEM, "torchvision is installed and broken"),
        ({"torch": ""}, Level.PROBLEM, "torch is not installed"),
        ({"compiler": Unknown(reason="g++ is not installed")}, Level.PROBLEM, "no working C++ compiler"),
        ({"libraries": ()}, Level.NOTE, "no allocator to preload"),
    ],
)  # fmt: skip
def test_what_is_out_of_order_is_said_with_its_level(make_host, changes, level, what):
    assert what in said(make_host(**changes), level)
    assert what not in said(make_host())


def test_two_numa_nodes_are_noted(make_host):
    cores = tuple(Core(node=core // 2, package=0, core=core, cpu=core) for core in range(4))
    assert "2 NUMA nodes" in said(make_host(topology={"cores": cores}), Level.NOTE)


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


def test_every_problem_of_a_user_comes_with_what_to_do(make_host):
    host = make_host(
        torch="", compiler=Unknown(reason="none"), torchvision="broken", system={"governor": "powersave", "load": 9.0}
    )
    urgent = [finding for finding in findings(host) if finding.level in {Level.PROBLEM, Level.WARNING}]
    assert len(urgent) == 5
    assert all(finding.remedy for finding in urgent)
