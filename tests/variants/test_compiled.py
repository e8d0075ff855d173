"""What compiled variants promise beside speed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pytest_xeonperf.variants import compiled

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
