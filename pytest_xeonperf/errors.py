"""Errors that say what happened, where, and what to do, each with the exit code of its kind."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of pytest under ``--xeonperf`` and of every ``xeonperf`` command: 0 to 5 are pytest's own."""

    OK = 0
    RED = 1
    INTERRUPTED = 2
    INFRASTRUCTURE = 3
    USAGE = 4
    NOTHING_TO_RUN = 5
    UNDECIDED = 6


class XeonPerfError(Exception):
    """What went wrong, where, and what to do about it.

    Args:
        what: The fact, without a full stop.
        where: The file, case, option or URL that it concerns; empty where `what` already says it.
        remedy: What the reader can do now.
    """

    exit_code = ExitCode.INFRASTRUCTURE

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the pipe between the session and its measuring child."""
        return _rebuild, (type(self), self.what, self.where, self.remedy)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  what to do: {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{advice}"


class UsageError(XeonPerfError):
    """An option, marker, name or file that the user gave cannot be meant."""

    exit_code = ExitCode.USAGE


class DataError(XeonPerfError):
    """A checkpoint, database or document cannot be read as what it should be."""

    exit_code = ExitCode.USAGE


class NotApplicableError(XeonPerfError):
    """This variant or workload cannot run here: a skip with a reason, not a failure."""

    exit_code = ExitCode.UNDECIDED


class InfrastructureError(XeonPerfError):
    """The machine, a tool or a child process let us down; says nothing about the code under test."""


def _rebuild(kind: type[XeonPerfError], what: str, where: str, remedy: str) -> XeonPerfError:
    return kind(what, where=where, remedy=remedy)
