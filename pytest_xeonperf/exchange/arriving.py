"""What a run from elsewhere must be, so that whatever was taken can be shown, compared and found again."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Commit, Measurement, RunState, Timing, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.records import Operator, Result, Run

_MOST = 1 << 62
"""Of a time, a size or a count of operations; of everything else that is counted, `_MOST_OF_THE_REST`."""

_MOST_OF_THE_REST = (1 << 31) - 1
_WIDE = re.compile(r"(_ns(\[\d+\])?|bytes|flop)$")

_LONGEST_BYTES = 1 << 16
_LONGEST_KEY_BYTES = 2000
"""Of what databases look runs up by: PostgreSQL's indices hold no more than some 2,700 bytes."""

_KEYS = re.compile(r"(^|\.)(sha|branch|node_id)$")

_MOST_OPERATORS = 100
_LONGEST_OPERATOR_BYTES = 1000
"""Several times what we keep of a call."""

_AHEAD = timedelta(days=1)
"""Clocks differ; a run of next year would be the newest one until then."""


def require_presentable(run: Run, *, now: datetime) -> None:
    """Let a finished run of sound figures pass.

    Args:
        run: From elsewhere.
        now: Aware, in UTC.

    Raises:
        DataError: Says where it is not; nothing of it may be kept.
    """
    for place, wrong in _complaints(run, now):
        raise DataError(wrong, where=f"run.{place}", remedy="send what `xeonperf export --format json` wrote")


def is_same(there: Run, sent: Run) -> bool:
    """Whether a run is there already; what a sha stands for is kept as whoever came first said it."""
    if isinstance(there.commit, Commit) and isinstance(sent.commit, Commit) and there.commit.sha == sent.commit.sha:
        known = {name: getattr(there.commit, name) for name in ("subject", "author", "committed_at")}
        sent = replace(sent, commit=replace(sent.commit, **known))
    return there == sent


def _complaints(run: Run, now: datetime) -> Iterator[tuple[str, str]]:
    if not _is_id(run.id):
        yield "id", f"{run.id[:50]!r} is no id of a run"
    if run.state is not RunState.FINISHED:
        yield "state", f"the run is {run.state}, not finished"
    yield from _values("", run)
    times = [("started_at", run.started_at), ("finished_at", run.finished_at)]
    times += [(f"results[{place}].measured_at", result.measured_at) for place, result in enumerate(run.results)]
    for name, text in times:
        if isinstance(text, Unknown) or not _is_time(text, now):
            yield name, f"{text!r:.60} is no time in UTC up to now"
    for place, result in enumerate(run.results):
        yield from ((f"results[{place}].{where}", wrong) for where, wrong in _of_result(result))


def _is_id(text: str) -> bool:
    """Whether an id is a UUID as we write it: no other can be taken for a branch, a sha or the name of a file."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _is_time(text: str, now: datetime) -> bool:
    try:
        time = datetime.fromisoformat(text)
        return time.utcoffset() == timedelta(0) and datetime(2000, 1, 1, tzinfo=UTC) < time < now + _AHEAD
    except (ValueError, OverflowError):
        return False


def _of_result(result: Result) -> Iterator[tuple[str, str]]:
    found = result.measurement
    if isinstance(found, Measurement):
        if found.case != result.case:
            yield "measurement.case", "the measurement is of another case"
        if not found.samples or found.items_per_call < 1:
            yield "measurement", "a measurement has pairs, and items in each call"
        if any(min(sample.baseline_ns, sample.candidate_ns) <= 0 for sample in found.samples):
            yield "measurement.samples", "durations are positive"
        low_ratio, ratio, high_ratio = found.speedup.low_ratio, found.speedup.ratio, found.speedup.high_ratio
        if not (0 <= low_ratio <= ratio <= high_ratio and ratio > 0):
            yield "measurement.speedup", "the speed-up is not inside its interval"
        yield from (("measurement.evidence.operators", wrong) for wrong in _of_operators(found.evidence.operators))
    if isinstance(found, Timing) and (found.rounds < 1 or found.median_ns < 0):
        yield "measurement", "a timing has rounds, and a duration"


def _of_operators(operators: tuple[Operator, ...] | Unknown) -> Iterator[str]:
    """Of operators that nobody could have kept: a page lists them all, and shares of them are compared."""
    if isinstance(operators, Unknown):
        return
    if len(operators) > _MOST_OPERATORS:
        yield f"there are more than {_MOST_OPERATORS} operators"
    if any(len(each.name.encode(errors="replace")) > _LONGEST_OPERATOR_BYTES for each in operators):
        yield f"the name of an operator is longer than {_LONGEST_OPERATOR_BYTES} bytes"
    if any(each.self_ns < 0 or each.calls < 0 for each in operators):
        yield "times and calls of operators are not negative"


def _values(place: str, value: object) -> Iterator[tuple[str, str]]:
    """Whole numbers that no database holds, and text that no file does."""
    if isinstance(value, bool | Enum):
        return
    if isinstance(value, int) and not place.endswith(".seed"):
        if abs(value) > (_MOST if _WIDE.search(place) else _MOST_OF_THE_REST):
            yield place, "the number is too large"
    elif isinstance(value, str):
        yield from ((place, wrong) for wrong in _of_text(value, key=_KEYS.search(place) is not None))
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from _values(f"{place}[{number}]", each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _values(f"{place}.{field.name}".removeprefix("."), getattr(value, field.name))


def _of_text(text: str, *, key: bool) -> Iterator[str]:
    most_bytes = _LONGEST_KEY_BYTES if key else _LONGEST_BYTES
    try:
        if len(text.encode()) > most_bytes:
            yield f"the text is longer than {most_bytes} bytes"
    except UnicodeEncodeError:
        yield "the text holds half a character"
    if "\0" in text:
        yield "the text holds NUL"
