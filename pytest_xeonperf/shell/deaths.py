"""What a measuring child died of, and what becomes of its test: one verdict, for the variant that was running."""

from __future__ import annotations

import re
import signal
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
    from pathlib import Path

    from pytest_xeonperf.records import Isa
    from pytest_xeonperf.shell.protocol import Entering, Named
    from pytest_xeonperf.shell.supervisor import Supervisor


_CAUSES: Mapping[int, str] = {
    signal.SIGILL: "an instruction that is advertised but does not run here; see `xeonperf doctor`",
    signal.SIGKILL: "the kernel's out-of-memory killer, or somebody's kill",
    signal.SIGSEGV: "a kernel that read out of bounds",
    signal.SIGABRT: "an assertion in native code",
    signal.SIGBUS: "a mapped weight file that was truncated, or a full disk or shared memory",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A child that is gone without a goodbye.

    Attributes:
        how: ``died of SIGKILL (likely ...)`` or ``left with exit code 3``, with the last words on its stderr.
        running: The variant it was busy with, as it last said.
        progressed: Whether it had said anything at all since it was started.
    """

    how: str
    running: Entering | Unknown
    progressed: bool


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
    """Bar the variant that killed the child; the test runs again if the culprit was another rung."""
    if isinstance(death.running, Unknown):
        return Conclusion(next=Next.REPORT_DEAD, reason=f"the measuring child {death.how}")
    culprit = death.running
    reason = f"{culprit.variant} killed the measuring child while {culprit.stage}: it {death.how}"
    again = any((dead.model, dead.variant) == (culprit.model, culprit.variant) for dead in supervisor.start.barred)
    supervisor.bar(culprit.model, culprit.variant, reason)
    is_own = not item.stash[RUNGS] or any(
        (rung.ladder.model, rung.variant.name) == (culprit.model, culprit.variant) for rung in item.stash[RUNGS]
    )
    return Conclusion(next=Next.REPORT_DEAD if is_own or again else Next.RUN_AGAIN, reason=reason)


def dead_report(item: pytest.Item, reason: str, names: Mapping[str, Named], isa: Isa) -> pytest.TestReport:
    """The report of a test that did not live to write its own: failed, CRASHED.

    `names` are what its models are called, as far as the child had said it.
    """
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed",
        longrepr=f"CRASHED: {reason}",
        when="call",
    )
    attach(report, tuple(dead_result(rung, reason, names.get(rung.ladder.model), isa) for rung in item.stash[RUNGS]))
    return report


def ending(code: int) -> str:
    """How a process ended, by its return code."""
    if code >= 0:
        return f"left with exit code {code}"
    names = {
        number.value: number.name for number in signal.Signals
    }  # real-time signals between the first and last have none
    cause = _CAUSES.get(-code)
    return f"died of {names.get(-code, f'signal {-code}')}" + (f" (likely {cause})" if cause else "")


def last_words(log: Path, begins_bytes: int) -> str:
    """The last line that says something, for the message; the whole log stays where it is."""
    text = log.read_bytes()[begins_bytes:].decode(errors="replace") if log.exists() else ""
    told = [line for line in text.splitlines() if re.search(r"\w*(Error|Warning|Exception)\b|[Ff]atal", line)][-1:]
    return "".join(f"; last words: {line.strip()[:200]}" for line in told)
