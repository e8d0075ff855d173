"""What a session is going to do, said before anything heavy starts: ladders, variants, floors, minutes, GiB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.judge.expectations import floor_here
from pytest_xeonperf.measure.plan import need, total_bytes
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.rungs import Shipped, by_ladder
from pytest_xeonperf.units import show_bytes, show_minutes, show_ratio
from pytest_xeonperf.variants.peers import installed
from pytest_xeonperf.variants.spec import lookup
from pytest_xeonperf.workloads.catalog import footprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Isa
    from pytest_xeonperf.shell.rungs import LadderKey, Rung
    from pytest_xeonperf.workloads.protocol import Footprint


def outlook(rungs: Sequence[Rung], isa: Isa) -> list[str]:
    """Lines for the terminal: one for each ladder, and what they take together."""
    ladders = by_ladder(rungs)
    if not ladders:
        return []
    costs = {key: _cost(key, members) for key, members in ladders.items()}
    lines = [
        f"  {key.label}: {', '.join(_rung(rung, isa) for rung in members)}{_shown(costs[key])}"
        for key, members in ladders.items()
    ]
    known = [cost for cost in costs.values() if isinstance(cost, _Cost)]
    parts = [f"{_counted(len(rungs), 'case')} on {_counted(len(ladders), 'ladder')}"]
    if known:
        duration_s, memory_bytes = sum(cost.duration_s for cost in known), max(cost.memory_bytes for cost in known)
        parts.append(f"about {show_minutes(duration_s)} and {show_bytes(memory_bytes)}")
    if len(known) < len(ladders):
        parts.append(f"{len(ladders) - len(known)} of your own that nobody can foretell")
    return [f"xeonperf: {', '.join(parts)}", *lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    memory_bytes: int
    duration_s: float


def _cost(key: LadderKey, members: Sequence[Rung]) -> _Cost | Unknown:
    """Memory and time of a ladder with all its variants loaded."""
    needed = _footprint(key)
    if isinstance(needed, Unknown):
        return needed
    variants = [lookup(key.over), *(rung.variant for rung in members if installed(rung.variant.runtime))]
    return _Cost(
        memory_bytes=total_bytes(needed, variants),
        duration_s=sum(need(needed, variant).duration_s for variant in variants),
    )


def _shown(cost: _Cost | Unknown) -> str:
    if isinstance(cost, Unknown):
        return ""
    return f" ({show_minutes(cost.duration_s)}, {show_bytes(cost.memory_bytes)})"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _rung(rung: Rung, isa: Isa) -> str:
    if not installed(rung.variant.runtime):
        return f"{rung.variant.name} (not installed)"
    floor = floor_here(rung.promises.floors, isa)
    if isinstance(floor, Unknown):
        return rung.variant.name + ("" if not rung.promises.floors else " (no floor for this machine)")
    return f"{rung.variant.name} ≥ {show_ratio(floor.ratio)}"


def _footprint(key: LadderKey) -> Footprint | Unknown:
    if not isinstance(key.source, Shipped):
        return Unknown(reason="a workload of the user's own")
    options = dict(key.source.options)
    if "checkpoint" in options:
        return Unknown(reason="a checkpoint of the user's own")
    try:
        return footprint(key.source.name, key.phase, key.preset, options)
    except UsageError as error:
        return Unknown(reason=error.what)
