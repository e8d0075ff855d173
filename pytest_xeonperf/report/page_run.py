"""The page of a run: every case with the evidence that makes its number believable."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.carryover import order_effects
from pytest_xeonperf.judge.outlook import rates_line, seen_below
from pytest_xeonperf.records import Measurement, Timing, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.choice import NOWHERE, ToCompare
from pytest_xeonperf.report.environment import Fact, limit_facts, machine_facts, machine_line
from pytest_xeonperf.report.evidence import Measured, list_lengths, measured
from pytest_xeonperf.report.reproduce import command
from pytest_xeonperf.report.room import Room
from pytest_xeonperf.report.timed import Timed, timed
from pytest_xeonperf.report.verdict import Badge, Banner, Tone, badge, banner
from pytest_xeonperf.units import show_minutes, show_ratio, show_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.carryover import OrderEffect
    from pytest_xeonperf.records import Case, Expectation, Result, Run


_URGENCY = (Tone.BAD, Tone.OPEN, Tone.GOOD)
"""In which order cases are listed; those of one tone in the order measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSection:
    """One case of the run, with its verdict and whatever stands behind it."""

    anchor: str
    case: Case
    href: str
    badge: Badge
    reason: str
    floor: str | Unknown
    expectations: tuple[Expectation, ...]
    node_id: str
    location: str
    measured_at: str
    command: str
    measured: Measured | Timed | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """The whole page.

    Attributes:
        sections: Of the cases, as many as its table has room for.
        in_full: How many of these, from the first, have their evidence on the page.
        left_out: What it has no room for, as sentences; none where everything is shown.
        everything: The command that gives what is left out.
        rates: How often verdicts on times are wrong.
    """

    title: str
    banner: Banner
    run_id: str
    started: str
    started_at: str
    facts: tuple[Fact, ...]
    sections: tuple[CaseSection, ...]
    in_full: int
    left_out: tuple[str, ...]
    everything: str
    command: str
    options: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    machine_href: str
    limits: tuple[Fact, ...]
    compare: ToCompare
    rates: str


def run_page(run: Run, *, compare: ToCompare = NOWHERE) -> RunPage:
    """The page of a run, from the run and where it is compared with others."""
    started = show_time(run.started_at)
    names = anchors(run.results)
    room = Room.of(len(run.results))
    sections = [
        _section(result, anchor, order, run.options, room)
        for result, anchor, order in zip(run.results, names, order_effects(run.results), strict=True)
    ]
    return RunPage(
        title=f"Run {started}",
        banner=banner(run, places=[f"#{anchor}" for anchor in names]),
        run_id=run.id,
        started=started,
        started_at=run.started_at,
        facts=run_facts(run),
        sections=tuple(sorted(sections, key=lambda section: _URGENCY.index(section.badge.tone))[: room.rows]),
        in_full=room.sections,
        left_out=_left_out(run, room),
        everything=f"xeonperf export {run.id}",
        command=run.command,
        options=tuple(Fact(name=name, value=value) for name, value in run.options),
        machine=machine_facts(run.machine),
        machine_href=links.class_href(run.machine.comparability_class),
        limits=limit_facts(run.machine.limits),
        compare=compare,
        rates=rates_line(run),
    )


def run_facts(run: Run) -> tuple[Fact, ...]:
    """What a reader wants to know about a run before anything else: when, what code, on what."""
    if isinstance(run.commit, Unknown):
        commit = Fact(name="commit", value="unknown", note=run.commit.reason)
    else:
        dirty = ", with uncommitted changes" if run.commit.dirty else ""
        author = "" if isinstance(run.commit.author, Unknown) else f", by {run.commit.author}"
        commit = Fact(
            name="commit", value=run.commit.sha[:10], note=f"{run.commit.branch}{dirty}: {run.commit.subject}{author}"
        )
    started = Fact(name="started", value=f"{show_time(run.started_at)} UTC", note=_duration(run))
    return (commit, started, Fact(name="machine", value=machine_line(run.machine)))


def anchors(results: Sequence[Result]) -> tuple[str, ...]:
    """Names of the sections of a run; two tests may have measured the same case."""
    seen: Counter[str] = Counter()
    names = []
    for result in results:
        name = links.case_anchor(result.case.id)
        names.append(f"{name}-{seen[name] + 1}" if seen[name] else name)
        seen[name] += 1
    return tuple(names)


def _duration(run: Run) -> str:
    if isinstance(run.finished_at, Unknown):
        return run.finished_at.reason
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
    return f"took {show_minutes(took.total_seconds())}"


def _left_out(run: Run, room: Room) -> tuple[str, ...]:
    found = [result.measurement for result in run.results if isinstance(result.measurement, Measurement)]
    return room.left_out(
        len(run.results),
        pairs=[len(each.samples) for each in found],
        lists=[length for each in found for length in list_lengths(each)],
    )


def _section(
    result: Result, anchor: str, order: OrderEffect | Unknown, options: Sequence[tuple[str, str]], room: Room
) -> CaseSection:
    verdict = result.verdict
    floor = verdict.floor_ratio
    return CaseSection(
        anchor=anchor,
        case=result.case,
        href=links.case_page(result.case.id),
        badge=badge(verdict.outcome),
        reason=verdict.reason,
        floor=floor if isinstance(floor, Unknown) else show_ratio(floor),
        expectations=verdict.expectations,
        node_id=result.node_id,
        location=result.location,
        measured_at=f"{show_time(result.measured_at)} UTC",
        command=command(result.case, result.node_id, options),
        measured=_measured(result, floor, order, room),
    )


def _measured(
    result: Result, floor_ratio: float | Unknown, order: OrderEffect | Unknown, room: Room
) -> Measured | Timed | Unknown:
    found = result.measurement
    if isinstance(found, Measurement):
        shown, least = measured(found, floor_ratio, order, room), seen_below(result)
        if isinstance(least, Unknown):
            return shown
        seen = Fact(name="seen from", value=show_ratio(least), note="a speed-up below it would have been seen")
        return replace(shown, method=(*shown.method, seen))
    return timed(found) if isinstance(found, Timing) else found
