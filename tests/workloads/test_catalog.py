"""The catalogue: loading a workload where packages of its family are missing or broken."""

import subprocess
import sys
from pathlib import Path

import pytest

import pytest_xeonperf
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.presets import Preset

LOAD = """
import sys
sys.path[:0] = sys.argv[2:]
from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.presets import Preset
try:
    catalog.load(sys.argv[1], Preset.SMOKE, {}).phases[0].build()
except InfrastructureError as error:
    print(error)
"""


def build_elsewhere(name: str, folder: Path) -> str:
    """What loading and building a workload says in a process that finds what is in this folder first."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, name, str(folder), str(Path(pytest_xeonperf.__file__).parents[1])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("package", "workload"),
    [
        ("torch", "sam-vit-b"),
        ("safetensors", "sam-vit-b"),
        ("transformers", "llama-2-7b"),
        ("diffusers", "sdxl"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_how_to_install_it(tmp_path, package, workload):
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(
        f"raise ModuleNotFoundError(\"No module named '{package}'\", name='{package}')"
    )
    said = build_elsewhere(workload, tmp_path)
    assert package in said
    assert "what to do: pip install 'pytest-xeonperf[models]'" in said


def test_a_broken_torchvision_is_named_and_not_what_it_breaks(tmp_path):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    installed = tmp_path / "torchvision-0.28.0.dist-info"  # transformers asks for the version before it imports
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")
    said = build_elsewhere("llama-2-7b", tmp_path)
    assert "workload llama-2-7b: its packages do not load" in said
    assert "pip uninstall torchvision" in said


def test_a_defect_of_our_own_is_not_put_down_to_the_installation(monkeypatch):
    def refuse(_name):
        raise ImportError("cannot import name 'seeded'", name="pytest_xeonperf.workloads.weights")

    monkeypatch.setattr(catalog, "import_module", refuse)
    with pytest.raises(ImportError, match="seeded"):
        catalog.load("llama-2-7b", Preset.SMOKE, {})


def test_a_name_that_is_not_in_the_catalogue_is_told_which_are():
    with pytest.raises(UsageError, match="sam-vit-b"):
        catalog.load("sam-vit-x", Preset.SMOKE, {})


@pytest.mark.parametrize(
    ("name", "phase", "option"),
    [("sam-vit-b", "encode", "batch"), ("llama-2-7b", "prefill", "prompt_tokens"), ("sdxl", "image", "steps")],
)
def test_options_that_make_more_work_are_in_the_footprint(name, phase, option):
    plain, more = (
        catalog.footprint(name, phase, Preset.QUICK, options) for options in ({}, {option: 2048, "images": "photos"})
    )
    assert more.flop > 1.9 * plain.flop


@pytest.mark.parametrize(("name", "phase"), [("sam-vit-h", "encode"), ("sdxl", "unet_step")])
def test_a_checkpoint_has_its_whole_depth_under_quick(name, phase):
    seeded, given = (catalog.footprint(name, phase, Preset.QUICK, options) for options in ({}, {"checkpoint": "/data"}))
    assert seeded.parameters < given.parameters == catalog.footprint(name, phase, Preset.FULL, {}).parameters


@pytest.mark.parametrize("name", [name for name in catalog.CATALOG if name.startswith(("llama", "sam", "sdxl"))])
@pytest.mark.parametrize("preset", list(Preset))
def test_a_phase_and_its_arithmetic_agree_on_how_often_weights_are_read(name, preset):
    for phase in catalog.load(name, preset, {}).phases:
        assert phase.weight_passes == catalog.footprint(name, phase.name, preset, {}).weight_passes
