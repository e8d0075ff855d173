"""What a session is going to do, said before anything heavy starts: ladders, variants, floors, minutes, GiB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.judge.expectations import floor_here
from pytest_xeonperf.measure.plan import need
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.rungs import Shipped, by_ladder
from pytest_xeonperf.units import show_bytes, show_minutes, show_ratio
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
    lines = []
    total_s, most_bytes, guessed = 0.0, 0, True
    for key, members in ladders.items():
        needed = _footprint(key)
        cost = ""
        if isinstance(needed, Unknown):
            guessed = False
        else:
            needs = [need(needed, variant) for variant in (lookup(key.over), *(rung.variant for rung in members))]
            ladder_s = sum(each.duration_s for each in needs)
            ladder_bytes = sum(each.memory_bytes for each in needs)
            total_s, most_bytes = total_s + ladder_s, max(most_bytes, ladder_bytes)
            cost = f" (about {show_minutes(ladder_s)}, {show_bytes(ladder_bytes)})"
        lines.append(f"  {key.label}: {', '.join(_rung(rung, isa) for rung in members)}{cost}")
    sum_up = f"about {show_minutes(total_s)} and {show_bytes(most_bytes)}" + (
        "" if guessed else ", and what your own need"
    )
    return [f"xeonperf: {len(rungs)} cases on {len(ladders)} ladders, {sum_up}", *lines]


def _rung(rung: Rung, isa: Isa) -> str:
    floor = floor_here(rung.promises.floors, isa)
    if isinstance(floor, Unknown):
        return rung.variant.name + ("" if not rung.promises.floors else " (no floor for this machine)")
    return f"{rung.variant.name} ≥ {show_ratio(floor.ratio)}"


def _footprint(key: LadderKey) -> Footprint | Unknown:
    if not isinstance(key.source, Shipped):
        return Unknown(reason="a workload of the user's own")
    if "checkpoint" in dict(key.source.options):
        return Unknown(reason="a checkpoint of the user's own")
    try:
        return footprint(key.source.name, key.phase, key.preset)
    except UsageError as error:
        return Unknown(reason=error.what)
