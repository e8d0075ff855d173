"""Whether what else used the cores while something was measured is worth a word, and that word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_ns, show_share

if TYPE_CHECKING:
    from pytest_xeonperf.records import Contention

_WORTH_A_WORD = 0.05
"""Share of the cores' time that others had: less is the usual noise of a machine."""


def shared_words(contention: Contention | Unknown) -> str:
    """Who else used the cores, for people; empty where it was little, or nobody counted it."""
    if isinstance(contention, Unknown):
        return ""
    stolen, others = contention.share(contention.stolen_ns), contention.share(contention.others_ns)
    if stolen + others <= _WORTH_A_WORD and not contention.throttled_ns:
        return ""
    throttled = f", throttled for {show_ns(contention.throttled_ns)}" if contention.throttled_ns else ""
    return (
        f"{show_share(stolen)} of the cores' time stolen by the hypervisor, "
        f"{show_share(others)} taken by other processes{throttled}"
    )
