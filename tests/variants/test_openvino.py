"""OpenVINO as a peer: the same outputs from the same weights, or a clear word."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.variants import openvino
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.spec import Dtype, from_keywords
from pytest_xeonperf.workloads.protocol import Inputs, Phase, Workload


class Nested(nn.Module):
    """Takes and gives tensors in nests, with something between them that is no tensor."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(16, 8)

    def forward(self, x, *, extra, scale=1.0):
        return {"sum": self.linear(x) + extra["bias"], "parts": (x * scale, extra["bias"] - scale)}


@pytest.fixture
def installed():
    """Skip where the peer is not installed."""
    pytest.importorskip("openvino", reason="the extra `peers` is not installed")


def _step(workload, **keywords):
    phase = workload.phases[0]
    variant = from_keywords({"runtime": "openvino", **keywords})
    built = build(variant, workload, phase)
    return phase.bind(built.module, prepared(phase.inputs(), variant), built.compiler), built


def _workload(**changes):
    torch.manual_seed(0)
    module = Nested().requires_grad_(requires_grad=False)
    inputs = Inputs(args=(torch.randn(4, 16),), kwargs={"extra": {"bias": torch.randn(8)}, "scale": 3.0}, **changes)
    return Workload(name="nested", build=lambda: module, inputs=lambda: inputs), module, inputs


@pytest.mark.usefixtures("installed")
def test_it_gives_what_the_model_gives_in_the_same_nesting():
    workload, module, inputs = _workload()
    step, _built = _step(workload, dtype="fp32")
    expected = module(*inputs.args, **inputs.kwargs)
    for _ in range(2):  # traced by the first call, run by both
        found = step()
        assert found.keys() == expected.keys()
        torch.testing.assert_close(found["sum"], expected["sum"])
        torch.testing.assert_close(found["parts"], expected["parts"])


@pytest.mark.usefixtures("installed")
def test_in_bf16_it_rounds_for_itself_and_its_weights_are_counted_so():
    workload, module, inputs = _workload()
    step, built = _step(workload)
    found, expected = step()["sum"], module(*inputs.args, **inputs.kwargs)["sum"]
    assert found.dtype == torch.float32
    assert (found - expected).norm() / expected.norm() < 0.02
    assert built.weight_bytes == 2 * (16 * 8 + 8)


@pytest.mark.usefixtures("installed")
def test_it_sees_new_inputs():
    call = openvino.compiler(Dtype.FP32)(nn.Linear(4, 4).requires_grad_(requires_grad=False))
    x = torch.randn(2, 4)
    assert not torch.equal(call(x), call(x + 1))


def test_a_phase_that_keeps_a_state_is_refused(monkeypatch):
    monkeypatch.setattr(openvino, "find_spec", lambda _name: object())
    workload, *_ = _workload()
    stateful = Phase(name="decode", build=workload.phases[0].build, inputs=Inputs, stateful=True)
    with pytest.raises(NotApplicableError, match="decode keeps a state between calls"):
        _step(Workload(name="nested", phases=(stateful,)))


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(openvino, "find_spec", lambda _name: None)
    with pytest.raises(NotApplicableError, match=r"OpenVINO is not installed.*\n.*pytest-xeonperf\[peers\]"):
        _step(_workload()[0])


@pytest.mark.parametrize(
    "keywords",
    [
        {"compile": True},
        {"channels_last": True},
        {"attention": "fused"},
        {"kernel": "stream"},
        {"woq": "int8"},
        {"compile": True, "freeze": True},
    ],
    ids=str,
)
def test_what_torch_does_is_not_asked_of_a_peer(keywords):
    with pytest.raises(UsageError, match="runtime='openvino' has no"):
        from_keywords({"runtime": "openvino", **keywords})


def test_its_name_says_who_runs_it():
    assert from_keywords({"runtime": "openvino"}).name == "openvino-bf16-sdpa"
    assert replace(from_keywords({"runtime": "openvino"}), dtype=Dtype.FP32).tensor_dtype is Dtype.FP32
