"""How close two outputs are: figures every output gets, whatever its family."""

from __future__ import annotations

from math import isfinite, log10
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Score

if TYPE_CHECKING:
    from torch import Tensor

PERFECT_DB = 200.0
"""PSNR of two equal outputs, which would be infinite."""

_PERFECT = (Score(name="cosine", value=1.0), Score(name="psnr_db", value=PERFECT_DB))
_WORST = (Score(name="cosine", value=-1.0), Score(name="psnr_db", value=0.0))


def tensors_of(output: object) -> list[Tensor]:
    """Floating-point tensors of an output in any nesting, in a fixed order: tuples, dicts, ModelOutputs."""
    import torch
    from torch.utils import _pytree

    leaves: list[Tensor] = []
    for leaf in _pytree.tree_leaves(output):
        if isinstance(leaf, torch.Tensor):
            leaves += [leaf] if leaf.is_floating_point() else []
        elif hasattr(leaf, "to_tuple"):  # an output class that is not registered as a pytree
            leaves += tensors_of(leaf.to_tuple())
    return leaves


def keep(output: object) -> object:
    """A copy of an output that later calls of the same step cannot overwrite; unknown output classes become tuples."""
    import torch
    from torch.utils import _pytree

    def copied(leaf: object) -> object:
        if isinstance(leaf, torch.Tensor):
            return leaf.detach().clone()
        return keep(leaf.to_tuple()) if hasattr(leaf, "to_tuple") else leaf

    return _pytree.tree_map(copied, output)


def generic_scores(reference: object, output: object) -> tuple[Score, ...]:
    """Cosine and PSNR in dB, each the worst over the tensors of the output; without tensors, whether they are equal.

    An output with another number of tensors, another shape, or anything that is not finite scores cosine -1 and 0 dB.
    """
    import torch

    expected, found = tensors_of(reference), tensors_of(output)
    if not expected and not found:
        return _PERFECT if _equal(reference, output) else _WORST
    if [t.shape for t in expected] != [t.shape for t in found]:
        return _WORST
    if not all(bool(torch.isfinite(tensor).all()) for tensor in expected + found):
        return _WORST
    pairs = list(zip(expected, found, strict=True))
    return (
        Score(name="cosine", value=min(_cosine(left, right) for left, right in pairs)),
        Score(name="psnr_db", value=min(_psnr_db(left, right) for left, right in pairs)),
    )


def finite(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """The scores that are numbers: one that came out as NaN or infinite counts as not measured, so never as held."""
    return tuple(score for score in scores if isfinite(score.value))


def _equal(reference: object, output: object) -> bool:
    """Whether two outputs without floating-point tensors are the same: integer tensors, texts, numbers, nothing."""
    import torch
    from torch.utils import _pytree

    expected, expected_shape = _pytree.tree_flatten(reference)
    found, found_shape = _pytree.tree_flatten(output)
    if expected_shape != found_shape:
        return False
    return all(
        torch.equal(left, right)
        if isinstance(left, torch.Tensor) and isinstance(right, torch.Tensor)
        else bool(left == right)
        for left, right in zip(expected, found, strict=True)
    )


def _cosine(expected: Tensor, found: Tensor) -> float:
    # both flattened to [numel] fp64, so that a million elements do not lose the fourth digit
    left, right = expected.flatten().double(), found.flatten().double()
    scale = float(left.norm() * right.norm())
    if scale == 0.0:
        return 1.0 if bool((left == right).all()) else 0.0
    return max(-1.0, min(1.0, float(left @ right) / scale))


def _psnr_db(expected: Tensor, found: Tensor) -> float:
    left, right = expected.double(), found.double()
    error = float(((left - right) ** 2).mean())
    peak = float(left.abs().max()) ** 2
    if error == 0.0:
        return PERFECT_DB
    return 0.0 if peak == 0.0 else max(0.0, min(PERFECT_DB, 10 * log10(peak / error)))
