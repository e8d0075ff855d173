"""Whether a peer is there at all, before anything is built for it. Imports neither torch nor the peer."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.variants.spec import Kernel, Runtime, Woq

if TYPE_CHECKING:
    from pytest_xeonperf.variants.spec import Variant

_PACKAGES = {
    Runtime.TORCH: (),
    Runtime.OPENVINO: ("openvino",),
    Runtime.ONNXRUNTIME: ("onnxruntime", "onnxscript"),  # torch exports to ONNX through the second
    Runtime.LLAMA_CPP: ("llama_cpp",),
}


def installed(variant: Variant) -> bool:
    """Whether everything is there that a variant needs beside the models' own packages."""
    return not _missing(variant)


def require(variant: Variant) -> None:
    """Say so where a variant's peer is not installed.

    Raises:
        NotApplicableError: It is not; the message says how to get it.
    """
    missing = _missing(variant)
    if missing:
        raise NotApplicableError(
            f"{missing[0]} is not installed",
            where=f"variant {variant.name}",
            remedy="pip install 'pytest-xeonperf[peers]'",
        )


def _missing(variant: Variant) -> list[str]:
    needed = _PACKAGES[variant.runtime]
    if variant.kernel is Kernel.TORCHAO:
        needed += ("torchao",)
    if variant.runtime is Runtime.OPENVINO and variant.woq is not Woq.NONE:
        needed += ("nncf",)
    return [package for package in needed if find_spec(package) is None]
