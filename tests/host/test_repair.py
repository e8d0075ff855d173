"""The SIGSEGV handler, tried for real: CPUIDs that fault, true segmentation faults, with faulthandler and without."""

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host import repair
from pytest_xeonperf.host.compiler import Compiler, find_compiler
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.onednn import parse_kernels
from pytest_xeonperf.host.probe import probe

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="Linux on x86-64 only"
)

PROGRAM = Path(__file__).with_name("faulting_cpuid.py")
HIDING = Path(__file__).with_name("hiding_hypervisor.py")
PALETTE = [[1, 0, 0, 0], [8192 | 1024 << 16, 64 | 8 << 16, 16, 0], [0, 0, 0, 0], [0, 16 | 64 << 8, 0, 0]]
"""Leaves (0x1D, 0), (0x1D, 1), (0x1D, 2), (0x1E, 0) as Intel's manual gives them."""

WITH_FAULTHANDLER = ["faulthandler first", "faulthandler comes"]
WITHOUT = ["plain", "thread", "faulthandler goes", "faulthandler goes unseen"]


@pytest.fixture(autouse=True)
def _compiler():
    found = find_compiler()
    if not isinstance(found, Compiler):
        pytest.skip(found.reason)


def run(scenario, crash="none"):
    environment = {**os.environ, "PYTHONPATH": str(Path(repair.__file__).parents[2]), "PYTHONFAULTHANDLER": ""}
    return subprocess.run(
        [sys.executable, str(PROGRAM), scenario, crash],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("scenario", [*WITH_FAULTHANDLER, *WITHOUT])
def test_missing_leaves_are_answered_and_others_pass_through(scenario):
    done = run(scenario)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    vendor, features, *tiles, _ = said["answers"]
    assert vendor[0] >= 0x1E
    name = b"".join(vendor[at].to_bytes(4, "little") for at in (1, 3, 2)).decode()
    assert name in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    assert features[3] & 1 << 26, "SSE2 is in EDX of leaf 1 of every x86-64"
    assert tiles == PALETTE
    assert said["answered"] == 7


@pytest.mark.parametrize("crash", ["read", "jump", "sent"])
@pytest.mark.parametrize("scenario", WITH_FAULTHANDLER)
def test_a_true_segmentation_fault_still_prints_its_traceback_once(scenario, crash):
    done = run(scenario, crash)
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr.count("Fatal Python error: Segmentation fault") == 1
    assert "faulting_cpuid.py" in done.stderr


@pytest.mark.parametrize("crash", ["read", "jump"])
@pytest.mark.parametrize("scenario", WITHOUT)
def test_a_true_segmentation_fault_without_faulthandler_just_kills(scenario, crash):
    done = run(scenario, crash)
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr == ""


def test_a_stack_overflow_reaches_faulthandler_on_its_own_stack():
    done = run("faulthandler first", "overflow")
    assert done.returncode == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in done.stderr


def test_a_thread_born_in_the_window_asks_after_it_closed():
    done = run("window")
    if "cannot be made to fault" in done.stderr:
        pytest.skip("this processor cannot make CPUID fault")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["inside"][2:6] == said["again"][2:6] == said["after"][2:6] == PALETTE


@pytest.mark.parametrize("how", ["bare", "repaired"])
def test_where_tile_leaves_are_hidden_onednn_dies_and_repaired_it_runs_every_family_on_amx(how):
    can_fault = "cpuid_fault" in read_cpu().flags
    if not (can_fault and probe().plain.used_amx):
        pytest.skip("needs AMX that works as it is, and a processor that can make CPUID fault")
    root = str(Path(repair.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(HIDING), how],
        env={**os.environ, "PYTHONPATH": root, "ONEDNN_VERBOSE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if how == "bare":
        assert done.returncode == -signal.SIGILL, done.stderr
        assert "in initialise" in done.stderr, "it died of something else than oneDNN's first BF16 operation"
    else:
        assert done.returncode == 0, done.stderr
        assert "survived" in done.stdout
        on_amx = {kernel.partition(":")[0] for kernel in parse_kernels(done.stdout) if "amx" in kernel}
        assert {"matmul", "convolution"} <= on_amx


def test_a_host_that_cannot_fault_on_cpuid_gets_a_reason_not_a_crash():
    code = "from pytest_xeonperf.host import repair; repair.install(); print('installed')"
    root = str(Path(repair.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert done.returncode in {0, 1}
    assert done.stdout.strip() == "installed" or "NotApplicableError: CPUID cannot be made to fault" in done.stderr


def test_the_shim_is_compiled_once():
    library = repair.build_shim()
    before = library.stat().st_mtime_ns
    assert repair.build_shim() == library
    assert library.stat().st_mtime_ns == before


def test_other_machines_are_told_that_the_repair_is_not_for_them(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(NotApplicableError, match="not linux on aarch64"):
        repair.build_shim()


def test_without_a_compiler_the_repair_says_so(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(NotApplicableError, match="no-such-compiler is not installed"):
        repair.build_shim()
