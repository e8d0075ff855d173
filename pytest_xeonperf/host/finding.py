"""What a finding about this host is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


NOTHING_TO_DO = "nothing needs doing"
"""The remedy of what is good, or cannot be helped and does no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing worth knowing, and what to do about it."""

    level: Level
    what: str
    detail: str
    remedy: str
