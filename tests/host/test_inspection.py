import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host import child, fingerprint, inspection
from pytest_xeonperf.host.amx import AmxMode
from pytest_xeonperf.host.findings import findings
from pytest_xeonperf.host.probe import Finish
from pytest_xeonperf.records import Isa, Machine, Unknown


def test_a_torchvision_that_is_not_there_is_not_broken(monkeypatch):
    monkeypatch.setattr(inspection.importlib.util, "find_spec", lambda _name: None)
    assert inspection.broken_torchvision() == ""


def test_a_torchvision_that_cannot_be_imported_is_quoted(monkeypatch, tmp_path):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert inspection.broken_torchvision() == "RuntimeError: operator torchvision::nms does not exist"


def test_a_host_without_torch_is_still_described(monkeypatch):
    monkeypatch.setattr(inspection, "torch_version", lambda: "")
    host = inspection.inspect(limits=False)
    assert host.torch == ""
    assert host.machine.limits == Unknown(reason="torch is not installed")


def test_an_arm_machine_is_described_without_a_trial_and_told_what_to_do(make_cpu, monkeypatch):
    arm = make_cpu({"asimd", "bf16", "sve"}, architecture="aarch64", vendor="ARM", model_name="Neoverse V1")
    for module in (inspection, fingerprint):
        monkeypatch.setattr(module, "read_cpu", lambda: arm)
    monkeypatch.setattr(inspection, "measured_in_child", lambda outside, **_: outside)  # which is of another CPU
    host = inspection.inspect(limits=False)
    assert (host.machine.architecture, host.machine.isa, host.machine.cpu_model) == (
        "aarch64",
        Isa.GENERIC,
        "Neoverse V1",
    )
    tried = (host.probe.plain, host.probe.repaired, host.probe.capped, host.probe.inductor)
    assert {trial.finish for trial in tried} == {Finish.NOT_TRIED}
    found = {finding.what: finding for finding in findings(host)}
    assert found["aarch64 is not x86-64"].remedy == "measure on a Xeon of the 4th generation or later"


def test_the_threads_that_are_asked_for_are_those_of_the_machine(monkeypatch):
    monkeypatch.setattr(inspection, "torch_version", lambda: "")
    assert inspection.inspect(limits=False, threads=7).machine.threads == 7


def test_the_child_sees_the_same_machine_with_torch_loaded():
    pytest.importorskip("torch")
    host = inspection.inspect(limits=False, mode=AmxMode.AUTO)
    facts = dict(host.machine.facts)
    assert isinstance(host.machine, Machine)
    assert facts["onednn"]
    assert facts["env.OMP_NUM_THREADS"] == str(host.machine.threads)
    assert host.machine.physical_cores == host.topology.physical_cores


def test_a_child_that_dies_is_named_not_followed(make_host, monkeypatch):
    dead = child.Ending(returncode=-4, stdout="", stderr="", timed_out=False)
    monkeypatch.setattr(child, "run_module", lambda *_arguments, **_options: dead)
    with pytest.raises(InfrastructureError, match="ended with SIGILL"):
        inspection.measured_in_child(make_host().machine, limits=False)
