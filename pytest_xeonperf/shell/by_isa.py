"""Markers that are for some instruction sets: which of a test's count on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.records import Isa
from pytest_xeonperf.shell.state import ISA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pytest


def usable(marks: Iterable[pytest.Mark], isa: Isa) -> list[pytest.Mark]:
    """Those of the markers that count where an ISA is usable: those that are for it, or less, or do not say."""
    return [mark for mark in marks if _isa_of(mark).rank <= isa.rank]


def keywords(marks: Iterable[pytest.Mark], isa: Isa) -> Mapping[str, object]:
    """What ``variant`` markers, closest first, say together: for a more capable ISA wins, then closer to the test."""
    ordered = sorted(usable(marks, isa), key=lambda mark: _isa_of(mark).rank, reverse=True)
    return {key: value for mark in reversed(ordered) for key, value in mark.kwargs.items() if key != "isa"}


def usable_here(item: pytest.Item) -> Isa:
    """The most capable usable ISA of the machine that a test was collected on."""
    return item.config.stash.get(ISA, Isa.GENERIC)


def _isa_of(mark: pytest.Mark) -> Isa:
    return Isa(mark.kwargs.get("isa", Isa.GENERIC))


def meant_for_others(item: pytest.Item) -> str:
    """Why this machine is none that a test was written for, by every ``only_isa``; empty if it is one."""
    here = usable_here(item)
    for mark in item.iter_markers("only_isa"):
        isas = sorted(map(Isa, mark.args), key=lambda isa: isa.rank)
        if here not in isas:
            return f"only for {', '.join(isas)}; usable here is {here}"
    return ""
