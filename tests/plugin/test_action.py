"""The composite action, step by step as a runner would execute it, in a clean clone of a user's repository."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / ".github/actions/xeonperf/action.yml").read_text(encoding="utf-8"))
INPUT = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")

SUITE = """
import time

import pytest
import torch
from torch import nn
from pytest_xeonperf import Inputs, Workload


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x):
        time.sleep(0.02 if x.dtype.itemsize == 2 else 0.03)
        return self.layer(x)


@pytest.fixture
def workload():
    return Workload(name="net", build=Net, inputs=lambda: Inputs(args=(torch.ones(1, 8),)))


def test_bf16(xeonperf, sdpa_bf16):
    xeonperf.check(sdpa_bf16)
"""


@pytest.fixture
def runner(tmp_path, environment, git):
    """Runs the action's steps in a clone with one branch checked out: their exit codes, and what was printed."""
    clean = {name: value for name, value in environment.items() if not name.startswith(("GIT_", "GITHUB_"))}
    origin, clone = tmp_path / "origin", tmp_path / "clone"

    def run(suite_on_the_branch):
        (origin / "suites").mkdir(parents=True)
        git(origin, "init", "--quiet", "--initial-branch=main")
        for branch, text in (("main", SUITE), ("change", suite_on_the_branch)):
            if branch != "main":
                git(origin, "checkout", "--quiet", "-b", branch)
            (origin / "suites/test_net.py").write_text(text)
            git(origin, "add", "--all")
            git(origin, "commit", "--quiet", "--message", branch)
        git(tmp_path, "clone", "--quiet", "--branch", "change", origin, clone)
        given = {
            "python": sys.executable,
            "arguments": "suites/ --xeonperf-preset=smoke --xeonperf-threads=1",
            "tolerance": "20",
        }
        codes = []
        for step in ACTION["runs"]["steps"]:
            if "run" not in step:
                continue
            github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": os.fspath(tmp_path / "summary.md")}
            own = {name: _filled_in(text, given) for name, text in step["env"].items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=clone,
                env={**clean, **github, **own},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            sys.stdout.write(done.stdout + done.stderr)  # shown if the test fails
            codes.append(done.returncode)
        return codes, done.stdout, clone / "xeonperf-gate", tmp_path / "summary.md"

    return run


def _filled_in(text, given):
    """An expression of the action, as GitHub would fill it in for a pull request against main."""
    defaults = {name: value["default"] for name, value in ACTION["inputs"].items()}
    text = INPUT.sub(lambda match: {**defaults, **given}[match[1]], text)
    return text.replace("${{ github.base_ref }}", "main")


def test_a_branch_that_slows_one_variant_fails_at_its_test(runner):
    codes, out, output, summary = runner(SUITE.replace("0.02 if", "0.032 if"))
    assert codes == [1]
    assert "::error file=suites/test_net.py,line=2" in out
    assert "✗ regression: net/forward sdpa_bf16" in summary.read_text()
    assert summary.read_text() == (output / "comment.md").read_text()
    assert "<h1" in (output / "report.html").read_text(encoding="utf-8")
    (red,) = [case for case in json.loads((output / "gate.json").read_text())["cases"] if case["verdict"] != "PASS"]
    assert red["variant"] == "sdpa_bf16"
    assert 1.35 < 1 / red["own"]["ratio"] < 1.85


def test_a_branch_that_changes_nothing_passes(runner):
    codes, out, output, _summary = runner(SUITE + "\n# the same\n")
    assert codes == [0]
    assert "::error" not in out
    assert json.loads((output / "gate.json").read_text())["verdict"] == "PASS"


def test_nothing_that_a_pull_request_chooses_is_text_of_a_script():
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_what_it_uses_is_pinned_to_a_commit():
    used = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each) for each in used)
