"""Fidelity of a language model: how far its next-token distribution is from the FP32 reference's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pytest_xeonperf.records import Score

if TYPE_CHECKING:
    from collections.abc import Callable


def distribution_scores(reference: object, output: object) -> tuple[Score, ...]:
    """``kl``: mean KL(reference || output) in nats. ``top1``: share of positions with the same most likely token.

    Args:
        reference: Logits [B, N, V] of the FP32 model.
        output: Logits [B, N, V] of the variant on the same tokens, of any floating-point dtype.
    """
    expected, found = _log_probabilities(reference), _log_probabilities(output)
    kl = torch.nn.functional.kl_div(found, expected, reduction="none", log_target=True).sum(dim=-1).mean()
    agreement = (expected.argmax(dim=-1) == found.argmax(dim=-1)).float().mean()
    return Score(name="kl", value=kl.item()), Score(name="top1", value=agreement.item())


def perplexity_scores(targets: torch.Tensor) -> Callable[[object, object], tuple[Score, ...]]:
    """`distribution_scores` and, against the tokens of a real text, ``perplexity`` and ``perplexity_ratio``.

    The ratio is the variant's perplexity over the reference's on the same tokens: 1.02 is 2 % worse.

    Args:
        targets: int64 [B, N]; the token that follows each position of the logits.
    """

    def scores(reference: object, output: object) -> tuple[Score, ...]:
        perplexity, reference_perplexity = _perplexity(output, targets), _perplexity(reference, targets)
        return (
            *distribution_scores(reference, output),
            Score(name="perplexity", value=perplexity),
            Score(name="perplexity_ratio", value=perplexity / reference_perplexity),
        )

    return scores


def _perplexity(logits: object, targets: torch.Tensor) -> float:
    log_probabilities = _log_probabilities(logits).gather(-1, targets[..., None])  # [B, N, 1]
    return math.exp(-log_probabilities.mean().item())


def _log_probabilities(logits: object) -> torch.Tensor:
    """fp32 [B, N, V]."""
    if not isinstance(logits, torch.Tensor):
        raise TypeError(f"a language model's step returns logits, not {type(logits).__name__}")
    return logits.float().log_softmax(dim=-1)
