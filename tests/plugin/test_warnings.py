"""What a warning does: nothing to a suite of this repository, whoever it is from; a test of the package fails."""

import shutil
import warnings
from pathlib import Path

import pytest

from pytest_xeonperf.errors import ExitCode

OURS = Path(__file__).parents[2] / "pyproject.toml"

WARNS = """
import warnings

import pytest
from pytest_xeonperf import Inputs, Workload

warnings.warn("as a newer package does while it is imported", DeprecationWarning)


def build():
    from torch import nn

    warnings.warn("as a newer package does while a model is built", FutureWarning)
    return nn.Linear(32, 8)


def inputs():
    import torch

    return Inputs(args=(torch.linspace(-1, 1, 64).reshape(2, 32),))  # [2, 32] fp32


@pytest.fixture
def workload():
    return Workload(name="warns", build=build, inputs=inputs)


def test_bf16(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""


def test_under_the_settings_of_this_repository_a_suite_whose_packages_warn_passes(tmp_path, run):
    shutil.copy(OURS, tmp_path)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_it.py").write_text(WARNS, encoding="utf-8")
    session = run(tmp_path, "suites")
    assert session.code == ExitCode.OK
    session.lines.fnmatch_lines(["*DeprecationWarning: as a newer package does while it is imported*", "*1 passed*"])


@pytest.mark.parametrize("category", [DeprecationWarning, FutureWarning, UserWarning, ResourceWarning])
def test_in_a_test_of_the_package_a_warning_is_an_error(category):
    with pytest.raises(category, match="of a test"):
        warnings.warn("of a test", category, stacklevel=1)
