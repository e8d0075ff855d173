"""Inductor's own matrix products, where they win or are the only ones."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.variants import autotuned, compiled
from pytest_xeonperf.variants.named import from_keywords

pytestmark = pytest.mark.usefixtures("cpp_compiler")


def _layers():
    # [256, 64] bf16 in
    layers = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 64))
    return layers.to(torch.bfloat16).eval().requires_grad_(requires_grad=False)


def _operators(call, x):
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        call(x)
    return {event.key for event in profiler.key_averages()}


def test_its_products_are_seen_by_the_profiler_and_are_right(monkeypatch):
    monkeypatch.setattr(autotuned, "SETTINGS", {**autotuned.SETTINGS, "max_autotune_gemm_backends": "CPP"})
    layers, x = _layers(), torch.randn(256, 64, dtype=torch.bfloat16)
    call = compiled.compiler(freeze=True, autotune=True)(layers)
    with torch.no_grad():
        torch.testing.assert_close(call(x), layers(x), atol=0.03, rtol=0.03)
        found = _operators(call, x)
    assert {name for name in found if "gemm_m256n128k64" in name}
    assert not any("mkldnn::_linear" in name for name in found)


def test_timing_says_nothing_and_warns_of_nothing(capfd):
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled.compiler(freeze=True, autotune=True)(_layers())(torch.randn(256, 64, dtype=torch.bfloat16))
    out, err = capfd.readouterr()
    assert "AUTOTUNE" not in out + err
    assert "Autotune" not in out + err


def test_it_takes_frozen_weights():
    with pytest.raises(UsageError, match="autotune=True without freeze=True"):
        from_keywords({"compile": True, "autotune": True})
    named = from_keywords({"compile": True, "freeze": True, "autotune": True})
    assert named.name == "bf16-sdpa-compiled-frozen-autotuned"
