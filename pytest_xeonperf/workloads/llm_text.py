"""The tokens a language model is fed: a bundled text where it has a tokenizer, seeded random ones where it has none.

The text was written for this project. Since no model was trained on it, a perplexity on it is not a feat of memory.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import torch
from transformers import AutoTokenizer

from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.workloads.llm_sizes import Lengths

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")


def random_tokens(vocabulary: int, lengths: Lengths, seed: int = 0) -> torch.Tensor:
    """Tokens int64 [B, P + N + 1], the same on every call."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(vocabulary, (lengths.batch, lengths.cache_tokens + 1), generator=generator)


def text_tokens(folder: Path, lengths: Lengths) -> torch.Tensor | Unknown:
    """The bundled text's tokens int64 [B, P + N + 1], or why there are none.

    A longer call starts with as many repetitions as it takes, so that the tokens scored are always the text's last
    ones; with more than one sequence, each starts somewhere else in it.
    """
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        return Unknown(reason=f"no tokenizer in {folder}")
    text = resources.files("pytest_xeonperf.workloads").joinpath("data", "prose.txt").read_text(encoding="utf-8")
    tokens = torch.tensor(AutoTokenizer.from_pretrained(folder, local_files_only=True)(text)["input_ids"])  # int64 [T]
    count = lengths.cache_tokens + 1
    long_enough = tokens.repeat(-(-count // len(tokens)))[-count:]
    return torch.stack([long_enough.roll(sequence * 16) for sequence in range(lengths.batch)])
