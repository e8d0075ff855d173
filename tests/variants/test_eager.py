"""The cast of modules and inputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pytest_xeonperf.variants.eager import cast_inputs, cast_module, uncompiled
from pytest_xeonperf.variants.spec import Dtype
from pytest_xeonperf.workloads.precision import keep_dtype
from pytest_xeonperf.workloads.protocol import Inputs


class Mixed(nn.Module):
    """Tensors of many kinds, a tied weight and a table of its own."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(8, 4)
        self.head = nn.Linear(4, 8)
        self.head.weight = self.embedding.weight
        self.register_buffer("mean", torch.ones(4))
        self.register_buffer("shift", torch.ones(4), persistent=False)
        self.register_buffer("positions", torch.arange(4))
        self.register_buffer("turns", torch.ones(4, dtype=torch.complex64))
        self.rotary = nn.Module()
        self.rotary.register_buffer("inv_freq", torch.rand(4), persistent=False)
        keep_dtype(self.rotary)


def test_floating_parameters_and_buffers_get_the_dtype_and_the_rest_keeps_its_own():
    module = cast_module(Mixed(), Dtype.BF16)
    assert {parameter.dtype for parameter in module.parameters()} == {torch.bfloat16}
    assert module.mean.dtype == module.shift.dtype == torch.bfloat16
    assert module.positions.dtype == torch.int64
    assert module.turns.dtype == torch.complex64
    assert "shift" not in module.state_dict()


def test_a_marked_module_keeps_its_dtype():
    module = Mixed()
    frequencies = module.rotary.inv_freq.clone()
    cast_module(module, Dtype.BF16)
    assert torch.equal(module.rotary.inv_freq, frequencies)
    assert module.rotary.inv_freq.dtype == torch.float32


def test_tied_parameters_stay_tied():
    module = cast_module(Mixed(), Dtype.BF16)
    assert module.head.weight is module.embedding.weight


@pytest.mark.parametrize("dtype", list(Dtype))
def test_every_cast_moves_the_weights_into_memory_of_their_own(dtype):
    module = nn.Linear(4, 4)
    given = module.weight.data_ptr()
    expected = module.weight.detach().clone()
    cast_module(module, dtype)
    assert module.weight.data_ptr() != given
    torch.testing.assert_close(module.weight.detach().float(), expected, rtol=2**-8, atol=0)


def test_inputs_are_cast_in_any_nesting_and_integers_are_not():
    x = torch.randn(2)
    inputs = Inputs(args=(x, [x, {"deep": (x, 3)}]), kwargs={"mask": torch.ones(2, dtype=torch.bool), "ids": (1, "a")})
    cast = cast_inputs(inputs, Dtype.BF16)
    assert cast.args[0].dtype == torch.bfloat16
    assert cast.args[1][1]["deep"][0].dtype == torch.bfloat16
    assert cast.args[1][1]["deep"][1] == 3
    assert cast.kwargs["mask"].dtype == torch.bool
    assert cast.kwargs["ids"] == (1, "a")
    assert x.dtype == torch.float32


def test_eager_leaves_the_hot_callable_as_it_is():
    assert uncompiled(len) is len
