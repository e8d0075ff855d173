"""The markers: what they are called, what they take, and what they come to. A typo costs a second, not ten minutes."""

from __future__ import annotations

import inspect
from math import isfinite
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.judge.expectations import DEFAULT_FIDELITY, Promises, Threshold
from pytest_xeonperf.records import Isa, Metric
from pytest_xeonperf.shell.by_isa import keywords, usable, usable_here
from pytest_xeonperf.variants.named import NAMED, from_keywords, parse_keywords
from pytest_xeonperf.variants.named import lookup as lookup_variant
from pytest_xeonperf.workloads.catalog import lookup as lookup_workload
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from pytest_xeonperf.variants.spec import Variant

ANY_BASELINE = "*"
"""For `promises_of`: floors whatever they are over."""

_E = TypeVar("_E", Isa, Metric, Preset)

_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_BYTES = {"bytes": 1, "mib": 1 << 20, "gib": 1 << 30}


def workload(name: str = "", *, phase: str = "", preset: str = "", **options: object) -> None:
    """workload(name, phase=, preset=, checkpoint=, ...): the model and the phase of it that is measured."""
    if name:
        entry = lookup_workload(name)
        if phase and phase not in entry.phases:
            raise UsageError(f"unknown phase {phase!r} of {name}", remedy=f"use one of: {', '.join(entry.phases)}")
        unknown = [option for option in options if option not in entry.options]
        if unknown:
            raise UsageError(f"{name} has no option {unknown[0]!r}", remedy=f"use: {', '.join(entry.options)}")
        for option, value in options.items():
            if not isinstance(value, str | int | float | PathLike):
                raise UsageError(f"{option}={value!r}", remedy="give a text, a number or a path")
    if preset:
        _member(Preset, "preset", preset)


def variant(*, isa: str = "generic", **keywords: object) -> None:
    """variant(dtype=, attention=, ..., isa=): what the fixture `variant` stands for, where that ISA is usable."""
    _member(Isa, "isa", isa)
    parse_keywords(keywords)


def only_isa(*isas: object) -> frozenset[Isa]:
    """only_isa("avx512", ...): skipped, and not measured, where the most capable usable ISA is none of these."""
    if not isas:
        raise UsageError("takes one or more ISAs", remedy=f"such as {str(Isa.AVX512)!r}")
    return frozenset(_member(Isa, "isa", str(isa)) for isa in isas)


def min_speedup(ratio: float, *, over: str = "eager_fp32", metric: str = "latency", isa: str = "generic") -> Threshold:
    """min_speedup(ratio, over="eager_fp32", metric="latency", isa="generic"): floor where that ISA is usable."""
    return _threshold(ratio, over=over, metric=metric, isa=isa)


def max_speedup(ratio: float, *, over: str = "eager_fp32", metric: str = "latency", isa: str = "generic") -> Threshold:
    """max_speedup(ratio, over="eager_fp32", metric="latency", isa="generic"): above, the baseline became slower."""
    return _threshold(ratio, over=over, metric=metric, isa=isa)


def _threshold(ratio: float, *, over: str, metric: str, isa: str) -> Threshold:
    lookup_variant(over)
    return Threshold(
        ratio=_number("ratio", ratio), over=over, metric=_member(Metric, "metric", metric), isa=_member(Isa, "isa", isa)
    )


def max_latency(**limit: float) -> float:
    """max_latency(ms=): ceiling for one item of work; the unit is the keyword: ns, us, ms or s."""
    return _one_unit(limit, _NS)


def max_memory(**limit: float) -> float:
    """max_memory(gib=): ceiling for the peak memory of a process holding only the variant: bytes, mib or gib."""
    return _one_unit(limit, _BYTES)


def min_fidelity(**bounds: float) -> tuple[tuple[str, float], ...]:
    """min_fidelity(cosine=0.99): closeness to FP32 eager: at least cosine, psnr_db, top1, iou; at most kl."""
    if not bounds:
        raise UsageError("no figure given", remedy="name at least one, such as cosine=0.99")
    return tuple((name, _number(name, bound)) for name, bound in bounds.items())


def max_graph_breaks(count: int) -> int:
    """max_graph_breaks(n): graph breaks allowed while compiling."""
    return _count(count)


def max_recompiles(count: int) -> int:
    """max_recompiles(n): compilations allowed inside the timed rounds."""
    return _count(count)


def uses_kernel(*names: object, isa: str = "generic") -> tuple[str, ...]:
    """uses_kernel("aten::_weight_int8pack_mm", "onednn::matmul:*amx", ..., isa=): operators, kernels that must run."""
    _member(Isa, "isa", isa)
    texts = tuple(name for name in names if isinstance(name, str) and name)
    if not texts or len(texts) < len(names):
        raise UsageError("takes one or more names of operators", remedy='such as "aten::_weight_int8pack_mm"')
    return texts


def min_roofline(fraction: float) -> float:
    """min_roofline(fraction): share of the binding limit of this machine that must be reached."""
    if not 0 < _number("fraction", fraction) <= 1:
        raise UsageError(f"{fraction!r} is not a share", remedy="give a number above 0 and up to 1")
    return fraction


MARKERS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        workload,
        variant,
        only_isa,
        min_speedup,
        max_speedup,
        max_latency,
        max_memory,
        min_fidelity,
        max_graph_breaks,
        max_recompiles,
        uses_kernel,
        min_roofline,
    )
}
"""Each marker is the function that checks its arguments; its docstring is what `pytest --markers` prints."""


PROMISES = frozenset(MARKERS) - {"workload", "variant", "only_isa"}
"""The markers that a verdict depends on."""


def register(config: pytest.Config) -> None:
    """Register the markers (see the pytest how-to on custom markers)."""
    for function in MARKERS.values():
        config.addinivalue_line("markers", " ".join(str(function.__doc__).split()))


def check(mark: pytest.Mark) -> Any:
    """What a marker comes to.

    Raises:
        UsageError: It does not take these arguments; says what it takes.
    """
    function = MARKERS[mark.name]
    try:
        inspect.signature(function).bind(*mark.args, **mark.kwargs)
    except TypeError as error:
        takes = str(function.__doc__).partition(":")[0]
        raise UsageError(
            str(error), where=f"marker {mark.name}", remedy=f"it takes {' '.join(takes.split())}"
        ) from None
    try:
        return function(*mark.args, **mark.kwargs)
    except UsageError as error:
        raise UsageError(error.what, where=error.where or f"marker {mark.name}", remedy=error.remedy) from None


def thresholds_of(item: pytest.Item, name: str) -> tuple[Threshold, ...]:
    """All floors or ceilings of a test: the markers ``min_speedup`` or ``max_speedup``."""
    return tuple(check(mark) for mark in item.iter_markers(name))


def promises_of(item: pytest.Item, over: str) -> Promises:
    """Everything the markers of a test promise over one baseline; the marker closest to the test wins."""
    kernel_marks = usable(item.iter_markers("uses_kernel"), usable_here(item))
    closest = {mark.name: check(mark) for mark in reversed(list(item.iter_markers())) if mark.name in MARKERS}
    floors = thresholds_of(item, "min_speedup")
    ceilings = thresholds_of(item, "max_speedup")
    no_limit = float("inf")
    return Promises(
        floors=tuple(floor for floor in floors if over in {floor.over, ANY_BASELINE}),
        ceilings=tuple(ceiling for ceiling in ceilings if over in {ceiling.over, ANY_BASELINE}),
        fidelity=closest.get("min_fidelity", DEFAULT_FIDELITY),
        max_latency_ns=closest.get("max_latency", no_limit),
        max_memory_bytes=closest.get("max_memory", no_limit),
        max_graph_breaks=closest.get("max_graph_breaks", no_limit),
        max_recompiles=closest.get("max_recompiles", 0),
        kernels=tuple(name for mark in kernel_marks for name in check(mark)),
        min_roofline=closest.get("min_roofline", 0.0),
    )


def variants_of(item: pytest.Function) -> tuple[Variant, ...]:
    """The variants whose handles a test asks for, by fixture name.

    The keywords of several ``variant`` markers make one variant: those for a more capable ISA win, then those closer to
    the test.
    """
    named = [NAMED[name] for name in NAMED if name in item.fixturenames]
    marks = list(item.iter_markers("variant"))
    if "variant" in item.fixturenames:
        if not marks:
            raise UsageError("the fixture variant needs @pytest.mark.variant(...)", where=item.nodeid)
        # for every ISA: what cannot be meant on another machine is known on this one
        described = {isa: from_keywords(keywords(marks, isa)) for isa in Isa}
        named.append(described[usable_here(item)])
    elif marks:
        raise UsageError("@pytest.mark.variant without the fixture variant", where=item.nodeid, remedy="ask for it")
    return tuple(named)


def _member(kind: type[_E], name: str, value: str) -> _E:
    try:
        return kind(value)
    except ValueError:
        raise UsageError(f"{name}={value!r}", remedy=f"use one of: {', '.join(kind)}") from None


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise UsageError(f"{name}={value!r} is not a number")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{value!r} is not a count", remedy="give 0 or more")
    return value


def _one_unit(limit: Mapping[str, float], units: Mapping[str, int]) -> float:
    if len(limit) != 1 or next(iter(limit)) not in units:
        raise UsageError(f"got {dict(limit)!r}", remedy=f"give exactly one of: {', '.join(f'{u}=' for u in units)}")
    unit, value = next(iter(limit.items()))
    if _number(unit, value) <= 0:
        raise UsageError(f"{unit}={value!r} is not positive")
    return value * units[unit]
