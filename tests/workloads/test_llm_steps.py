"""The two timed calls against a plain forward of the whole text."""

from __future__ import annotations

import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

from pytest_xeonperf.errors import DataError, NotApplicableError
from pytest_xeonperf.workloads import llm_steps
from pytest_xeonperf.workloads.protocol import Inputs

PROMPT, NEW = 9, 4


def model(*, kv_heads: int = 4, attention: str = "eager") -> torch.nn.Module:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
    )
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()


def inputs(batch: int = 1) -> Inputs:
    tokens = torch.randint(64, (batch, PROMPT + NEW), generator=torch.Generator().manual_seed(3))
    return Inputs(kwargs={"prompt": tokens[:, :PROMPT], "forced": tokens[:, PROMPT:]})


def whole(module: torch.nn.Module, given: Inputs) -> torch.Tensor:
    return module(torch.cat((given.kwargs["prompt"], given.kwargs["forced"]), dim=1), use_cache=False).logits


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kv_heads", [4, 1])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@torch.no_grad()
def test_both_steps_give_the_logits_of_a_forward_without_a_cache(attention, kv_heads, batch):
    module, given = model(kv_heads=kv_heads, attention=attention), inputs(batch)
    expected = whole(module, given)
    first = llm_steps.prefill(module, given, lambda call: call)()
    torch.testing.assert_close(first, expected[:, PROMPT - 1 : PROMPT])
    decoded = llm_steps.decode(module, given, lambda call: call)()
    torch.testing.assert_close(decoded, expected[:, PROMPT:])


@pytest.mark.parametrize("bind", [llm_steps.prefill, llm_steps.decode])
@torch.no_grad()
def test_a_step_gives_the_same_every_time(bind):
    step = bind(model(), inputs(), lambda call: call)
    assert torch.equal(step(), step())


@torch.no_grad()
def test_the_compilers_callable_is_called_once_a_token_with_one_token():
    shapes = []

    def compiler(call):
        def spy(tokens):
            shapes.append(tuple(tokens.shape))
            logits, chosen = call(tokens)
            assert torch.equal(chosen, logits.argmax(dim=-1))
            return logits, chosen

        return spy

    llm_steps.decode(model(), inputs(batch=2), compiler)()
    assert shapes == [(2, 1)] * NEW


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("bind", [llm_steps.prefill, llm_steps.decode])
@torch.no_grad()
def test_a_compiled_step_is_one_graph_for_all_positions(bind, attention):
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    module, given = model(kv_heads=2, attention=attention), inputs()
    # Dynamo alone shows graphs, breaks and recompilations, without the time that C++ takes.
    step = bind(module, given, lambda call: torch.compile(call, backend="eager", fullgraph=True, dynamic=False))
    first = step()
    assert torch.equal(step(), first)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    torch.testing.assert_close(first, bind(module, given, lambda call: call)())


@torch.no_grad()
def test_layers_that_slide_over_the_text_cannot_be_rewound():
    config = MistralConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=4,
        sliding_window=4,
    )
    module = AutoModelForCausalLM.from_config(config).eval()
    with pytest.raises(NotApplicableError, match="cannot be rewound"):
        llm_steps.decode(module, inputs(), lambda call: call)


@pytest.mark.parametrize("bind", [llm_steps.prefill, llm_steps.decode])
def test_more_tokens_than_the_model_has_positions_for_are_refused(bind):
    short = model()
    short.config.max_position_embeddings = PROMPT + NEW - 1
    with pytest.raises(DataError, match=r"take 13 positions, the model was made for 12.*\n.*fewer prompt_tokens"):
        bind(short, inputs(), lambda call: call)
