import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_xeonperf.cli import doctor
from pytest_xeonperf.host.amx import AmxMode, decide, usable_isa
from pytest_xeonperf.host.compiler import Compiler
from pytest_xeonperf.host.cpu import Cpu
from pytest_xeonperf.host.inspection import Inspection
from pytest_xeonperf.host.libraries import Library, Role
from pytest_xeonperf.host.probe import Finish, Probe, Trial
from pytest_xeonperf.host.system import System
from pytest_xeonperf.host.topology import Core, Topology
from pytest_xeonperf.records import Limits, Machine, Unknown

UNTRIED = Trial(finish=Finish.NOT_TRIED, detail="no BF16 instructions are advertised")


def describe(architecture, model, flags, limits):
    cpu = Cpu(architecture=architecture, vendor="", model_name=model, stepping="", microcode="", flags=frozenset(flags))
    tried = Probe(advertised=cpu.isa, plain=UNTRIED, repaired=UNTRIED, capped=UNTRIED, inductor=UNTRIED)
    amx = decide(AmxMode.AUTO, tried)
    return Inspection(
        cpu=cpu,
        topology=Topology(cores=(Core(node=0, package=0, core=0, cpu=0),), logical_cpus=1, quota_cpus=1.0),
        system=System(
            kernel="6.8", hypervisor="", governor="", huge_pages="", memory_bytes=1 << 34, available_bytes=1 << 33,
            swap_used_bytes=0, throttled_ns=0, load=0.0,
        ),
        compiler=Compiler(command="g++", version="g++ 14"),
        knows_cpu=True,
        libraries=(Library(role=Role.ALLOCATOR, name="libtcmalloc", path=Path("/lib/libtcmalloc.so.4")),),
        probe=tried,
        torch="2.13.0",
        torchvision="",
        machine=Machine(
            architecture=architecture, cpu_model=model, isa=usable_isa(tried, amx), amx=amx, threads=1,
            physical_cores=1, memory_bytes=1 << 34, facts=(("kernel", "6.8 [odd]"), ("torch", "2.13.0")), limits=limits,
        ),
    )  # fmt: skip


MEASURED = Limits(read_bytes_per_s=2.1e10, fp32_flop_per_s=3e11, bf16_flop_per_s=1.5e11, int8_op_per_s=1e12)
HASWELL = describe("x86_64", "Xeon E5-2680 v3", {"avx2", "fma"}, MEASURED)
GRAVITON = describe("aarch64", "Neoverse V1", {"asimd", "sve"}, Unknown(reason="not asked for"))


@pytest.fixture
def run(monkeypatch):
    def invoke(host, *arguments):
        asked = {}
        monkeypatch.setattr(doctor, "inspect", lambda **options: asked.update(options) or host)
        result = CliRunner().invoke(doctor.command, [*arguments])
        assert result.exception is None, result.output
        return result, asked

    return invoke


def test_an_old_xeon_gets_a_clear_word_and_exit_code_0(run):
    result, _ = run(HASWELL)
    assert result.exit_code == 0
    assert "no AVX-512" in result.stdout
    assert "21.0 GB/s" in result.stdout


def test_an_arm_machine_gets_a_clear_word_and_exit_code_0(run):
    result, _ = run(GRAVITON, "--no-limits")
    assert "aarch64 is not x86-64" in result.stdout
    assert "what to do" in result.stdout


def test_each_finding_that_is_not_good_is_followed_by_what_to_do(run):
    signs = re.findall(r"^(problem|warning|note|ok) |what to do:", run(HASWELL)[0].stdout, flags=re.MULTILINE)
    assert {"problem", "note", "ok"} <= set(signs)
    assert all((after == "") is (sign in {"problem", "warning", "note"}) for sign, after in pairwise([*signs, "end"]))


def test_facts_are_shown_as_they_are_and_never_read_as_markup(run):
    assert "6.8 [odd]" in run(HASWELL)[0].stdout


def test_json_is_stdout_alone_and_says_its_schema(run):
    result, _ = run(GRAVITON, "--json")
    document = json.loads(result.stdout)
    assert document["schema"] == "xeonperf.doctor/1"
    assert set(document) == {"schema", "machine", "probe", "system", "topology", "findings"}
    assert document["machine"]["facts"] == {"kernel": "6.8 [odd]", "torch": "2.13.0"}
    assert document["machine"]["limits"] == {"reason": "not asked for"}
    assert document["machine"]["comparability_class"] == GRAVITON.machine.comparability_class
    assert {"level", "what", "detail", "remedy"} == set(document["findings"][0])


def test_what_is_looked_at_is_what_was_asked_for(run, monkeypatch):
    for name in ("XEONPERF_AMX", "XEONPERF_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert run(HASWELL)[1] == {"fresh": False, "limits": True, "mode": AmxMode.AUTO, "threads": 0}
    asked = run(HASWELL, "--fresh", "--no-limits", "--amx", "off", "--threads", "3")[1]
    assert asked == {"fresh": True, "limits": False, "mode": AmxMode.OFF, "threads": 3}


def test_the_environment_says_what_a_session_would_do_and_the_command_line_comes_before_it(run, monkeypatch):
    monkeypatch.setenv("XEONPERF_AMX", "cap")
    monkeypatch.setenv("XEONPERF_THREADS", "2")
    asked = run(HASWELL)[1]
    assert (asked["mode"], asked["threads"]) == (AmxMode.CAP, 2)
    asked = run(HASWELL, "--amx", "auto", "--threads", "0")[1]
    assert (asked["mode"], asked["threads"]) == (AmxMode.AUTO, 0)


@pytest.mark.parametrize(("variable", "value"), [("XEONPERF_AMX", "on"), ("XEONPERF_THREADS", "-1")])
def test_an_environment_that_cannot_be_meant_is_named(variable, value):
    result = CliRunner(env={variable: value}).invoke(doctor.command)
    assert result.exit_code != 0
    assert variable in result.stderr
