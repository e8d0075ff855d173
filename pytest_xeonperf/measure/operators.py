"""The operators of a profiled call, under names that are the same in every run.

Inductor's fused kernels are called without telling the profiler: their time is that of the compiled graph around them.
They can be made to tell (``torch._inductor.config.cpp.enable_kernel_profile``), which is left off: it puts code into
what is measured and into the keys of Inductor's caches. A trial of it (a small model, some twenty fused kernels in a
call of 0.3 ms) showed no cost on average, 1.01 times as long, but could exclude none on the shared machine it ran on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import OTHER_OPERATORS, OUTSIDE_OPERATORS, Operator, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_OPERATORS = 20
"""That are kept by name, those that took most time; what the rest took is kept together."""

LONGEST_NAME = 200
"""Characters of a name; Inductor's fused kernels are called after everything that is in them."""

COMPILED_GRAPH = "CompiledFxGraph"
COMPILED_REGION = "Torch-Compiled Region"

_NUMBERED = (
    (re.compile(r"## Call CompiledFxGraph \S+ ##"), COMPILED_GRAPH),
    (re.compile(r"Torch-Compiled Region: .*", re.DOTALL), COMPILED_REGION),
    (re.compile(r"(?:graph_\d+_)?(cpp_[A-Za-z]\w*?)(?:_\d+)*"), r"\1"),
    (re.compile(r"(ProfilerStep)#\d+"), r"\1"),
)
"""Whole names in which compilation counts, with what is the same in every run of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the profiler says of all calls of one name."""

    name: str
    self_ns: int
    calls: int


def stable_name(name: str) -> str:
    """The name of an operator without what another compilation would call otherwise: hashes and counters.

    Names of operators of torch (``aten::mm``) and of oneDNN's log are left as they are.
    """
    name = name[:LONGEST_NAME]
    for pattern, meant in _NUMBERED:
        found = pattern.fullmatch(name)
        if found:
            return found.expand(meant)
    return name


def operators_of(seen: Iterable[Seen], duration_ns: int) -> tuple[Operator, ...] | Unknown:
    """The operators that took most time, most first, then the rest: together, the call.

    Args:
        seen: What the profiler saw.
        duration_ns: Of the profiled call, by the same clock as every other. Where operators ran on several threads
            they may have taken longer together; then nothing is left outside of them.
    """
    merged: dict[str, Operator] = {}
    for each in seen:
        name, known = stable_name(each.name), merged.get(stable_name(each.name))
        merged[name] = Operator(
            name=name,
            self_ns=max(each.self_ns, 0) + (known.self_ns if known else 0),
            calls=each.calls + (known.calls if known else 0),
        )
    if not merged:
        return Unknown(reason="the profiler saw no operator")
    ordered = sorted(merged.values(), key=lambda each: (-each.self_ns, each.name))
    within_ns = sum(each.self_ns for each in ordered)
    return (
        *ordered[:MOST_OPERATORS],
        *_together(OTHER_OPERATORS, ordered[MOST_OPERATORS:]),
        *_together(OUTSIDE_OPERATORS, [Operator(name="", self_ns=max(duration_ns - within_ns, 0), calls=0)]),
    )


def _together(name: str, operators: Sequence[Operator]) -> tuple[Operator, ...]:
    """One entry for several; none for no time."""
    self_ns, calls = sum(each.self_ns for each in operators), sum(each.calls for each in operators)
    return (Operator(name=name, self_ns=self_ns, calls=calls),) if self_ns else ()
