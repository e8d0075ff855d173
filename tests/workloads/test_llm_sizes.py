"""Arithmetic against the models themselves, built without memory."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, LlamaConfig

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.workloads import llm, llm_sizes
from pytest_xeonperf.workloads.llm_sizes import LLAMA_2_7B, SMOLLM2_135M, Lengths, Shape, footprint, footprint_of
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Footprint


def configuration(shape: Shape) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_width,
        tie_word_embeddings=shape.tied,
    )


@pytest.mark.parametrize("shape", [*LLAMA_2_7B.values(), SMOLLM2_135M], ids=[*LLAMA_2_7B, "smollm2"])
def test_parameters_are_those_of_the_model(shape):
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(configuration(shape))
    assert sum(parameter.numel() for parameter in model.parameters()) == shape.parameters


def test_the_full_model_is_the_published_one():
    assert LLAMA_2_7B[Preset.FULL].parameters == 6_738_415_616


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_operations_are_those_that_torch_counts(phase, tmp_path, monkeypatch):
    monkeypatch.setenv("XEONPERF_CACHE", str(tmp_path))
    bound = llm.load("llama-2-7b", Preset.SMOKE, {}).phase(phase)
    with torch.no_grad():
        step = bound.bind(bound.build(), bound.inputs(), lambda call: call)
        with FlopCounterMode(display=False) as counter:
            step()
    counted, expected = counter.get_total_flops(), footprint("llama-2-7b", phase, Preset.SMOKE)
    assert isinstance(expected, Footprint)
    assert counted == pytest.approx(expected.flop, rel=0.01)  # less what the rotary embedding multiplies


def test_the_size_of_a_checkpoint_is_unknown_until_it_is_named():
    assert isinstance(footprint("llm", "decode", Preset.QUICK), Unknown)


def test_a_name_that_is_no_language_model_is_a_usage_error():
    with pytest.raises(UsageError, match="use llama-2-7b, smollm2-135m or llm"):
        footprint("sam-vit-b", "decode", Preset.QUICK)


@given(prompt=st.integers(1, 512), new=st.integers(1, 64), batch=st.integers(1, 4))
def test_more_of_anything_never_needs_less(prompt, new, batch):
    lengths = Lengths(prompt_tokens=prompt, new_tokens=new, batch=batch)
    more = Lengths(prompt_tokens=prompt + 1, new_tokens=new + 1, batch=batch + 1)
    for phase in ("prefill", "decode"):
        small, large = (footprint_of(SMOLLM2_135M, phase, which) for which in (lengths, more))
        assert small.flop < large.flop
        assert small.activation_bytes < large.activation_bytes
        assert small.parameters == large.parameters


@pytest.mark.parametrize("shape", [LLAMA_2_7B[Preset.QUICK], SMOLLM2_135M])
def test_the_shape_of_a_checkpoint_is_read_from_its_configuration(shape):
    assert llm_sizes.shape_of(configuration(shape).to_dict()) == shape


def test_a_configuration_may_leave_out_what_follows_from_the_rest():
    given_fields = {"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "intermediate_size": 11008}
    described = llm_sizes.shape_of({**given_fields, "num_attention_heads": 32, "vocab_size": 32000})
    assert described == LLAMA_2_7B[Preset.FULL]


def test_another_architecture_has_no_shape_but_a_reason():
    assert llm_sizes.shape_of({"model_type": "gpt2"}) == Unknown(reason="no arithmetic for the architecture 'gpt2'")


def test_the_arithmetic_imports_no_torch():
    code = "import sys, pytest_xeonperf.workloads.llm_sizes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
