import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_xeonperf.host import fingerprint
from pytest_xeonperf.host.onednn import LOG_OF_PRIMITIVES
from pytest_xeonperf.host.topology import read_topology
from pytest_xeonperf.records import Amx, Isa, Limits, Remedy, Unknown

BUILD = """\
PyTorch built with:
  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64 architecture applications
  - Intel(R) MKL-DNN v3.12.0 (Git Hash 80afa71049cd69a3df32adcccb623b12cd7baa22)
"""
AMX = Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail="")


def test_versions_are_read_from_torchs_build():
    assert fingerprint.parse_build(BUILD) == {"onednn": "3.12.0", "mkl": "2024.2"}
    assert fingerprint.parse_build("a build without either") == {}


def test_settings_that_steer_a_measurement_are_facts_and_others_are_not():
    environ = {
        "OMP_NUM_THREADS": "2", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_FP16", "LD_PRELOAD": "a.so", "CXX": "g++",
        "TORCHINDUCTOR_CACHE_DIR": "/somewhere", "HOME": "/root", "AWS_SECRET_ACCESS_KEY": "x", "MY_OMP_THING": "1",
    }  # fmt: skip
    names = set(fingerprint.settings(environ))
    assert names == {"env.OMP_NUM_THREADS", "env.ONEDNN_MAX_CPU_ISA", "env.LD_PRELOAD", "env.CXX"}


def test_a_log_that_somebody_wants_is_a_fact_and_ours_that_keeps_silent_is_none():
    assert fingerprint.settings({"ONEDNN_VERBOSE": "1"}) == {"env.ONEDNN_VERBOSE": "1"}
    assert fingerprint.settings({"ONEDNN_VERBOSE": LOG_OF_PRIMITIVES}) == {}


def test_what_is_not_installed_has_no_version():
    found = fingerprint.installed_versions(("pytest", "no-such-distribution"))
    assert list(found) == ["pytest"]


def machine(**changes):
    facts = {"isa": Isa.AMX_BF16, "threads": 2, "topology": read_topology(), "limits": Unknown(reason="not asked")}
    return fingerprint.machine(amx=AMX, **{**facts, **changes})


def test_a_machine_knows_its_software_and_is_the_same_when_asked_again():
    pytest.importorskip("torch")
    seen = machine()
    names = [name for name, _ in seen.facts]
    assert names == sorted(names)
    assert {"torch", "onednn", "openmp", "allocator", "kernel", "python", "numa_nodes"} <= set(names)
    assert all(value for _, value in seen.facts)
    assert machine().fingerprint == seen.fingerprint


def test_limits_change_from_session_to_session_and_the_fingerprint_does_not():
    pytest.importorskip("torch")
    limits = Limits(read_bytes_per_s=1.0, fp32_flop_per_s=1.0, bf16_flop_per_s=1.0, int8_op_per_s=1.0)
    assert machine(limits=limits).fingerprint == machine().fingerprint


def test_the_header_needs_no_torch():
    code = (
        "import json, sys; from pytest_xeonperf.host import environment, findings, fingerprint, inspection\n"
        "from pytest_xeonperf.records import Amx, Isa, Remedy, Unknown\n"
        "amx = Amx(advertised=False, usable_by_onednn=False, usable_by_inductor=False, remedy=Remedy.NONE, detail='')\n"
        "seen = fingerprint.machine_without_torch(amx=amx, isa=Isa.AVX2, threads=1, limits=Unknown(reason=''))\n"
        "print(json.dumps([seen.cpu_model, 'torch' in sys.modules]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(fingerprint.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    model, has_torch = json.loads(done.stdout)
    assert model
    assert not has_torch
