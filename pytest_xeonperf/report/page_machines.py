"""The page of the machines: what results were measured on, and what about that deserves a word."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.host.finding import Finding, Level
from pytest_xeonperf.host.recorded_findings import recorded_findings
from pytest_xeonperf.report import links
from pytest_xeonperf.report.environment import LIMITS, Change, Fact, changes, machine_facts, machine_line
from pytest_xeonperf.report.verdict import Badge, Banner, Tone
from pytest_xeonperf.units import show_bytes, show_count, show_rate, show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.records import Limits, Machine
    from pytest_xeonperf.store.summaries import MachineSummary

_BADGES: Mapping[Level, Badge] = {
    Level.PROBLEM: Badge(word="problem", sign="✗", tone=Tone.BAD),
    Level.WARNING: Badge(word="warning", sign="?", tone=Tone.OPEN),
    Level.NOTE: Badge(word="note", sign="·", tone=Tone.OPEN),
    Level.GOOD: Badge(word="good", sign="✓", tone=Tone.GOOD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit over the runs that measured it."""

    name: str
    newest: str
    median: str
    lowest: str
    highest: str
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintRow:
    """One fingerprint of a class; `changes` are those to the one that was seen before it."""

    fingerprint: str
    runs: int
    first: str
    last: str
    href: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """One finding with how it looks."""

    badge: Badge
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSection:
    """Machines whose results may be compared with each other."""

    anchor: str
    comparability_class: str
    line: str
    seen: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    limits: tuple[LimitRow, ...]
    findings: tuple[FoundRow, ...]
    fingerprints: tuple[FingerprintRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesPage:
    """The whole page."""

    title: str
    banner: Banner
    sections: tuple[ClassSection, ...]


def machines_page(machines: Sequence[MachineSummary], *, pages: Collection[str]) -> MachinesPage:
    """The page.

    Args:
        machines: Every fingerprint, the one seen last first.
        pages: Ids of the runs that have a page to link to.
    """
    classes: dict[str, list[MachineSummary]] = {}
    for each in machines:
        classes.setdefault(each.machine.comparability_class, []).append(each)
    sections = tuple(_section(alike, pages) for alike in classes.values())
    return MachinesPage(title="Machines", banner=_banner(sections, machines), sections=sections)


def _banner(sections: Sequence[ClassSection], machines: Sequence[MachineSummary]) -> Banner:
    """The worst there is to say of any machine as it was seen last."""
    kinds = "1 class" if len(sections) == 1 else f"{len(sections)} classes"
    prints = show_count(len(machines), "fingerprint")
    total = f"{kinds} of machines, {prints}, {show_count(sum(each.runs for each in machines), 'run')}"
    levels = {row.finding.level for section in sections for row in section.findings}
    for level, word in ((Level.PROBLEM, "problem"), (Level.WARNING, "to look at")):
        if level in levels:
            where = [each.line for each in sections if level in {row.finding.level for row in each.findings}]
            more = f" and {len(where) - 1} more" if len(where) > 1 else ""
            badge = Badge(word=word, sign=_BADGES[level].sign, tone=_BADGES[level].tone)
            return Banner(badge=badge, sentence=f"{where[0]}{more}. {total}.", counts=())
    nothing = Badge(word="no machine yet", sign="?", tone=Tone.OPEN)
    in_order = Badge(word="in order", sign="✓", tone=Tone.GOOD)
    return Banner(badge=in_order if sections else nothing, sentence=f"{total}.", counts=())


def _section(alike: Sequence[MachineSummary], pages: Collection[str]) -> ClassSection:
    newest = alike[0].machine
    found = tuple(FoundRow(badge=_BADGES[each.level], finding=each) for each in recorded_findings(newest))
    return ClassSection(
        anchor=links.class_anchor(newest.comparability_class),
        comparability_class=newest.comparability_class,
        line=machine_line(newest),
        seen=(
            Fact(name="runs", value=str(sum(each.runs for each in alike))),
            Fact(name="seen last", value=f"{show_time(alike[0].last_at)} UTC"),
            Fact(name="seen first", value=f"{show_time(min(each.first_at for each in alike))} UTC"),
            Fact(name="comparability class", value=newest.comparability_class),
        ),
        facts=machine_facts(newest),
        limits=_limits([limits for each in alike for limits in each.limits]),
        findings=found,
        fingerprints=_fingerprints(alike, pages),
    )


def _limits(measured: Sequence[Limits]) -> tuple[LimitRow, ...]:
    """Each limit: of the newest run of the fingerprint seen last, and the spread over all."""
    rows = []
    for name, field, unit in LIMITS:
        figures = [getattr(each, field) for each in measured]
        if figures:
            shown = (show_rate(figure, unit) for figure in (figures[0], median(figures), min(figures), max(figures)))
            newest, middle, lowest, highest = shown
            rows.append(
                LimitRow(name=name, newest=newest, median=middle, lowest=lowest, highest=highest, runs=len(figures))
            )
    return tuple(rows)


def _fingerprints(alike: Sequence[MachineSummary], pages: Collection[str]) -> tuple[FingerprintRow, ...]:
    befores = [*(each.machine for each in alike[1:]), alike[-1].machine]  # the oldest changed nothing
    return tuple(
        FingerprintRow(
            fingerprint=each.machine.fingerprint,
            runs=each.runs,
            first=show_time(each.first_at),
            last=show_time(each.last_at),
            href=links.run_page(each.newest_run) if each.newest_run in pages else "",
            changes=changes(_facts(before), _facts(each.machine)),
        )
        for each, before in zip(alike, befores, strict=True)
    )


def _facts(machine: Machine) -> tuple[tuple[str, str], ...]:
    """All that tells one fingerprint of a class from another."""
    return (
        *machine.facts,
        ("memory", show_bytes(machine.memory_bytes)),
        ("physical cores", str(machine.physical_cores)),
    )
