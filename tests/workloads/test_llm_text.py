"""The tokens that language models are fed."""

from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.workloads.llm_sizes import Lengths
from pytest_xeonperf.workloads.llm_text import random_tokens, text_tokens


@pytest.fixture
def folder(tmp_path):
    """A tokenizer that knows bytes."""
    tokenizer = Tokenizer(models.BPE(vocab={chr(code): code - 32 for code in range(32, 127)}, merges=[], unk_token="~"))  # noqa: S106 - no password
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(tmp_path)
    return tmp_path


def spelled(tokens: torch.Tensor) -> str:
    return "".join(chr(token + 32) for token in tokens)


def test_a_short_call_reads_the_end_of_the_text(folder):
    tokens = text_tokens(folder, Lengths(prompt_tokens=20, new_tokens=12))
    assert tokens.shape == (1, 33)
    assert spelled(tokens[0]).strip("~").endswith("should stay in the harbour.")


def test_a_long_call_begins_with_repetitions_and_ends_with_the_text(folder):
    long = text_tokens(folder, Lengths(prompt_tokens=5000, new_tokens=12))
    short = text_tokens(folder, Lengths(prompt_tokens=500, new_tokens=12))
    assert long.shape == (1, 5013)
    assert torch.equal(long[:, -513:], short)


def test_sequences_of_a_batch_differ(folder):
    tokens = text_tokens(folder, Lengths(prompt_tokens=50, new_tokens=12, batch=2))
    assert tokens.shape == (2, 63)
    assert not torch.equal(tokens[0], tokens[1])


def test_a_folder_without_a_tokenizer_has_no_text(tmp_path):
    assert isinstance(text_tokens(tmp_path, Lengths(prompt_tokens=4, new_tokens=4)), Unknown)


def test_random_tokens_are_the_same_every_time_and_within_the_vocabulary():
    lengths = Lengths(prompt_tokens=100, new_tokens=12, batch=2)
    tokens = random_tokens(50, lengths)
    assert tokens.shape == (2, 113)
    assert torch.equal(tokens, random_tokens(50, lengths))
    assert 0 <= tokens.min() <= tokens.max() < 50
