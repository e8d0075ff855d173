"""Why a rung has no measurement. Imports no torch: the session speaks of failures too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FailureKind(Enum):
    """Why a rung has no measurement."""

    NOT_APPLICABLE = "not applicable"  # to this model: no machine would change that
    NEEDS_MORE = "needs more than this machine or its budget has"
    BAD_DATA = "bad data"  # a checkpoint or file that the user gave
    NO_BASELINE = "no baseline"
    RAISED = "raised"
    OUT_OF_MEMORY = "out of memory"
    DIED = "died"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A rung that could not be measured, and why."""

    kind: FailureKind
    reason: str


def without_baseline(name: str, failure: Failure) -> Failure:
    """What a failure of the baseline of that name means for whoever is held against it."""
    own = {FailureKind.NOT_APPLICABLE, FailureKind.BAD_DATA}
    kind = failure.kind if failure.kind in own else FailureKind.NO_BASELINE
    return Failure(kind=kind, reason=f"baseline {name}: {failure.reason}")
