"""A checkpoint that brings its tokenizer is scored on a text, in the same way as on everything else."""

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from pytest_xeonperf.measure.ladder import Ladder, measure_ladder
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.workloads import llm
from pytest_xeonperf.workloads.presets import Preset

VOCABULARY = 95


@pytest.fixture
def checkpoint(tmp_path):
    """One layer that was never trained: to it, one character is about as likely as another."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4
    )
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture
def scores_of(bench):
    """Measures decoding with a checkpoint and gives what its fidelity came to."""

    def measure(path):
        workload = llm.load("llm", Preset.SMOKE, {"checkpoint": path, "prompt_tokens": 5})
        ladder = Ladder(
            workload=workload,
            phase=workload.phase("decode"),
            preset="smoke",
            baseline=NAMED["eager_fp32"],
            rungs=(NAMED["eager_bf16"],),
        )
        return {score.name: score.value for score in measure_ladder(ladder, bench)["eager_bf16"].fidelity}

    return measure


def test_decoding_with_a_tokenizer_has_a_perplexity_and_what_it_lost_of_the_reference_s(scores_of, checkpoint):
    characters = {chr(code): code - 32 for code in range(32, 32 + VOCABULARY)}
    tokenizer = Tokenizer(models.BPE(vocab=characters, merges=[], unk_token="~"))  # noqa: S106 - no password
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(checkpoint)
    scores = scores_of(checkpoint)
    assert VOCABULARY / 2 < scores["perplexity"] < VOCABULARY * 2
    assert scores["perplexity_ratio"] == pytest.approx(1, abs=0.02)


def test_decoding_without_a_tokenizer_has_none(scores_of, checkpoint):
    assert not [name for name in scores_of(checkpoint) if name.startswith("perplexity")]
