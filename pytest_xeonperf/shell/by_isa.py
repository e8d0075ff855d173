"""Markers that are for some instruction sets: which of a test's count on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.records import Isa
from pytest_xeonperf.shell.state import ISA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pytest


def usable(item: pytest.Item, name: str) -> list[pytest.Mark]:
    """The markers of that name whose ISA is usable here, closest first."""
    here = _here(item)
    return [mark for mark in item.iter_markers(name) if isa_of(mark).rank <= here.rank]


def keywords(marks: Iterable[pytest.Mark]) -> Mapping[str, object]:
    """What ``variant`` markers, closest first, say together: for a more capable ISA wins, then closer to the test."""
    ordered = sorted(marks, key=lambda mark: isa_of(mark).rank, reverse=True)
    return {key: value for mark in reversed(ordered) for key, value in mark.kwargs.items() if key != "isa"}


def isa_of(mark: pytest.Mark) -> Isa:
    """What a marker is for; everything where it does not say."""
    return Isa(mark.kwargs.get("isa", Isa.GENERIC))


def meant_for_others(item: pytest.Item) -> str:
    """Why this machine is none that a test was written for, by every ``only_isa``; empty if it is one."""
    here = _here(item)
    for mark in item.iter_markers("only_isa"):
        isas = sorted(map(Isa, mark.args), key=lambda isa: isa.rank)
        if here not in isas:
            return f"only for {', '.join(isas)}; usable here is {here}"
    return ""


def _here(item: pytest.Item) -> Isa:
    return item.config.stash.get(ISA, Isa.GENERIC)
