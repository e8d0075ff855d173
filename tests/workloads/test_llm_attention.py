"""The attention of language models: a compiled prefill is causal by itself, decoding keeps its mask."""

import functools

import pytest
import torch

from pytest_xeonperf.workloads import llm
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention


def run(phase_name, attention, compiler, *, prompt_tokens):
    """What a phase gives in FP32."""
    workload = llm.load("llama-2-7b", Preset.SMOKE, {"prompt_tokens": prompt_tokens})
    phase = workload.phase(phase_name)
    module = workload.attention(phase.build().float(), attention)
    with torch.no_grad():
        return phase.bind(module, phase.inputs(), compiler)()


def attentions_of(phase_name, *, prompt_tokens):
    """What the step gives, and how its compiled graph asks for attention: (has a mask, is causal) of each layer."""
    asked = []

    def look(graph, _example_inputs):
        asked.extend(
            (node.kwargs["attn_mask"] is not None, node.kwargs["is_causal"])
            for node in graph.graph.nodes
            if node.target is torch.nn.functional.scaled_dot_product_attention
        )
        return graph.forward

    torch._dynamo.reset()
    compiler = functools.partial(torch.compile, backend=look)
    return run(phase_name, Attention.SDPA, compiler, prompt_tokens=prompt_tokens), asked


def plain(phase_name, *, prompt_tokens):
    return run(phase_name, Attention.PLAIN, lambda call: call, prompt_tokens=prompt_tokens)


@pytest.mark.parametrize("prompt_tokens", [2, 7, 16])
def test_a_compiled_prefill_needs_no_mask(prompt_tokens):
    out, asked = attentions_of("prefill", prompt_tokens=prompt_tokens)
    assert set(asked) == {(False, True)}
    torch.testing.assert_close(out, plain("prefill", prompt_tokens=prompt_tokens))


def test_decoding_masks_what_is_not_there_yet():
    out, asked = attentions_of("decode", prompt_tokens=7)
    assert set(asked) == {(True, False)}
    torch.testing.assert_close(out, plain("decode", prompt_tokens=7))
