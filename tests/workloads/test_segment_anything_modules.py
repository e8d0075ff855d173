"""segment-anything with, without, and despite torchvision."""

from __future__ import annotations

import sys

import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.workloads.segment_anything_modules import modeling, torchvision_problem


@pytest.fixture
def fresh(monkeypatch):
    """segment-anything and torchvision look as if never imported; afterwards all is as it was."""
    for name in list(sys.modules):
        if name.partition(".")[0] in {"segment_anything", "torchvision"}:
            monkeypatch.delitem(sys.modules, name)
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if name.partition(".")[0] in {"segment_anything", "torchvision"}:
            del sys.modules[name]


@pytest.fixture
def broken_torchvision(fresh, tmp_path, monkeypatch):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("fresh")
def test_without_torchvision_the_models_load_and_the_package_behaves_as_ever(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert modeling().ImageEncoderViT.__module__ == "segment_anything.modeling.image_encoder"
    with pytest.raises(ImportError):
        __import__("segment_anything")


@pytest.mark.usefixtures("broken_torchvision")
def test_a_broken_torchvision_does_not_keep_the_models_from_loading():
    assert modeling().MaskDecoder.__module__ == "segment_anything.modeling.mask_decoder"


@pytest.mark.usefixtures("broken_torchvision")
def test_a_broken_torchvision_is_said_with_what_to_do():
    assert "torchvision::nms does not exist" in torchvision_problem()
    assert "pip uninstall torchvision" in torchvision_problem()


def test_no_torchvision_is_no_problem(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert torchvision_problem() == ""


@pytest.mark.usefixtures("fresh")
def test_a_missing_package_is_said_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "segment_anything", None)
    with pytest.raises(InfrastructureError, match=r"pytest-xeonperf\[models\]"):
        modeling()


def test_the_same_modules_are_given_every_time():
    assert modeling() is modeling()
