"""OpenVINO as a peer: the same outputs from the same weights, or a clear word."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants import openvino, peers
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.variants.spec import Dtype
from pytest_xeonperf.workloads.protocol import Inputs, Phase, Workload

IN_FP32 = from_keywords({"runtime": "openvino", "dtype": "fp32"})


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
@pytest.mark.skipif(read_cpu().isa.rank < Isa.AVX512_BF16.rank, reason="it rounds only where the processor has BF16")
def test_in_bf16_it_rounds_for_itself_and_what_goes_in_and_out_is_fp32():
    torch.manual_seed(0)
    x, layer = torch.randn(256, 512), nn.Linear(512, 256).requires_grad_(requires_grad=False)
    step, _built = _step(Workload(name="wide", build=lambda: layer, inputs=lambda: Inputs(args=(x,))))
    found, exact = step(), layer(x)
    assert found.dtype == torch.float32
    assert 1e-4 < (found - exact).norm() / exact.norm() < 1e-2


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("kernel", ["aten", "nncf"], ids=["weights alone", "all that is multiplied"])
def test_in_int8_it_is_not_far_off_and_its_weights_are_bytes(kernel, capsys):
    pytest.importorskip("nncf", reason="the extra `openvino` is not installed")
    torch.manual_seed(0)
    x = torch.randn(256, 512)
    layers = nn.Sequential(nn.Linear(512, 256), nn.GELU(), nn.Linear(256, 128)).requires_grad_(requires_grad=False)
    workload = Workload(name="wide", build=lambda: layers, inputs=lambda: Inputs(args=(x,)))
    step, built = _step(workload, dtype="fp32", woq="int8", kernel=kernel)
    found, exact = step(), layers(x)
    assert 1e-3 < (found - exact).norm() / exact.norm() < 5e-2
    assert capsys.readouterr().out == ""
    assert built.weight_bytes == 512 * 256 + 256 * 128 + 4 * (256 + 128)


def test_nncf_quantises_models_of_openvino_alone():
    variant = from_keywords({"runtime": "openvino", "woq": "int8", "kernel": "nncf"})
    assert variant.name == "openvino-bf16-sdpa-int8-nncf"
    with pytest.raises(UsageError, match="kernel='nncf' quantises models of OpenVINO"):
        from_keywords({"woq": "int8", "kernel": "nncf"})
    with pytest.raises(UsageError, match="kernel='nncf' multiplies int8 weights"):
        from_keywords({"runtime": "openvino", "kernel": "nncf"})
    with pytest.raises(UsageError, match="runtime='onnxruntime' has no kernel='nncf'"):
        from_keywords({"runtime": "onnxruntime", "dtype": "fp32", "kernel": "nncf"})
    with pytest.raises(UsageError, match="runtime='openvino' has no woq='int4'"):
        from_keywords({"runtime": "openvino", "woq": "int4", "kernel": "nncf"})


def test_its_weights_are_counted_as_it_keeps_them_and_a_table_is_not_streamed(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda _name: object())
    model = nn.Sequential(nn.Embedding(100, 16), nn.Linear(16, 8, bias=False))
    workload = Workload(name="text", build=lambda: model, inputs=Inputs)
    built = build(from_keywords({"runtime": "openvino"}), workload, workload.phases[0])
    assert (built.weight_bytes, built.streamed_bytes) == (2 * (1600 + 128), 2 * 128)


@pytest.mark.usefixtures("installed")
def test_an_argument_that_is_no_tensor_may_not_change():
    call = openvino.compiler(IN_FP32)(lambda x, scale: x * scale)
    x = torch.ones(2)
    assert torch.equal(call(x, 2.0), 2 * x)
    with pytest.raises(NotApplicableError, match="no tensors change between calls"):
        call(x, 3.0)


@pytest.mark.usefixtures("installed")
def test_it_sees_new_inputs():
    call = openvino.compiler(IN_FP32)(nn.Linear(4, 4).requires_grad_(requires_grad=False))
    x = torch.randn(2, 4)
    assert not torch.equal(call(x), call(x + 1))


def test_without_what_quantises_for_it_too(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name == "nncf" else object())
    with pytest.raises(NotApplicableError, match="nncf is not installed"):
        _step(_workload()[0], woq="int8")


def test_a_phase_that_keeps_a_state_is_refused(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda _name: object())
    workload, *_ = _workload()
    stateful = Phase(name="decode", build=workload.phases[0].build, inputs=Inputs, stateful=True)
    with pytest.raises(NotApplicableError, match="decode keeps a state between calls"):
        _step(Workload(name="nested", phases=(stateful,)))


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    with pytest.raises(NotApplicableError, match=r"openvino is not installed.*\n.*pytest-xeonperf\[peers\]"):
        _step(_workload()[0])


@pytest.mark.parametrize(
    "keywords",
    [
        {"compile": True},
        {"channels_last": True},
        {"attention": "fused"},
        {"kernel": "stream"},
        {"woq": "int4"},
        {"freeze": True},
        {"cpp_wrapper": True},
        {"autotune": True},
        {"internals": "bf16", "dtype": "fp32"},
    ],
    ids=str,
)
def test_what_torch_does_is_not_asked_of_a_peer(keywords):
    with pytest.raises(UsageError, match="runtime='openvino' has no"):
        from_keywords({"runtime": "openvino", **keywords})


def test_its_name_says_who_runs_it():
    assert from_keywords({"runtime": "openvino"}).name == "openvino-bf16-sdpa"
    assert replace(from_keywords({"runtime": "openvino"}), dtype=Dtype.FP32).tensor_dtype is Dtype.FP32
