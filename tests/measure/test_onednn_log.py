"""oneDNN's own word on what it ran."""

import os
import sys

import pytest
import torch
from torch.nn import functional

from pytest_xeonperf.measure.onednn_log import listening

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
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
