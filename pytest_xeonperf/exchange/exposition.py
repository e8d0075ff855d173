"""The text format of OpenMetrics 1.0: families of samples with labels. Base units, with which names end too.

Source: https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Kind(StrEnum):
    """Types of metrics, by their names."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    STATESET = "stateset"


_SUFFIXES: Mapping[Kind, str] = {Kind.COUNTER: "_total", Kind.INFO: "_info"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All samples under one name.

    Attributes:
        unit: With which the name ends; empty for what has none.
        samples: Labels with a figure.
    """

    name: str
    kind: Kind
    unit: str = ""
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def text(metrics: Sequence[Family], *, plain: bool = False) -> str:
    """The metrics in OpenMetrics' text format, its end mark included.

    Args:
        metrics: Those without a sample are left out.
        plain: Say gauge for what only OpenMetrics knows.
    """
    lines = [line for family in metrics if family.samples for line in _lines(family, plain=plain)]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _lines(family: Family, *, plain: bool) -> Iterator[str]:
    kind, suffix = family.kind, _SUFFIXES.get(family.kind, "")
    name = family.name
    if plain and kind in {Kind.INFO, Kind.STATESET}:
        name, kind, suffix = name + suffix, Kind.GAUGE, ""
    yield f"# TYPE {name} {kind}"
    if family.unit:
        yield f"# UNIT {name} {family.unit}"
    yield f"# HELP {name} {_escaped(family.help)}"
    for labels, figure in family.samples:
        said = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
        yield f"{name}{suffix}{{{said}}} {_figure(figure)}" if said else f"{name}{suffix} {_figure(figure)}"


def _escaped(value: str) -> str:
    """Text as a label's value; halves of surrogate pairs, which UTF-8 cannot write, become question marks."""
    whole = value.encode(errors="replace").decode()
    return whole.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _figure(figure: float) -> str:
    return {inf: "+Inf", -inf: "-Inf"}.get(figure, repr(float(figure)))
