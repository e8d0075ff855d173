"""ONNX Runtime as a peer: the same outputs from the same weights, or a clear word."""

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.variants import onnx_runtime, peers
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.workloads.protocol import Inputs, Workload

ASKED = {"runtime": "onnxruntime", "dtype": "fp32"}


@pytest.fixture
def installed():
    """Skip where the peer is not installed."""
    pytest.importorskip("onnxruntime", reason="the extra `peers` is not installed")
    pytest.importorskip("onnxscript", reason="the extra `peers` is not installed")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XEONPERF_CACHE", str(tmp_path))
    return tmp_path


class Nested(nn.Module):
    """Takes and gives tensors in nests, with something between them that is no tensor."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(16, 8)

    def forward(self, x, *, extra, scale=1.0):
        return {"sum": self.linear(x) + extra["bias"], "parts": (x * scale, extra["bias"] - scale)}


@pytest.mark.usefixtures("installed")
def test_it_gives_what_the_model_gives_in_the_same_nesting(own_cache):
    torch.manual_seed(0)
    module = Nested().requires_grad_(requires_grad=False)
    inputs = Inputs(args=(torch.randn(4, 16),), kwargs={"extra": {"bias": torch.randn(8)}, "scale": 3.0})
    workload = Workload(name="nested", build=lambda: module, inputs=lambda: inputs)
    variant, phase = from_keywords(ASKED), workload.phases[0]
    step = build(variant, workload, phase).bind(phase, prepared(phase.inputs(), variant))
    expected = module(*inputs.args, **inputs.kwargs)
    for _ in range(2):  # exported by the first call, run by both
        found = step()
        assert found.keys() == expected.keys()
        torch.testing.assert_close(found["sum"], expected["sum"])
        torch.testing.assert_close(found["parts"], expected["parts"])
    assert not list((own_cache / "weights").iterdir())  # the file is gone once it is loaded


@pytest.mark.usefixtures("installed")
def test_it_sees_new_inputs():
    call = onnx_runtime.compiler()(nn.Linear(4, 4).requires_grad_(requires_grad=False))
    x = torch.randn(2, 4)
    assert not torch.equal(call(x), call(x + 1))


@pytest.mark.usefixtures("installed")
def test_what_torch_cannot_export_is_not_applicable():
    def depends_on_data(x):
        return x * 2 if x.sum() > 0 else x

    with pytest.raises(NotApplicableError, match="torch does not export it to ONNX"):
        onnx_runtime.compiler()(depends_on_data)(torch.ones(2))


def test_it_has_no_bf16():
    with pytest.raises(UsageError, match=r"runs in FP32, not bf16.*\n.*say dtype='fp32'"):
        from_keywords({"runtime": "onnxruntime"})


@pytest.mark.parametrize("missing", ["onnxruntime", "onnxscript"])
def test_without_one_of_its_packages_it_says_how_to_get_it(monkeypatch, missing):
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(NotApplicableError, match=rf"{missing} is not installed.*\n.*pytest-xeonperf\[peers\]"):
        peers.require(from_keywords(ASKED))
