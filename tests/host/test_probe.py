import json

import pytest

from pytest_xeonperf.host import child, probe
from pytest_xeonperf.host.probe import Finish, Trial
from pytest_xeonperf.records import Isa

AMX_LINE = "onednn_verbose,v1,primitive,exec,cpu,matmul,brg_matmul:avx10_1_512_amx,undef\n"
PLAIN_LINE = "onednn_verbose,v1,primitive,exec,cpu,matmul,brg_matmul:avx512_core_bf16,undef\n"


def ending(returncode=0, stdout="", stderr="", *, timed_out=False):
    return child.Ending(returncode=returncode, stdout=stdout, stderr=stderr, timed_out=timed_out)


@pytest.fixture
def children(monkeypatch):
    """Children are not started: the test says how each ends, and sees what was asked of it."""
    asked = []

    def script(**endings):
        def run_module(_module, *arguments, environment, timeout_s):
            kind = "repair" if arguments else "cap" if "ONEDNN_MAX_CPU_ISA" in environment else "plain"
            asked.append(kind)
            return endings[kind]

        monkeypatch.setattr(child, "run_module", run_module)
        monkeypatch.setattr(probe, "try_micro_kernels", lambda: Trial(finish=Finish.WORKED, detail=""))
        return asked

    return script


def test_a_child_killed_by_an_illegal_instruction_is_a_finding():
    trial = probe.judge_ending(ending(-4, AMX_LINE))
    assert (trial.finish, trial.detail) == (Finish.DIED, "SIGILL")
    assert not trial.used_amx


def test_bf16_gains_where_a_child_that_worked_was_no_slower_in_it():
    said = {speed: ending(stdout=f"{PLAIN_LINE}xeonperf_bf16_over_fp32 {speed}\n") for speed in ("0.52", "1.0", "2.3")}
    assert [probe.judge_ending(each).gains_by_bf16 for each in said.values()] == [False, True, True]
    assert not probe.judge_ending(ending(stdout=PLAIN_LINE)).gains_by_bf16
    assert not probe.judge_ending(ending(-4, "xeonperf_bf16_over_fp32 2.3\n")).gains_by_bf16


def test_a_child_that_ran_other_kernels_did_not_use_amx():
    assert probe.judge_ending(ending(stdout=AMX_LINE)).used_amx
    assert not probe.judge_ending(ending(stdout=PLAIN_LINE)).used_amx


@pytest.mark.parametrize(("timed_out", "detail"), [(True, "took too long"), (False, "SIGKILL")])
def test_a_child_stopped_from_outside_says_nothing_about_the_processor(timed_out, detail):
    trial = probe.judge_ending(ending(-9, timed_out=timed_out))
    assert (trial.finish, trial.detail) == (Finish.INTERRUPTED, detail)


def test_an_interrupted_probe_is_not_remembered(make_cpu, children):
    asked = children(plain=ending(-9), repair=ending(stdout=AMX_LINE), cap=ending(stdout=PLAIN_LINE))
    cpu = make_cpu(model_name="short of memory")
    probe.probe(cpu=cpu)
    probe.probe(cpu=cpu)
    assert len(asked) == 6


def test_a_child_without_torch_says_so():
    trial = probe.judge_ending(ending(1, stderr="Traceback ...\nModuleNotFoundError: No module named 'torch'\n"))
    assert trial.detail == "ModuleNotFoundError: No module named 'torch'"


def test_amx_that_works_needs_no_repair_to_be_tried(make_cpu, children):
    asked = children(plain=ending(stdout=AMX_LINE), cap=ending(stdout=PLAIN_LINE))
    tried = probe.try_everything(make_cpu())
    assert asked == ["plain", "cap"]
    assert tried.plain.used_amx
    assert tried.repaired.finish is Finish.NOT_TRIED


def test_amx_that_kills_has_the_repair_and_the_cap_tried(make_cpu, children):
    asked = children(plain=ending(-4), repair=ending(stdout=AMX_LINE), cap=ending(stdout=PLAIN_LINE))
    tried = probe.try_everything(make_cpu())
    assert asked == ["plain", "repair", "cap"]
    assert tried.repaired.used_amx
    assert tried.capped.worked


def test_bf16_without_amx_costs_one_child(make_cpu, children, flags_of):
    asked = children(plain=ending(stdout=PLAIN_LINE))
    assert probe.try_everything(make_cpu(flags_of["avx512_bf16"])).advertised is Isa.AVX512_BF16
    assert asked == ["plain"]


@pytest.mark.parametrize(("flags", "architecture"), [("avx2", "x86_64"), ("avx512", "x86_64"), ("generic", "aarch64")])
def test_a_machine_without_bf16_costs_no_child_and_crashes_nobody(make_cpu, children, flags_of, flags, architecture):
    asked = children()
    tried = probe.try_everything(make_cpu(flags_of[flags], architecture=architecture))
    assert asked == []
    assert tried.plain.finish is Finish.NOT_TRIED


def test_a_probe_is_remembered_until_it_is_asked_for_afresh(make_cpu, children):
    asked = children(plain=ending(stdout=AMX_LINE), cap=ending(stdout=PLAIN_LINE))
    cpu = make_cpu(model_name="remembered")
    first = probe.probe(cpu=cpu)
    assert probe.probe(cpu=cpu) == first
    assert asked == ["plain", "cap"]
    assert probe.probe(cpu=cpu, fresh=True) == first
    assert asked == ["plain", "cap"] * 2


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"schema": "xeonperf.probe/1", "probe": {}}', b'{"schema": "xeonperf.probe/2", "probe": {}}'],
)
def test_a_damaged_memory_is_as_good_as_none(make_cpu, children, shared_cache, damage):
    asked = children(plain=ending(stdout=AMX_LINE), cap=ending(stdout=PLAIN_LINE))
    cpu = make_cpu(model_name=f"damaged {damage!r}")
    before = set((shared_cache / "xeonperf/probe").glob("*"))
    first = probe.probe(cpu=cpu)
    (written,) = set((shared_cache / "xeonperf/probe").glob("*")) - before
    assert json.loads(written.read_bytes())["schema"] == "xeonperf.probe/2"
    written.write_bytes(damage)
    assert probe.probe(cpu=cpu) == first
    assert len(asked) == 4


def test_another_processor_is_another_probe(make_cpu, children, flags_of):
    children(plain=ending(stdout=PLAIN_LINE))
    assert probe.probe(cpu=make_cpu(flags_of["avx2"])).advertised is Isa.AVX2
    assert probe.probe(cpu=make_cpu(flags_of["avx512_bf16"])).advertised is Isa.AVX512_BF16


def test_this_machine_survives_its_own_probe():
    pytest.importorskip("torch")
    tried = probe.probe(fresh=True)
    if tried.advertised.rank >= Isa.AVX512_BF16.rank:
        assert tried.plain.finish is not Finish.NOT_TRIED
