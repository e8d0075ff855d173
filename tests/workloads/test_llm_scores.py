"""Divergence, agreement and perplexity on distributions that can be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from pytest_xeonperf.workloads.llm_scores import distribution_scores, perplexity_scores


def logits(*rows: tuple[float, ...]) -> torch.Tensor:
    """[1, positions, V] from probabilities."""
    return torch.tensor([rows]).log()


def as_dict(scores) -> dict[str, float]:
    return {score.name: score.value for score in scores}


def test_equal_logits_do_not_diverge_and_agree_everywhere():
    same = torch.randn(2, 3, 5)
    scores = as_dict(distribution_scores(same, same))
    assert scores["kl"] == pytest.approx(0, abs=1e-6)
    assert scores["top1"] == 1


def test_a_constant_added_to_the_logits_changes_nothing():
    reference = torch.randn(1, 3, 5)
    assert as_dict(distribution_scores(reference, reference + 7))["kl"] == pytest.approx(0, abs=1e-6)


def test_divergence_is_from_the_reference_in_nats_and_a_mean_over_positions():
    reference, output = logits((0.75, 0.25), (0.5, 0.5)), logits((0.5, 0.5), (0.5, 0.5))
    expected = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2
    assert as_dict(distribution_scores(reference, output))["kl"] == pytest.approx(expected, rel=1e-5)


def test_agreement_is_the_share_of_positions_with_the_same_favourite():
    reference, output = logits((0.9, 0.1), (0.9, 0.1), (0.2, 0.8)), logits((0.6, 0.4), (0.4, 0.6), (0.1, 0.9))
    assert as_dict(distribution_scores(reference, output))["top1"] == pytest.approx(2 / 3)


def test_perplexity_is_the_inverse_geometric_mean_of_what_the_targets_were_given():
    reference, output = logits((0.5, 0.5), (0.5, 0.5)), logits((0.25, 0.75), (0.5, 0.5))
    scores = as_dict(perplexity_scores(torch.tensor([[0, 1]]))(reference, output))
    assert scores["perplexity"] == pytest.approx(8**0.5)
    assert scores["perplexity_ratio"] == pytest.approx(8**0.5 / 2)


def test_bf16_logits_are_compared_in_fp32():
    reference = torch.randn(1, 4, 1000)
    assert 0 < as_dict(distribution_scores(reference, reference.bfloat16()))["kl"] < 1e-4


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="returns logits, not tuple"):
        distribution_scores((), ())
