"""Variants by name and from keywords, which fixtures and the marker ``variant`` come to: imports no torch."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.variants.spec import Convolutions, Dtype, Internals, Kernel, Runtime, Variant, Woq
from pytest_xeonperf.workloads.protocol import Attention

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(name="eager_fp32", dtype=Dtype.FP32, attention=Attention.PLAIN),
        Variant(name="eager_bf16", attention=Attention.PLAIN),
        Variant(name="sdpa_bf16"),
        Variant(name="compiled_bf16", compile=True),
        Variant(name="woq_int8", compile=True, woq=Woq.INT8),
        Variant(name="woq_int4", compile=True, woq=Woq.INT4),
    )
}
"""The shorthands that are fixtures too, in the order of the blog's ladder."""

REFERENCE = NAMED["eager_fp32"]
"""What every fidelity is measured against."""


def lookup(name: str) -> Variant:
    """The named variant.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in NAMED:
        raise UsageError(f"unknown variant {name!r}", remedy=f"use one of: {', '.join(NAMED)}")
    return NAMED[name]


def from_keywords(keywords: Mapping[str, object]) -> Variant:
    """A variant from the keywords of the ``variant`` marker; its name says how it differs from the defaults.

    Raises:
        UsageError: An unknown keyword, a value it cannot have, or one that contradicts another.
    """
    given = parse_keywords(keywords)
    made = Variant(name="-", **given)  # type: ignore[arg-type]
    return Variant(name=_describe(made), **given)  # type: ignore[arg-type]


def parse_keywords(keywords: Mapping[str, object]) -> Mapping[str, object]:
    """The same as values of a variant's fields, whatever others make of them.

    Raises:
        UsageError: An unknown keyword, or a value it cannot have.
    """
    fields = {
        "dtype": Dtype,
        "attention": Attention,
        "compile": bool,
        "channels_last": bool,
        "freeze": bool,
        "cpp_wrapper": bool,
        "autotune": bool,
        "woq": Woq,
        "group_size": int,
        "kernel": Kernel,
        "convolutions": Convolutions,
        "internals": Internals,
        "runtime": Runtime,
    }
    unknown = [keyword for keyword in keywords if keyword not in fields]
    if unknown:
        raise UsageError(f"unknown keyword {unknown[0]!r}", where="marker variant", remedy=f"use: {', '.join(fields)}")
    given: dict[str, object] = {}
    for keyword, value in keywords.items():
        kind = fields[keyword]
        try:
            given[keyword] = kind(str(value)) if issubclass(kind, StrEnum) else value
        except ValueError:
            valid = ", ".join(repr(str(member)) for member in kind)  # type: ignore[attr-defined]
            raise UsageError(f"{keyword}={value!r}", where="marker variant", remedy=f"use one of: {valid}") from None
        if not isinstance(given[keyword], kind):
            raise UsageError(f"{keyword}={value!r} is no {kind.__name__}", where="marker variant")
    return given


def _describe(variant: Variant) -> str:
    """``bf16-sdpa-compiled-int4-g64``: every field that changes what runs, in a fixed order."""
    parts = [variant.runtime.value] if variant.runtime is not Runtime.TORCH else []
    parts += [variant.dtype.value]
    parts += [f"{variant.internals}inside"] if variant.internals is not Internals.SAME else []
    parts += [variant.attention.value]
    parts += ["nhwc"] if variant.channels_last else []
    parts += ["compiled"] if variant.compile else []
    parts += ["frozen"] if variant.freeze else []
    parts += ["cppwrap"] if variant.cpp_wrapper else []
    parts += ["autotuned"] if variant.autotune else []
    parts += [variant.woq.value] if variant.woq is not Woq.NONE else []
    parts += [f"g{variant.group_size}"] if variant.woq is Woq.INT4 and variant.runtime is Runtime.TORCH else []
    parts += [variant.kernel.value] if variant.kernel is not Kernel.ATEN else []
    parts += ["int8convs"] if variant.convolutions is Convolutions.DYNAMIC else []
    return "-".join(parts)
