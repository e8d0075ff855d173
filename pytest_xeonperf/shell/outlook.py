"""What a session is going to do, said before anything heavy starts: ladders, variants, floors, minutes, GiB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.judge.expectations import threshold_here
from pytest_xeonperf.measure.plan import expected_s, total_bytes
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.rungs import Shipped, by_ladder
from pytest_xeonperf.units import show_bytes, show_count, show_minutes, show_ratio
from pytest_xeonperf.variants.named import lookup
from pytest_xeonperf.variants.peers import installed
from pytest_xeonperf.workloads.catalog import footprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.records import Isa
    from pytest_xeonperf.shell.rungs import LadderKey, Rung
    from pytest_xeonperf.workloads.protocol import Footprint


def outlook(rungs: Sequence[Rung], isa: Isa, processes: int = 1) -> list[str]:
    """Lines for the terminal: one for each ladder, and what they take together, in so many processes."""
    ladders = by_ladder(rungs)
    if not ladders:
        return []
    models: dict[str, list[LadderKey]] = {}
    for key in ladders:
        models.setdefault(key.model, []).append(key)
    costs = {keys[0]: _cost(keys, ladders, isa) for keys in models.values()}
    lines = [
        f"  {key.label}: {', '.join(_rung(rung, isa) for rung in ladders[key])}"
        + (_shown(costs[key]) if key in costs else " (in the same rounds, if they fit)")
        for keys in models.values()
        for key in keys
    ]
    known = [cost for cost in costs.values() if isinstance(cost, _Cost)]
    parts = [f"{show_count(len(rungs), 'case')} on {show_count(len(ladders), 'ladder')}"]
    if known:
        duration_s, memory_bytes = sum(cost.duration_s for cost in known), max(cost.memory_bytes for cost in known)
        parts += [f"in each of {processes} processes"] if processes > 1 else []
        parts.append(f"about {show_minutes(processes * duration_s)} and {show_bytes(memory_bytes)}")
    if len(known) < len(costs):
        parts.append(f"{len(costs) - len(known)} of your own that nobody can foretell")
    return [f"xeonperf: {', '.join(parts)}", *lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    memory_bytes: int
    duration_s: float


def _cost(keys: Sequence[LadderKey], ladders: Mapping[LadderKey, Sequence[Rung]], isa: Isa) -> _Cost | Unknown:
    """Memory and time of all ladders of one model, every variant loaded, and that once."""
    needed = _footprint(keys[0])
    if isinstance(needed, Unknown):
        return needed
    rungs = [rung.variant for key in keys for rung in ladders[key] if installed(rung.variant)]
    variants = tuple(dict.fromkeys([*(lookup(key.over) for key in keys), *rungs]))
    return _Cost(
        memory_bytes=total_bytes(needed, variants),
        duration_s=sum(expected_s(needed, variant, isa) for variant in variants),
    )


def _shown(cost: _Cost | Unknown) -> str:
    if isinstance(cost, Unknown):
        return ""
    return f" ({show_minutes(cost.duration_s)}, {show_bytes(cost.memory_bytes)})"


def _rung(rung: Rung, isa: Isa) -> str:
    if not installed(rung.variant):
        return f"{rung.variant.name} (not installed)"
    floor = threshold_here(rung.promises.floors, isa)
    if isinstance(floor, Unknown):
        return rung.variant.name + ("" if not rung.promises.floors else " (no floor for this machine)")
    return f"{rung.variant.name} ≥ {show_ratio(floor.ratio)}"


def _footprint(key: LadderKey) -> Footprint | Unknown:
    if not isinstance(key.source, Shipped):
        return Unknown(reason="a workload of the user's own")
    try:
        return footprint(key.source.name, key.phase, key.preset, dict(key.source.options))
    except XeonPerfError as error:  # its test will say so
        return Unknown(reason=error.what)
