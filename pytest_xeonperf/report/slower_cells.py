"""What the grid says of open alerts: in the cell of their case, beside its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.report import links
from pytest_xeonperf.report.filters import OTHER_MACHINE
from pytest_xeonperf.report.page_alerts import BADGES
from pytest_xeonperf.report.slower import open_ones
from pytest_xeonperf.units import show_slower

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.report.verdict import Tone
    from pytest_xeonperf.store.summaries import TrendPoint

ALERTS_IN_A_CELL = 2
"""Of the worst; the page of the case has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slower:
    """An open alert on a case.

    Attributes:
        text: ``11.8 % slower``.
        where: The machine it tells of, where the figure beside it is of another one; else empty.
        state: What people made of it so far.
    """

    href: str
    text: str
    where: str
    state: str
    tone: Tone


def alerts_by_case(alerts: Iterable[Alert]) -> Mapping[str, Sequence[Alert]]:
    """By the id of a case its open alerts, worst first."""
    found: dict[str, list[Alert]] = {}
    for alert in open_ones(alerts):
        found.setdefault(alert.case.id, []).append(alert)
    return found


def slower_there(
    alerts: Iterable[Alert], newest: TrendPoint, machines: Mapping[str, str], *, elsewhere: bool
) -> tuple[Slower, ...]:
    """What stands beside a figure of a case.

    Args:
        alerts: Of the case, open, worst first.
        newest: Where the figure is from.
        machines: How to call a comparability class.
        elsewhere: Whether it is not the newest of the case: it has the alerts of its own machine alone.
    """
    own = newest.comparability_class
    return tuple(
        Slower(
            href=links.alert_page(alert.id),
            text=show_slower(alert.latency_ratio),
            where="" if alert.comparability_class == own else machines.get(alert.comparability_class, OTHER_MACHINE),
            state=alert.state.value,
            tone=BADGES[alert.state].tone,
        )
        for alert in alerts
        if not elsewhere or alert.comparability_class == own
    )[:ALERTS_IN_A_CELL]
