"""What peers have in common that take a model over from torch at its first call: tensors in, tensors out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

from pytest_xeonperf.errors import NotApplicableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_xeonperf.variants.spec import Runtime
    from pytest_xeonperf.workloads.protocol import Phase

    Run = Callable[[Sequence[torch.Tensor]], Sequence[torch.Tensor]]
    Convert = Callable[[nn.Module, Sequence[torch.Tensor]], Run]


def require(phase: Phase, runtime: Runtime) -> None:
    """Say so where a converted model cannot run a phase.

    Raises:
        NotApplicableError: The phase's hot callable keeps a state that a trace would lose.
    """
    if phase.stateful:
        raise NotApplicableError(
            f"{phase.name} keeps a state between calls, which a converted model would not",
            where=f"runtime={str(runtime)!r}",
            remedy="measure this phase without it",
        )


class Converted:
    """A callable that a peer runs: it takes and gives torch's tensors, in the nesting of the original.

    Args:
        call: The original, converted when it is called first.
        runtime: The peer, for its messages.
        convert: From a module that takes and gives tensors alone, and such tensors, to what runs in its place.
    """

    def __init__(self, call: Callable[..., Any], runtime: Runtime, convert: Convert) -> None:
        self.call, self.runtime, self.convert = call, runtime, convert
        self.run: Run | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the original gives for these arguments, as the peer computes it."""
        leaves, nesting = pytree.tree_flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        fixed = [None if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        if self.run is None:
            self.flat, self.fixed = _Flat(self.call, leaves, nesting), (fixed, nesting)
            self.run = self.convert(self.flat.eval(), tensors)
        elif self.fixed != (fixed, nesting):
            raise NotApplicableError(
                "arguments that are no tensors change between calls, which a converted model would not see",
                where=f"runtime={str(self.runtime)!r}",
                remedy="measure this phase without it",
            )
        return pytree.tree_unflatten(self.run(tensors), self.flat.gives)


class _Flat(nn.Module):
    """The callable with tensors alone for arguments and results, as peers want it.

    Attributes:
        gives: How the callable nests its results; known once it has been traced.
    """

    gives: pytree.TreeSpec

    def __init__(self, call: Callable[..., Any], leaves: list[Any], nesting: pytree.TreeSpec) -> None:
        super().__init__()
        self.hot = call  # a module registers itself
        self.leaves, self.nesting = leaves, nesting

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        left = iter(tensors)
        leaves = [next(left) if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]
        args, kwargs = pytree.tree_unflatten(leaves, self.nesting)
        outputs, self.gives = pytree.tree_flatten(self.hot(*args, **kwargs))
        return tuple(outputs)
