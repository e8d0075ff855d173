"""Arithmetic of layers against torch's own counting."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pytest_xeonperf.workloads import counting


@pytest.mark.parametrize(
    ("layer", "x", "work"),
    [
        (nn.Linear(6, 10), (7, 6), counting.linear(6, 10, rows=7)),
        (nn.Linear(6, 10, bias=False), (7, 6), counting.linear(6, 10, rows=7, bias=False)),
        (nn.Conv2d(3, 8, 3, padding=1), (1, 3, 5, 5), counting.conv(3, 8, kernel=3, pixels=25)),
        (nn.ConvTranspose2d(4, 6, 2, 2), (1, 4, 5, 5), counting.upsampling_conv(4, 6, kernel=2, pixels=25)),
        (nn.LayerNorm(9), (2, 9), counting.norm(9)),
    ],
)
def test_a_layer_counts_as_torch_counts_it(layer, x, work):
    with FlopCounterMode(display=False) as counter:
        layer(torch.zeros(x))
    assert work.parameters == sum(parameter.numel() for parameter in layer.parameters())
    assert work.flop == counter.get_total_flops()


def test_attention_counts_both_products_of_all_heads():
    q, k = torch.zeros(2, 5, 4), torch.zeros(2, 7, 4)  # two heads of four channels
    with FlopCounterMode(display=False) as counter:
        (q @ k.transpose(1, 2)) @ k
    assert counting.attend(8, queries=5, keys=7).flop == counter.get_total_flops()


def test_layers_multiply_weights_and_calls_do_not():
    work = counting.Work(parameters=3, flop=5)
    assert work * 2 == counting.Work(parameters=6, flop=10)
    assert work.called(2) == counting.Work(parameters=3, flop=10)
