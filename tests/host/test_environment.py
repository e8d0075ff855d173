import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_xeonperf.host import child, environment
from pytest_xeonperf.host.compiler import Compiler, find_compiler
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.libraries import Library, Role
from pytest_xeonperf.records import Remedy, Unknown

PROGRAM = """
import faulthandler, json, os, sys
sys.path.append(sys.argv[1])
from pytest_xeonperf.host.environment import apply_in_process
from pytest_xeonperf.records import Remedy
before = sorted(os.sched_getaffinity(0))
with apply_in_process(Remedy.NONE, 1) as prepared:
    import torch
    inside = [torch.get_num_threads(), sorted(os.sched_getaffinity(0)), torch.backends.mkldnn.conv.fp32_precision]
print(json.dumps({"before": before, "inside": inside, "after": sorted(os.sched_getaffinity(0)),
                  "cpus": prepared.cpus, "cores": len(prepared.topology.cores)}))
"""


@pytest.fixture
def no_libraries(monkeypatch):
    monkeypatch.setattr(environment, "find_libraries", tuple)


@pytest.fixture
def libraries(monkeypatch):
    found = (
        Library(role=Role.ALLOCATOR, name="libjemalloc", path=Path("/usr/lib/libjemalloc.so.2")),
        Library(role=Role.OPENMP, name="libiomp5", path=Path("/venv/lib/libiomp5.so")),
    )
    monkeypatch.setattr(environment, "find_libraries", lambda: found)


def test_threads_are_decided_here_and_nowhere_else(no_libraries):
    settings = environment.prepare(Remedy.NONE, 3, environ={"OMP_NUM_THREADS": "7"})
    assert settings["OMP_NUM_THREADS"] == settings["MKL_NUM_THREADS"] == "3"


@pytest.mark.parametrize("remedy", list(Remedy))
def test_only_the_cap_caps_onednn(no_libraries, remedy):
    settings = environment.prepare(remedy, 1, environ={})
    assert settings.get("ONEDNN_MAX_CPU_ISA", "") == ("AVX512_CORE_FP16" if remedy is Remedy.CAP else "")


def test_threads_sleep_only_where_nothing_is_timed(libraries):
    waiting = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
    given = {"OMP_WAIT_POLICY": "ACTIVE"}
    timed, not_timed = (environment.prepare(Remedy.NONE, 2, timed=timed, environ=given) for timed in (True, False))
    assert {name: timed[name] for name in waiting if name in timed} == {"KMP_BLOCKTIME": "1"}
    assert {name: not_timed[name] for name in waiting} == waiting


def test_the_network_stays_untouched_unless_the_user_says_otherwise(no_libraries):
    assert environment.prepare(Remedy.NONE, 1, environ={})["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in environment.prepare(Remedy.NONE, 1, environ={"HF_HUB_OFFLINE": "0"})


def test_compiled_code_is_not_shared_between_remedies(no_libraries):
    folders = {environment.prepare(remedy, 1, environ={})["TORCHINDUCTOR_CACHE_DIR"] for remedy in Remedy}
    assert len(folders) == len(Remedy)


@pytest.mark.parametrize(
    ("flags", "knows", "tuned"), [({"avx512f"}, False, True), ({"avx512f"}, True, False), ({"avx2"}, False, False)]
)
def test_where_the_compiler_does_not_know_the_cpu_it_is_told_one(no_libraries, monkeypatch, flags, knows, tuned):
    monkeypatch.setattr(environment, "find_compiler", lambda: Compiler(command="g++", version="g++ 12"))
    monkeypatch.setattr(environment, "knows_this_cpu", lambda _compiler: knows)
    monkeypatch.setattr(environment, "read_cpu", lambda: replace(read_cpu(), flags=frozenset(flags)))
    assert ("TORCHINDUCTOR_CPP_MARCH" in environment.prepare(Remedy.NONE, 1, environ={})) is tuned


DECODER = """
import torch
from pytest_xeonperf.measure.ladder import Ladder, build_step
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.workloads.catalog import load
from pytest_xeonperf.workloads.presets import Preset

workload = load("sam-vit-b", Preset.QUICK, {})
ladder = Ladder(
    workload=workload, phase=workload.phase("decode"), preset="quick", baseline=NAMED["eager_fp32"], rungs=()
)
compiled, eager = (build_step(ladder, NAMED[name])[0]() for name in ("compiled_bf16", "sdpa_bf16"))
for found, expected in zip(compiled, eager, strict=True):
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.5)
"""
"""Its positions are added to a transposed image: the code that GCC 12 has wrong where it does not know the CPU."""


@pytest.mark.skipif(isinstance(find_compiler(), Unknown), reason="no working C++ compiler")
def test_what_the_compiler_makes_of_transposes_in_bf16_is_right(tmp_path):
    settings = {
        **os.environ,
        **environment.prepare(Remedy.NONE, 1),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "inductor"),
        "XEONPERF_CACHE": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DECODER], env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_libraries_that_are_there_are_preloaded_after_the_users_own(libraries):
    settings = environment.prepare(Remedy.NONE, 1, environ={"LD_PRELOAD": "/opt/mine.so"})
    assert settings["LD_PRELOAD"] == "/opt/mine.so:/usr/lib/libjemalloc.so.2:/venv/lib/libiomp5.so"
    assert "background_thread" in settings["MALLOC_CONF"]
    assert settings["KMP_BLOCKTIME"] == "1"


def test_a_library_the_user_preloads_is_not_preloaded_twice(libraries):
    settings = environment.prepare(Remedy.NONE, 1, environ={"LD_PRELOAD": "/conda/lib/libiomp5.so"})
    assert settings["LD_PRELOAD"] == "/conda/lib/libiomp5.so:/usr/lib/libjemalloc.so.2"


def test_preloading_can_be_refused(libraries):
    assert "LD_PRELOAD" not in environment.prepare(Remedy.NONE, 1, preload=False, environ={})


def test_without_libraries_nothing_is_preloaded(no_libraries):
    assert "LD_PRELOAD" not in environment.prepare(Remedy.NONE, 1, environ={})


def test_a_process_is_pinned_and_let_go_again():
    pytest.importorskip("torch")
    root = str(Path(environment.__file__).parents[2])
    settings = environment.prepare(Remedy.NONE, 1)
    ending = child.run([sys.executable, "-P", "-c", PROGRAM, root], settings, 120)
    assert ending.complaint == "", ending.stderr
    seen = json.loads(ending.stdout)
    assert seen["inside"] == [1, seen["cpus"], "ieee"]
    assert seen["after"] == seen["before"]
    assert seen["cores"] >= 1
