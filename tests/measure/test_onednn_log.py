"""oneDNN's own word on what it ran."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.environment import prepare
from pytest_xeonperf.measure.onednn_log import listening
from pytest_xeonperf.records import Remedy

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
IN_TILES = """
import torch
from pytest_xeonperf.measure import onednn_log
from pytest_xeonperf.variants.dynamic_int8 import DynamicInt8
layer = DynamicInt8().linear(DynamicInt8().quantise(torch.ones(64, 64)), None).float()
sorted_out = onednn_log._sorted_out
def seen(printed):
    print("micro-kernels logged:", printed.count(b"ukernel,exec"))
    return sorted_out(printed)
onednn_log._sorted_out = seen
with onednn_log.listening() as names:
    torch.nn.functional.conv2d(torch.ones(8, 32, 32, 32), torch.ones(32, 32, 3, 3))
    layer(torch.ones(64, 64))
print(names)
"""
IMAGE, FILTERS = torch.ones(8, 32, 32, 32), torch.ones(32, 32, 3, 3)


def test_a_kernel_is_named_with_its_instruction_set():
    with listening() as names:
        functional.conv2d(IMAGE, FILTERS)
    assert [name for name in names if name.startswith("onednn::convolution:")]


def test_what_did_not_run_meanwhile_is_not_named():
    functional.conv2d(IMAGE, FILTERS)
    with listening() as names:
        torch.ones(3).sum()
    functional.conv2d(IMAGE, FILTERS)
    assert names == []


def test_the_log_stays_out_of_stdout_and_everything_else_comes_through(capfd):
    with listening():
        functional.conv2d(IMAGE, FILTERS)
        sys.stdout.write("a model that talks\n")
        os.write(1, b"and its library\n")
    sys.stdout.write("done\n")
    out = capfd.readouterr().out
    assert "onednn_verbose" not in out
    assert sorted(out.split("\n")) == sorted(["a model that talks", "and its library", "done", ""])


def test_an_error_leaves_stdout_as_it_was(capfd):
    with pytest.raises(ZeroDivisionError), listening():
        raise ZeroDivisionError
    sys.stdout.write("after\n")
    assert "after" in capfd.readouterr().out


@pytest.mark.skipif(
    "avx512_vnni" not in read_cpu().flags or shutil.which("g++") is None,
    reason="the kernel that works in tiles needs AVX512_VNNI and a C++ compiler",
)
@pytest.mark.parametrize("given", [{}, {"ONEDNN_VERBOSE": "none"}], ids=["ours", "the user's"])
def test_a_prepared_process_logs_primitives_and_not_every_call_of_a_micro_kernel(given):
    environ = {**os.environ, **given, **prepare(Remedy.NONE, 1, environ=given)}
    found = subprocess.run([sys.executable, "-c", IN_TILES], env=environ, capture_output=True, text=True, check=True)
    assert "onednn::convolution:" in found.stdout
    assert f"micro-kernels logged: {len(given)}\n" in found.stdout  # whoever has a setting of their own keeps it
