import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host import child, inspection
from pytest_xeonperf.host.amx import AmxMode
from pytest_xeonperf.records import Machine, Unknown


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
