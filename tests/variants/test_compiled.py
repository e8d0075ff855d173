"""What compiled variants promise beside speed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.variants import compiled
from pytest_xeonperf.variants.named import from_keywords

pytestmark = pytest.mark.usefixtures("cpp_compiler")


def graphs() -> int:
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


def test_a_second_call_compiles_nothing():
    call = compiled.compiler()(nn.Linear(4, 4))
    x = torch.randn(2, 4)
    with torch.no_grad():
        first = call(x)
        compiled_once = graphs()
        assert torch.equal(call(x), first)
    assert graphs() == compiled_once == 1


def test_more_variants_of_one_model_than_dynamos_limit_are_each_compiled():
    x, count = torch.randn(2, 4), 10
    compilers = [compiled.compiler() for _ in range(count)]
    layers = [nn.Sequential(nn.Linear(4, 4 + index), nn.ReLU()) for index in range(count)]
    with torch.no_grad():
        for compiler, layer in zip(compilers, layers, strict=True):
            assert compiler(layer)(x).shape == (2, layer[0].out_features)
    assert graphs() == count


def test_a_graph_break_is_no_error():
    def breaking(x: torch.Tensor) -> torch.Tensor:
        torch._dynamo.graph_break()
        return x + 1

    assert torch.equal(compiled.compiler()(breaking)(torch.zeros(2)), torch.ones(2))
    assert torch._dynamo.utils.counters["graph_break"]


@pytest.mark.parametrize("setting", ["freeze", "cpp_wrapper"])
def test_a_setting_is_in_force_while_it_compiles_and_leaves_the_process_as_it_was(setting, monkeypatch):
    from torch._inductor import compile_fx, config

    name = {"freeze": "freezing", "cpp_wrapper": "cpp_wrapper"}[setting]
    seen = []
    original = compile_fx.compile_fx

    def looking(*args, **kwargs):
        seen.append(getattr(config, name))
        return original(*args, **kwargs)

    monkeypatch.setattr(compile_fx, "compile_fx", looking)
    x, layer = torch.randn(2, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU()).eval().requires_grad_(requires_grad=False)
    before = getattr(config, name)
    with torch.no_grad():
        torch.testing.assert_close(compiled.compiler(**{setting: True})(layer)(x), layer(x))
    assert (seen[0], getattr(config, name)) == (True, before)


@pytest.mark.parametrize("setting", ["freeze", "cpp_wrapper"])
def test_a_setting_of_the_compiler_without_it_is_a_usage_error(setting):
    with pytest.raises(UsageError, match=f"{setting}=True without compile=True"):
        from_keywords({setting: True})
