"""Raising alerts: on a run that has just come in, on a whole history, and on what a gate found.

The whole series of a case is looked at each time, so what a crash has left out is found by the next look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Measurement, Outcome, Timing
from pytest_xeonperf.store.alert_series import FEWEST
from pytest_xeonperf.units import show_change
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.judge.comparison import Comparison
    from pytest_xeonperf.judge.following import Followed
    from pytest_xeonperf.records import Case, Run
    from pytest_xeonperf.store.repository import Store

POINTS = 300
"""Newest runs of a case that are looked at: a change further back was seen when it was new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What became of alerts.

    Attributes:
        raised: New ones.
        recovered: Those whose latency is back, as they are now.
        reopened: Those of which that was said, and is not so after all.
    """

    raised: tuple[Alert, ...] = ()
    recovered: tuple[Alert, ...] = ()
    reopened: tuple[Alert, ...] = ()

    @property
    def line(self) -> str:
        """For people at a terminal, where something is new: the summary, and what shows them."""
        return f"{self.summary}; `xeonperf alerts` shows them" if self.summary else ""

    @property
    def summary(self) -> str:
        """For people, where something is new: ``alerts: 2 new (sam-vit-b/encode ... +10.0 %, and 1 more)``."""
        parts = []
        if self.raised:
            worst, *others = sorted(self.raised, key=lambda alert: -alert.latency_ratio)
            more = f", and {len(others)} more" if others else ""
            parts.append(f"{len(self.raised)} new ({told(worst)}{more})")
        if self.recovered:
            parts.append(f"{len(self.recovered)} over, the latency is back")
        if self.reopened:
            parts.append(f"{len(self.reopened)} open again, the latency is not back after all")
        return f"alerts: {', '.join(parts)}" if parts else ""


def told(alert: Alert) -> str:
    """A case and how much slower it became, for people."""
    return f"{alert.case.label} {show_change(alert.latency_ratio)}"


def watch_run(store: Store, run: Run, *, at: str) -> News:
    """Raise what the cases of a run have to tell; see `judge.alerts`.

    Args:
        store: The history, with the run in it.
        run: Which has ended.
        at: The time now, UTC ISO-8601.
    """
    return watch_series(store, series_of(run), at=at)


def series_of(run: Run) -> tuple[tuple[Case, str], ...]:
    """What a run adds to: each case that it measured, with its class of machine."""
    measured = (each for each in run.results if isinstance(each.measurement, Measurement | Timing))
    return tuple(dict.fromkeys((result.case, run.machine.comparability_class) for result in measured))


def watch_all(store: Store, *, at: str) -> News:
    """Raise what every case has to tell, on every class of machine."""
    return watch_series(store, store.series_names(), at=at)


def watch_series(store: Store, series: Iterable[tuple[Case, str]], *, at: str) -> News:
    """Raise what cases have to tell on classes of machines."""
    raised: list[Alert] = []
    changed: list[Followed] = []
    for case, machine in series:
        if case.preset == Preset.SMOKE.value:
            continue  # tells whether a suite works, not how fast anything is
        evidence = store.evidence(case.id, machine, limit=POINTS)
        if evidence.due:
            store.accept_due(case.id, machine)
            evidence = store.evidence(case.id, machine, limit=POINTS)
        if len(evidence.points) < FEWEST:
            continue
        from pytest_xeonperf.judge.alerts import findings  # numpy, where there is something to look at

        judge = partial(findings, case, machine, at=at)
        if judge(evidence).news:  # seldom: only then write, after a look at what is there by then
            found = store.watch(case, machine, judge, limit=POINTS)
            raised += found.raised
            changed += found.followed
    return News(
        raised=tuple(raised),
        recovered=tuple(each.alert for each in changed if each.recovered),
        reopened=tuple(each.alert for each in changed if each.reopened),
    )


def watch_gate(store: Store, comparison: Comparison, *, at: str) -> News:
    """Raise what a gate found to be slower, once for its two commits.

    Args:
        store: The history.
        comparison: What the gate came to; its head is a commit.
        at: The time now, UTC ISO-8601.
    """
    from pytest_xeonperf.judge.gate_alerts import gate_findings

    machine = comparison.head_machine.comparability_class
    raised: list[Alert] = []
    for each in comparison.cases:
        if each.outcome is Outcome.REGRESSION and each.case.preset != Preset.SMOKE.value:
            judge = partial(gate_findings, replace(comparison, cases=(each,)), at=at)
            raised += store.raise_alerts(each.case, machine, judge).raised
    return News(raised=tuple(raised))
