"""What the weight-only techniques share: putting quantised layers in the place of any module's Linear ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import nn

from pytest_xeonperf.errors import DataError, NotApplicableError
from pytest_xeonperf.workloads.quantised_linear import Scheme, StoredLinear

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_WEIGHTS_THEMSELVES = (nn.TransformerEncoderLayer, nn.MultiheadAttention)
"""Parents that take the weights out of their Linear layers, past the layers' own forward."""

_LINEARS = (nn.Linear, StoredLinear)

_ROWS = 128
"""Of a block: a multiple of the 64 that one layout packs together."""


class Technique(Protocol):
    """One way to quantise the weight of a Linear layer, and the kernel that multiplies with it."""

    @property
    def scheme(self) -> Scheme:
        """Its identity in a checkpoint."""

    def refusal(self, *, out_features: int, in_features: int) -> str:
        """Why the kernel cannot take a layer of these widths; empty where it can."""

    def flaw(self, tensors: Mapping[str, torch.Tensor]) -> str:
        """Why parts that somebody stored are none the kernel can take; empty where they are.

        Kernels do not check all they are given: wrong widths may end the process.
        """

    def quantise(self, weight: torch.Tensor) -> dict[str, torch.Tensor]:
        """The unpacked parts that stand for a weight [N, K]."""

    def dequantise(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weight [N, K] fp32 that the parts stand for."""

    def linear(self, tensors: Mapping[str, torch.Tensor], bias: torch.Tensor | None) -> nn.Module:
        """The layer that multiplies with the parts, packed for this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantisedWeight:
    """What a quantised layer has for a ``weight``: no tensor, but the facts that parents ask a Linear layer's for.

    Some cast what they hand down to the weight's dtype, as transformers' T5 does. A parent that multiplies with it
    itself fails at once, where the integers of a real tensor would be taken for weights.

    Attributes:
        shape: [N, K], or that of a convolution [N, C, KH, KW].
        dtype: Of the activations that the layer takes.
        device: Where the layer is.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device


class QuantisedLinear(nn.Module, ABC):
    """A Linear layer with quantised weights: x [..., K] to [..., N] in `dtype`. A technique says how to multiply.

    Args:
        out_features: N.
        in_features: K.
        bias: [N], or none.
    """

    bias: torch.Tensor | None

    def __init__(self, out_features: int, in_features: int, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = out_features, in_features
        self.register_buffer("bias", None if bias is None else bias.detach().clone())

    @property
    def dtype(self) -> torch.dtype:
        """Of the activations that it takes and gives."""
        return torch.bfloat16

    @property
    def weight(self) -> QuantisedWeight:
        """What stands for the weight."""
        return QuantisedWeight(
            shape=(self.out_features, self.in_features), dtype=self.dtype, device=torch.device("cpu")
        )

    @abstractmethod
    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """The product [M, N] of the weights with rows [M, K], without the bias."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The product, with the bias added after the kernel, which has none."""
        product = self.multiply(x.reshape(-1, self.in_features).contiguous())
        product = product.reshape(*x.shape[:-1], self.out_features)
        return product if self.bias is None else product + self.bias.to(product.dtype)

    def extra_repr(self) -> str:
        """Widths, for printing the model."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


Place = Callable[[str, Mapping[str, torch.Tensor], nn.Parameter | None], nn.Module]
"""From a layer's name, the parts of its weight and its bias to what stands in its place."""


def blocks_of_rows(channels: int) -> Iterator[slice]:
    """All rows of a weight [N, K], few at a time, so that temporaries of theirs stay in the caches."""
    return (slice(start, start + _ROWS) for start in range(0, channels, _ROWS))


def quantise_linears(
    module: nn.Module, technique: Technique, place: Place | None = None
) -> tuple[nn.Module, tuple[str, ...]]:
    """The module with each Linear layer quantised, and those left as they are, each by name with the reason.

    One layer after the other, so that never more than one of them exists twice. A weight tied to an embedding is
    quantised for the Linear layer only. Layers that a checkpoint stores quantised are packed as they are.

    Args:
        module: Changed in place, unless it is a Linear layer itself.
        technique: How weights are quantised.
        place: What to put in a layer's place; the technique's own layer where it is not given.

    Raises:
        NotApplicableError: No layer could be quantised.
        DataError: The checkpoint was quantised in another way, or stores a layer that the kernel cannot take.
    """
    put = place or (lambda _name, tensors, bias: technique.linear(tensors, bias))

    def replace(name: str, layer: nn.Module, parent: nn.Module) -> nn.Module | str:
        if isinstance(layer, StoredLinear):
            _require_scheme(layer.scheme, technique.scheme)
            _require_sound(name, layer, technique)
            return put(name, layer.tensors, layer.bias)
        linear = cast("nn.Linear", layer)
        reason = structural_refusal(linear, parent) or technique.refusal(
            out_features=linear.out_features, in_features=linear.in_features
        )
        return reason or put(name, technique.quantise(linear.weight.detach()), linear.bias)

    return replace_or_list(
        module,
        replace,
        kinds=_LINEARS,
        none=f"no Linear layer that weight-only {technique.scheme} can quantise",
        remedy="measure this model without the weight-only variants",
    )


def restore_linears(module: nn.Module, technique_of: Callable[[Scheme], Technique]) -> nn.Module:
    """The module with each layer that a checkpoint stores quantised as a plain Linear of the weights it stands for."""

    def replace(_name: str, layer: nn.Module, _parent: nn.Module) -> nn.Module:
        if not isinstance(layer, StoredLinear):
            return layer
        weight = technique_of(layer.scheme).dequantise(layer.tensors)  # [N, K] fp32
        plain = nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None, device="meta")
        plain.weight = nn.Parameter(weight, requires_grad=False)
        plain.register_parameter("bias", layer.bias)
        return plain

    return replace_layers(module, replace)[0]


def replace_or_list(
    module: nn.Module,
    replace: Callable[[str, nn.Module, nn.Module], nn.Module | str],
    *,
    kinds: tuple[type[nn.Module], ...],
    none: str,
    remedy: str,
) -> tuple[nn.Module, tuple[str, ...]]:
    """The module with what `replace` gives for each layer, and those left as they are, each by name with the reason.

    Args:
        module: Changed in place, unless it is itself replaced.
        replace: From a layer's first name, the layer and its parent to the layer that takes its place, or to the reason
            why none may.
        kinds: Which layers it is asked about.
        none: What to say where every one is left.
        remedy: What to do then.

    Raises:
        NotApplicableError: No layer was replaced.
    """
    left: list[str] = []

    def replaced_or_listed(name: str, layer: nn.Module, parent: nn.Module) -> nn.Module:
        found = replace(name, layer, parent)
        if isinstance(found, nn.Module):
            return found
        left.append(f"{name or 'the module itself'}: {found}")
        return layer

    made, replaced = replace_layers(module, replaced_or_listed, kinds=kinds)
    if not replaced:
        raise NotApplicableError(none + (f" ({left[0]})" if left else ""), where=type(module).__name__, remedy=remedy)
    return made, tuple(sorted(left))


def replace_layers(
    module: nn.Module,
    replace: Callable[[str, nn.Module, nn.Module], nn.Module],
    *,
    kinds: tuple[type[nn.Module], ...] = _LINEARS,
) -> tuple[nn.Module, int]:
    """The module with what `replace` gives for each layer, and how many changed; a layer at two places stays shared.

    Args:
        module: Changed in place, unless it is itself replaced.
        replace: From a layer's first name, the layer and its parent to the layer that takes its place.
        kinds: Which layers it is asked about.
    """
    replaced = 0
    for names in list(_names_by_layer(module, kinds)):
        parent = module.get_submodule(names[0].rpartition(".")[0])
        old = module.get_submodule(names[0])
        new = replace(names[0], old, parent)
        if new is old:
            continue
        replaced += 1
        if names[0] == "":
            return new, replaced
        for name in names:
            path, _, leaf = name.rpartition(".")
            setattr(module.get_submodule(path), leaf, new)
    return module, replaced


def _names_by_layer(module: nn.Module, kinds: tuple[type[nn.Module], ...]) -> Iterator[tuple[str, ...]]:
    """All names of each layer of these kinds; only names, so that a replaced layer's memory is freed."""
    names: dict[int, list[str]] = {}
    for name, layer in module.named_modules(remove_duplicate=False):
        if isinstance(layer, kinds):
            names.setdefault(id(layer), []).append(name)
    return map(tuple, names.values())


def structural_refusal(layer: nn.Linear, parent: nn.Module) -> str:
    """Why nothing may stand in a Linear layer's place, whatever its widths; empty where it may."""
    if isinstance(parent, _READ_WEIGHTS_THEMSELVES):
        return f"{type(parent).__name__} reads its weight directly"
    return more_than(nn.Linear, layer)


def more_than(plain: type[nn.Module], layer: nn.Module) -> str:
    """In what a layer does more than a class of torch does, so that nothing may stand in its place; empty if nothing.

    Hooks may change its weight, as the older ``spectral_norm`` and pruning do, or what it takes and gives.
    """
    if type(layer) is not plain:
        return f"{type(layer).__name__} is more than a {plain.__name__}"
    if layer._forward_pre_hooks or layer._forward_hooks:  # noqa: SLF001 - torch has no public way to ask
        return "it has hooks"
    own = sorted({"forward", "_conv_forward"} & vars(layer).keys())
    return f"it has a {own[0]} of its own" if own else ""


def _require_scheme(stored: Scheme, asked: Scheme) -> None:
    if stored != asked:
        raise DataError(
            f"the checkpoint holds {stored}, the variant asks for {asked}",
            remedy=f"use the variant that fits ({stored}), or write it again with xeonperf quantize",
        )


def _require_sound(name: str, layer: StoredLinear, technique: Technique) -> None:
    flaw = technique.flaw(layer.tensors)
    if flaw:
        raise DataError(
            f"layer {name or 'the module itself'} is stored as {technique.scheme} and cannot be: {flaw}",
            remedy="write the checkpoint again with xeonperf quantize, which leaves such layers as they are",
        )
