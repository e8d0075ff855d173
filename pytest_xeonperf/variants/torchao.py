"""A peer: weight-only quantisation as torchao does it, with its configurations for int8 and int4, compiled by Inductor.

What people would use instead of our recipes. torchao rounds and stores the weights, as tensors of its own in the place
of each Linear layer's; Inductor finds kernels for them. Its settings of Inductor are left out: they are the process's,
and every other variant of the ladder would get them too.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.variants.spec import Variant, Woq
from pytest_xeonperf.variants.weight_only import structural_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from pytest_xeonperf.variants.weight_only import Technique


def quantise(module: nn.Module, variant: Variant, technique: Technique) -> tuple[nn.Module, tuple[str, ...]]:
    """The module with each Linear layer's weight quantised, and those left in BF16, each by name with the reason.

    Args:
        module: Changed in place; in BF16.
        variant: Says how many bits, and how many weights share a scale.
        technique: Of torch's own kernel, which Inductor chooses here too: it takes the same widths.

    Raises:
        NotApplicableError: No layer could be quantised, or this torchao has no such configuration.
    """
    left, able = [], set()
    for name, layer in module.named_modules():
        if not isinstance(layer, nn.Linear):
            continue
        reason = structural_refusal(layer, module.get_submodule(name.rpartition(".")[0])) or technique.refusal(
            out_features=layer.out_features, in_features=layer.in_features
        )
        if reason:
            left.append(f"{name or 'the module itself'}: {reason}")
        else:
            able.add(name)
    if not able:
        raise NotApplicableError(
            f"no Linear layer that torchao's {variant.woq} can quantise" + (f" ({left[0]})" if left else ""),
            where=type(module).__name__,
            remedy="measure this model without the weight-only variants",
        )
    with _quiet():
        _quantise(module, variant, able)
    return module, tuple(sorted(left))


def stored_bytes(tensor: torch.Tensor) -> int:
    """Bytes of a tensor, or of the parts that torchao keeps in its place."""
    whole: Any = tensor
    if not is_traceable_wrapper_subclass(whole):
        return tensor.nbytes
    names, _context = whole.__tensor_flatten__()
    return sum(stored_bytes(getattr(whole, name)) for name in names)


def _quantise(module: nn.Module, variant: Variant, able: set[str]) -> None:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    if variant.woq is Woq.INT8:
        config = Int8WeightOnlyConfig(set_inductor_config=False)
    else:
        try:  # int4 on CPUs is one of torchao's prototypes, which move between its releases
            from torchao.prototype.quantization.int4 import PrototypeInt4WeightOnlyConfig
        except ImportError as error:
            raise NotApplicableError(
                f"this torchao has no int4 for CPUs where 0.18 has it: {error}", where="kernel='torchao'"
            ) from None
        config = PrototypeInt4WeightOnlyConfig(group_size=variant.group_size, set_inductor_config=False)
    quantize_(module, config, filter_fn=lambda _layer, name: name in able)


@contextmanager
def _quiet() -> Iterator[None]:
    """While torchao is imported: it warns of its libraries for other machines, and of torch's own deprecations."""
    logger = logging.getLogger("torchao")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
