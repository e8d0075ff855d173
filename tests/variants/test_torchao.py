"""torchao as a peer: its own quantisation, near the weights it was given, counted as it is stored."""

import logging

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.variants import peers, torchao
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.workloads.protocol import Inputs, Workload


@pytest.fixture
def installed():
    """Skip where the peer is not installed."""
    pytest.importorskip("torchao", reason="the extra `peers` is not installed")


def _built(module, inputs, **keywords):
    workload = Workload(name="layers", build=lambda: module, inputs=lambda: inputs)
    variant, phase = from_keywords({"kernel": "torchao", **keywords}), workload.phases[0]
    built = build(variant, workload, phase)
    return built, built.bind(phase, prepared(phase.inputs(), variant))


@pytest.fixture
def layers():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(256, 128), nn.Linear(128, 64, bias=False)).requires_grad_(requires_grad=False)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("woq", "least"), [("int8", 0.999), ("int4", 0.98)])
def test_it_computes_about_what_the_weights_say(layers, woq, least):
    x = torch.randn(1, 256)
    exact = layers(x)
    _built_as, step = _built(layers, Inputs(args=(x,)), woq=woq)
    found = step().float()
    assert torch.nn.functional.cosine_similarity(found, exact).item() > least
    assert not torch.equal(found, exact)


@pytest.mark.usefixtures("installed")
def test_its_weights_are_counted_as_it_stores_them(layers):
    built, _step = _built(layers, Inputs(args=(torch.randn(1, 256),)), woq="int8")
    weights, bias_bytes = 256 * 128 + 128 * 64, 2 * 128
    assert weights < built.weight_bytes - bias_bytes < 1.1 * weights


@pytest.mark.usefixtures("installed")
def test_a_layer_that_torchs_kernel_would_crash_on_is_left_and_listed():
    odd = nn.Sequential(nn.Linear(24, 64), nn.Linear(64, 16)).requires_grad_(requires_grad=False)
    built, _step = _built(odd, Inputs(args=(torch.randn(1, 24),)), woq="int8")
    assert built.left_in_bf16 == ("0: K=24 is not a multiple of 16",)


@pytest.mark.usefixtures("installed")
def test_a_model_without_linear_layers_is_not_applicable():
    convolution = nn.Conv2d(3, 8, 3).requires_grad_(requires_grad=False)
    with pytest.raises(NotApplicableError, match="no Linear layer that torchao's int8 can quantise"):
        _built(convolution, Inputs(args=(torch.randn(1, 3, 8, 8),)), woq="int8")


@pytest.mark.usefixtures("installed")
def test_settings_of_the_process_are_left_alone(layers):
    import torch._inductor.config as settings

    before = settings.save_config_portable(), logging.getLogger("torchao").level
    _built(layers, Inputs(args=(torch.randn(1, 256),)), woq="int4")
    assert (settings.save_config_portable(), logging.getLogger("torchao").level) == before


def test_a_plain_tensor_has_its_own_bytes():
    assert torchao.stored_bytes(torch.zeros(3, dtype=torch.bfloat16)) == 6


def test_it_is_for_quantised_weights():
    with pytest.raises(UsageError, match=r"kernel='torchao' quantises weights.*\n.*say woq="):
        from_keywords({"kernel": "torchao"})


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    with pytest.raises(NotApplicableError, match=r"torchao is not installed.*\n.*pytest-xeonperf\[peers\]"):
        peers.require(from_keywords({"kernel": "torchao", "woq": "int8"}))
