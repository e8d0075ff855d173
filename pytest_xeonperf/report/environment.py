"""What a result was measured on, and what changed about it between two results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Limits, Machine, Unknown
from pytest_xeonperf.units import show_bytes, show_rate

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and its value, both as shown; `note` says more where there is more."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A fact of the environment that is not what it was."""

    name: str
    before: str
    after: str


LIMITS = (
    ("read bandwidth", "read_bytes_per_s", "B/s"),
    ("FP32 GEMM", "fp32_flop_per_s", "FLOP/s"),
    ("BF16 GEMM", "bf16_flop_per_s", "FLOP/s"),
    ("INT8 GEMM", "int8_op_per_s", "op/s"),
)
"""What each limit is called, its field in `Limits`, and its unit."""

ABSENT = "absent"
"""How a fact is shown on the side that does not have it."""


def changes(before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]]) -> tuple[Change, ...]:
    """The facts that differ, by name."""
    if before is after:  # as those of all runs of one machine are
        return ()
    old, new = dict(before), dict(after)
    return tuple(
        Change(name=name, before=old.get(name, ABSENT), after=new.get(name, ABSENT))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def machine_line(machine: Machine) -> str:
    """The machine in one line: ``Intel Xeon 6980P, amx_bf16, 32 threads``."""
    threads = "1 thread" if machine.threads == 1 else f"{machine.threads} threads"
    return f"{machine.cpu_model}, {machine.isa}, {threads}"


def machine_facts(machine: Machine) -> tuple[Fact, ...]:
    """Everything of the fingerprint, what decides comparability first."""
    amx = machine.amx
    return (
        Fact(name="CPU", value=machine.cpu_model, note=machine.architecture),
        Fact(name="ISA used", value=machine.isa),
        Fact(
            name="AMX",
            value=f"advertised {_yes(amx.advertised)}, oneDNN {_yes(amx.usable_by_onednn)}, "
            f"Inductor {_yes(amx.usable_by_inductor)}, remedy {amx.remedy}",
            note=amx.detail,
        ),
        Fact(name="threads", value=f"{machine.threads} on {machine.physical_cores} physical cores"),
        Fact(name="memory", value=show_bytes(machine.memory_bytes)),
        *(Fact(name=name, value=value) for name, value in machine.facts),
        Fact(name="comparability class", value=machine.comparability_class),
        Fact(name="fingerprint", value=machine.fingerprint),
    )


def limit_facts(limits: Limits | Unknown) -> tuple[Fact, ...]:
    """What the machine can do at best, as it was measured in this session."""
    if isinstance(limits, Unknown):
        return (Fact(name="limits", value="unknown", note=limits.reason),)
    return tuple(Fact(name=name, value=show_rate(getattr(limits, field), unit)) for name, field, unit in LIMITS)


def _yes(held: bool) -> str:  # noqa: FBT001 - a word for a flag
    return "yes" if held else "no"
