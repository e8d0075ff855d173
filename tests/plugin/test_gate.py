"""The gate, whole: two commits of a user's repository, real processes, code that waits for a known time."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import partial

import pytest

from pytest_xeonperf.errors import ExitCode

MODEL = """
import time

from torch import nn

WAIT_S = 0.02


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x):
        time.sleep(WAIT_S * (2 if x.dtype.itemsize == 4 else 1))
        return self.layer(x)
"""
SUITE = """
import pytest
import torch
from models.net import Net
from pytest_xeonperf import Inputs, Workload


@pytest.fixture
def workload():
    return Workload(name="net", build=Net, inputs=lambda: Inputs(args=(torch.ones(1, 8),)))


@pytest.mark.min_speedup(1.5)
def test_bf16(xeonperf, sdpa_bf16):
    xeonperf.check(sdpa_bf16)
"""
PATIENT = ("--tolerance", "20", "suites", "--xeonperf-preset=smoke", "--xeonperf-threads=1")
"""What sleeps for 20 ms wakes up later on a busy machine, but not by a fifth in most of the rounds."""


@dataclass(frozen=True)
class Gate:
    """A gate that has ended."""

    code: int
    out: str
    talk: str

    @property
    def cases(self):
        """Of its JSON, by variant."""
        return {case["variant"]: case for case in json.loads(self.out)["cases"]}


@dataclass(frozen=True)
class Repository:
    """A user's repository with a package of models and a suite."""

    folder: object
    environment: dict
    git: object

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, subject):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)

    def gate(self, *arguments, **extra):
        done = subprocess.run(
            [sys.executable, "-m", "pytest_xeonperf", "gate", "--json", "-", *arguments],
            cwd=self.folder,
            env={**self.environment, **extra},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        sys.stdout.write(done.stdout + done.stderr)  # shown if the test fails
        return Gate(code=done.returncode, out=done.stdout, talk=done.stderr)


@pytest.fixture
def repository(tmp_path, environment, git):
    clean = {name: value for name, value in environment.items() if not name.startswith(("GIT_", "GITHUB_"))}
    folder = tmp_path / "shop"
    folder.mkdir()
    made = Repository(folder=folder, environment=clean, git=partial(git, folder))
    made.git("init", "--quiet", "--initial-branch=main")
    made.write(".gitignore", "__pycache__/\n")
    made.write("models/net.py", MODEL)
    made.write("suites/test_net.py", SUITE)
    made.commit("One")
    made.git("checkout", "--quiet", "-b", "feature")
    return made


def test_a_change_that_slows_one_variant_is_red_and_says_which_side_moved(repository):
    repository.write("models/net.py", MODEL.replace("else 1", "else 1.6"))  # not committed: the working tree is head
    found = repository.gate(*PATIENT, "--comment", "comment.md")
    assert found.code == ExitCode.RED
    slowed, baseline = found.cases["sdpa_bf16"], found.cases["eager_fp32"]
    assert (slowed["verdict"], slowed["moved"]) == ("REGRESSION", "candidate")
    assert 1.3 < 1 / slowed["own"]["ratio"] < 1.9
    assert baseline["verdict"] == "PASS"
    assert slowed["location"].startswith("suites/test_net.py:")
    assert "once more, in fresh processes" in found.talk
    assert "✗ regression: net/forward sdpa_bf16" in (repository.folder / "comment.md").read_text()
    assert len(repository.git("worktree", "list").splitlines()) == 1
    first, confirming = json.loads(found.out)["models"]
    assert (first["look"], confirming["look"]) == ("first", "confirming")
    assert first["seed"] != confirming["seed"]
    assert 0 <= first["others_share"] <= 1
    assert len(slowed["pairs"]["head_position"]) == slowed["rounds"]


def test_a_change_that_slows_nothing_is_green(repository):
    repository.write("models/net.py", MODEL + "\n# a comment\n")
    repository.commit("Comment")
    found = repository.gate(*PATIENT)
    assert found.code == ExitCode.OK
    assert {case["verdict"] for case in found.cases.values()} == {"PASS"}
    assert json.loads(found.out)["base"]["sha"] == repository.git("rev-parse", "main")


def test_where_nothing_has_changed_there_is_nothing_to_compare(repository):
    found = repository.gate(*PATIENT)
    assert found.code == ExitCode.USAGE
    assert "there is nothing to compare" in found.talk


def test_a_variant_that_kills_its_worker_at_head_is_red_and_takes_no_other_with_it(repository):
    deadly = MODEL.replace("import time", "import os\nimport time").replace(
        "        time.sleep", "        if x.dtype.itemsize == 2:\n            os.abort()\n        time.sleep"
    )
    repository.write("models/net.py", deadly)
    found = repository.gate(*PATIENT)
    assert found.code == ExitCode.RED
    assert found.cases["sdpa_bf16"]["verdict"] == "CRASHED"
    assert "SIGABRT" in found.cases["sdpa_bf16"]["reason"]
    assert found.cases["eager_fp32"]["verdict"] == "PASS"


def test_a_variant_that_hangs_at_head_is_red_and_takes_no_other_with_it(repository):
    hanging = MODEL.replace("import time", "import gc\nimport time").replace(
        "        time.sleep",
        "        if x.dtype.itemsize == 2 and not gc.isenabled():  # as in the rounds\n            time.sleep(3600)\n"
        "        time.sleep",
    )
    repository.write("models/net.py", hanging)
    found = repository.gate(*PATIENT, "--patience", "10")
    assert found.code == ExitCode.RED
    hung = found.cases["sdpa_bf16"]
    assert hung["verdict"] == "CRASHED"
    assert re.fullmatch(
        r"head: hung its worker, which said nothing for .* s in a call of sdpa_bf16, .*", hung["reason"]
    )
    assert found.cases["eager_fp32"]["verdict"] == "PASS"


def test_a_base_without_suites_means_nothing_measured(repository):
    repository.git("checkout", "--quiet", "--orphan", "empty")
    repository.git("rm", "--quiet", "-r", "--force", "suites")
    repository.commit("Empty")
    empty = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "feature")
    found = repository.gate("--base", empty, *PATIENT)
    assert found.code == ExitCode.UNDECIDED
    assert json.loads(found.out)["notes"] == ["suites is not in base: nothing to compare it with"]


def test_a_base_that_does_not_exist_is_a_usage_error(repository):
    found = repository.gate("--base", "v9.9", *PATIENT)
    assert found.code == ExitCode.USAGE
    assert "there is no commit 'v9.9'" in found.talk


def test_a_base_that_cannot_be_imported_is_no_verdict(repository):
    repository.write("models/net.py", "raise RuntimeError('half a commit')")
    repository.commit("Broken")
    broken = repository.git("rev-parse", "HEAD")
    repository.write("models/net.py", MODEL)
    found = repository.gate("--base", broken, *PATIENT)
    assert found.code == ExitCode.INFRASTRUCTURE
    assert "base cannot be collected: suites/test_net.py: E   RuntimeError: half a commit" in found.talk


def test_a_base_that_imports_heads_code_is_refused(repository):
    here = str(repository.folder)
    repository.write("suites/conftest.py", f"import sys\nsys.path.insert(0, {here!r})\n")
    repository.commit("Path")
    repository.write("models/net.py", MODEL + "\n# changed\n")
    found = repository.gate("--base", "HEAD", *PATIENT)
    assert found.code == ExitCode.INFRASTRUCTURE
    assert "base imports models" in found.talk
    assert "the other tree's code" in found.talk


def test_an_untracked_checkpoint_is_found_from_both_trees(repository):
    reads = MODEL.replace(
        "        super().__init__()", "        super().__init__()\n        open('weights/a.bin').close()"
    )
    repository.write("models/net.py", reads)
    repository.write(".gitignore", "__pycache__/\nweights/\n")
    repository.commit("Reads")
    repository.write("weights/a.bin", "weights")
    repository.write("models/net.py", reads + "\n# changed\n")
    found = repository.gate("--base", "HEAD", *PATIENT)
    assert found.code == ExitCode.OK


def test_a_base_without_the_compiled_code_that_head_runs_is_never_green(repository):
    loads = """
import ctypes
import pathlib

try:
    ctypes.CDLL(pathlib.Path(__file__).with_name("fast.so"))
except OSError:
    pass  # as packages do that have a slow fallback
"""
    repository.write("models/net.py", MODEL + loads)
    repository.write(".gitignore", "__pycache__/\n*.so\n")
    repository.write("checkpoint/config.py", "WIDTH = 8\n")
    repository.commit("Loads")
    repository.git("rm", "--quiet", "-r", "--cached", "checkpoint")
    repository.git("commit", "--quiet", "--message", "Without")
    repository.write("fast.c", "int fast(void) { return 1; }\n")
    subprocess.run(["gcc", "-shared", "-o", "models/fast.so", "fast.c"], cwd=repository.folder, check=True)
    repository.write("models/net.py", MODEL + loads + "\n# changed\n")
    found = repository.gate("--base", "HEAD", *PATIENT)
    assert found.code == ExitCode.UNDECIDED
    assert {case["verdict"] for case in found.cases.values()} == {"INCONCLUSIVE"}
    assert found.cases["sdpa_bf16"]["reason"].startswith("head runs models/fast.so, compiled and in no commit")
    (note,) = (note for note in json.loads(found.out)["notes"] if "hidden" in note)
    assert note.endswith("not in the tree of a commit: checkpoint/, fast.c, models/fast.so")


def test_in_github_actions_the_summary_and_the_annotations_are_written(repository, tmp_path):
    repository.write("models/net.py", MODEL.replace("else 1", "else 1.6"))
    summary = tmp_path / "summary.md"
    found = repository.gate(*PATIENT, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=os.fspath(summary))
    assert found.code == ExitCode.RED
    assert "::error file=suites/test_net.py,line=" in found.talk
    assert "✗ regression" in summary.read_text()
