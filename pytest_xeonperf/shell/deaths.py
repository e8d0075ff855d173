"""What becomes of a test whose measuring child died: one verdict, for the variant that was running."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.reporting import attach
from pytest_xeonperf.shell.results import dead_result
from pytest_xeonperf.shell.state import RUNGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.shell.protocol import Named
    from pytest_xeonperf.shell.supervisor import Death, Supervisor


class Next(Enum):
    """What to do with the test that was running."""

    RUN_AGAIN = "run again"
    REPORT_DEAD = "report dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a death comes to."""

    next: Next
    reason: str


def conclude(death: Death, item: pytest.Item, supervisor: Supervisor) -> Conclusion:
    """Bar the variant that killed the child; the test runs again if the culprit was another rung of its ladder."""
    if isinstance(death.running, Unknown):
        return Conclusion(next=Next.REPORT_DEAD, reason=f"the measuring child {death.how}")
    culprit = death.running
    reason = f"{culprit.variant} killed the measuring child while {culprit.stage}: it {death.how}"
    again = any((dead.ladder, dead.variant) == (culprit.ladder, culprit.variant) for dead in supervisor.start.barred)
    supervisor.bar(culprit.ladder, culprit.variant, reason)
    is_own = any(
        (rung.ladder.label, rung.variant.name) == (culprit.ladder, culprit.variant) for rung in item.stash[RUNGS]
    )
    return Conclusion(next=Next.REPORT_DEAD if is_own or again else Next.RUN_AGAIN, reason=reason)


def dead_report(item: pytest.Item, reason: str, names: Mapping[str, Named]) -> pytest.TestReport:
    """The report of a test that did not live to write its own: failed, CRASHED.

    `names` are what its ladders are called, as far as the child had said it.
    """
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed",
        longrepr=f"CRASHED: {reason}",
        when="call",
    )
    attach(report, tuple(dead_result(rung, reason, names.get(rung.ladder.label)) for rung in item.stash[RUNGS]))
    return report
