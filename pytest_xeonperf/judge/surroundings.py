"""What changed about the machine between two runs: versions, kernel, microcode, settings.

Change points and alerts begin a new series where the fingerprint changes, as no commit did that. So two runs of two
fingerprints say what the speed-up is now, and not that the commit did it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Machine

_FIRST = ("torch", "onednn", "kernel", "microcode", "mkl", "openmp", "compiler", "python")
"""What most often explains a time, before the rest by name."""
_MOST = 3
_PAGES = 0.01
"""Of the memory: less explains no time."""
_ABSENT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact of the fingerprint that is not what it was."""

    name: str
    before: str
    after: str


def differences(before: Machine, after: Machine) -> tuple[Difference, ...]:
    """The facts of two fingerprints that differ, those first that most often explain a time."""
    old, new = _facts(before), _facts(after)
    names = sorted(old.keys() | new.keys(), key=lambda name: (_FIRST.index(name) if name in _FIRST else 99, name))
    return tuple(
        Difference(name=name, before=old.get(name, _ABSENT), after=new.get(name, _ABSENT))
        for name in names
        if old.get(name) != new.get(name)
    )


def excuses(before: Machine, after: Machine) -> tuple[Difference, ...]:
    """Those that a time may be put down to: what a kernel keeps for itself differs by some pages from boot to boot."""
    as_large = abs(after.memory_bytes - before.memory_bytes) < _PAGES * before.memory_bytes
    return tuple(each for each in differences(before, after) if not (as_large and each.name == "memory"))


def in_words(found: Sequence[Difference]) -> str:
    """The first of them, for people: ``torch 2.12.1 -> 2.13.0, kernel 6.8 -> 6.11 and 2 more``; empty for none."""
    named = ", ".join(f"{each.name} {each.before} -> {each.after}" for each in found[:_MOST])
    return f"{named} and {len(found) - _MOST} more" if len(found) > _MOST else named


def why_not_comparable(base: Machine, head: Machine) -> str:
    """Why speed-ups of two machines are not compared at all; empty where they are."""
    if base.comparability_class == head.comparability_class:
        return ""
    return (
        f"base ran on {base.cpu_model} ({base.isa}, {base.threads} threads, AMX remedy {base.amx.remedy}), "
        f"head on {head.cpu_model} ({head.isa}, {head.threads} threads, AMX remedy {head.amx.remedy})"
    )


def _facts(machine: Machine) -> dict[str, str]:
    whole = {"physical cores": str(machine.physical_cores), "memory": f"{machine.memory_bytes} B"}  # to the byte
    return whole | dict(machine.facts)
