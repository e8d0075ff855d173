import json
import sys
from pathlib import Path

import pytest

from pytest_xeonperf.host import child, environment
from pytest_xeonperf.host.libraries import Library, Role
from pytest_xeonperf.records import Remedy

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


def test_the_network_stays_untouched_unless_the_user_says_otherwise(no_libraries):
    assert environment.prepare(Remedy.NONE, 1, environ={})["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in environment.prepare(Remedy.NONE, 1, environ={"HF_HUB_OFFLINE": "0"})


def test_compiled_code_is_not_shared_between_remedies(no_libraries):
    folders = {environment.prepare(remedy, 1, environ={})["TORCHINDUCTOR_CACHE_DIR"] for remedy in Remedy}
    assert len(folders) == len(Remedy)


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
