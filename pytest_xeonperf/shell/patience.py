"""How long a child that says nothing is waited for, and how a hang is told from slow work.

A slow machine must not be taken for a hang. So nobody is killed before `Patience.least_s`. A worker that is silent but
at work, as one that compiles is, may be so ten times as long; a call in a round, too, may take ten times as long as the
longest one of its variant.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from pytest_xeonperf.measure.clock import now_ns
from pytest_xeonperf.shell.deaths import Death
from pytest_xeonperf.shell.offspring import ChildDiedError
from pytest_xeonperf.units import show_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.shell.offspring import Child

_TIMES = 10
"""As long for what is at work, and for a call, as its longest so far."""
_AT_WORK = 0.01
"""Of one core: more than waiting for ever takes, less than reading a checkpoint over a network does."""
_SOON_S = 1.0
"""An answer that comes as soon as this comes undisturbed: nobody looks what its worker uses meanwhile."""


class ChildHungError(ChildDiedError):
    """A child said nothing for longer than it may, and was killed."""


@dataclass(slots=True)
class Patience:
    """With the workers of one side.

    Attributes:
        least_s: Silence that is always allowed.
        longest_ns: Call in a round so far, by variant.
    """

    least_s: float
    longest_ns: dict[str, int] = field(default_factory=dict)

    def wait(self, child: Child, call_of: str) -> None:
        """Wait until a child has something to say, or is gone.

        Args:
            child: Whoever is to speak.
            call_of: The variant whose call in a round it shall speak after; empty where it does something else.

        Raises:
            ChildHungError: It said nothing for longer than it may, and was killed.
        """
        started_ns = now_ns()
        if call_of in self.longest_ns:
            longest_s = self.longest_ns[call_of] / 1_000_000_000
            speaks = child.speaks_within(max(self.least_s, _TIMES * longest_s))
        else:
            speaks = self._speaks_or_works(child)
        silent_ns = now_ns() - started_ns
        if not speaks:
            child.end()
            how = f"said nothing for {show_ns(silent_ns)}"
            raise ChildHungError(Death(how=how, running=child.running, progressed=child.progressed))
        if call_of:
            self.longest_ns[call_of] = max(self.longest_ns.get(call_of, 0), silent_ns)

    def _speaks_or_works(self, child: Child) -> bool:
        """Whether it speaks before it was idle for too long, or at work for very much longer."""
        soon_s = min(_SOON_S, self.least_s)
        if child.speaks_within(soon_s):
            return True
        for period_s in (self.least_s - soon_s, *[self.least_s] * (_TIMES - 1)):
            before_s = processor_s(child.process.pid)
            if child.speaks_within(period_s):
                return True
            now_s = processor_s(child.process.pid)
            worked_s = sum(max(0.0, now_s[pid] - before_s.get(pid, 0.0)) for pid in now_s)
            if worked_s <= _AT_WORK * period_s:
                return False
        return False


def processor_s(pid: int) -> Mapping[int, float]:
    """Seconds of processor time of a process and of all that it has started, by process; none for one that is gone."""
    found: dict[int, float] = {}
    with suppress(psutil.Error):
        leader = psutil.Process(pid)
        for each in (leader, *leader.children(recursive=True)):
            with suppress(psutil.Error):
                times = each.cpu_times()
                found[each.pid] = times.user + times.system + times.children_user + times.children_system
    return found
