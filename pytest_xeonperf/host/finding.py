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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing worth knowing; `remedy` is empty where nothing has to be done."""

    level: Level
    what: str
    detail: str
    remedy: str = ""
