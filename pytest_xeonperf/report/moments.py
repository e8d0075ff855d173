"""What pages say of a run in a trend, and the JSON of it: made once for the trends of all cases."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.units import show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from pytest_xeonperf.store.summaries import RunMark

_BRANCH, _SUBJECT, _AUTHOR = 48, 72, 40
"""Bytes that each may take in a page: there are thousands of them, and a page stays below 2 MB in every script."""

_ELLIPSIS = "…"

SHA_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and of what code a run was: ``trend/columns.js`` knows these by their order."""

    sha: str | Unknown
    date: str
    branch: str | Unknown
    subject: str | Unknown
    author: str | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The moments of so many runs as a JSON list that is safe in HTML."""

    text: str
    count: int


NOTHING_LISTED = Listed(text="[]", count=0)


class Moments:
    """The moments of the runs of a history, each made when it is first wanted.

    Attributes:
        marks: The runs, oldest first.
    """

    def __init__(self, marks: Sequence[RunMark]) -> None:
        self.marks = marks
        self._texts: dict[int, str] = {}
        self._among: dict[Collection[str], NDArray[np.bool_]] = {}

    def __getitem__(self, place: int) -> Moment:
        mark = self.marks[place]
        return Moment(
            sha=mark.sha if isinstance(mark.sha, Unknown) else mark.sha[:SHA_DIGITS],
            date=show_time(mark.started_at),
            branch=_short(mark.branch, _BRANCH),
            subject=_short(mark.subject, _SUBJECT),
            author=_short(mark.author, _AUTHOR),
        )

    def among(self, run_ids: Collection[str]) -> NDArray[np.bool_]:
        """Of every run, whether it is one of these."""
        wanted = frozenset(run_ids)
        if wanted not in self._among:
            self._among[wanted] = np.array([mark.run_id in wanted for mark in self.marks], dtype=np.bool_)
        return self._among[wanted]

    def listed(self, places: Sequence[int], known: Listed) -> Markup:
        """Those of these runs as a JSON list; what is unknown is empty, and of the first ones the list is `known`."""
        texts, fresh = self._texts, places[known.count :]
        for place in fresh:
            if place not in texts:
                texts[place] = self._text(place)
        parts = [known.text[1:-1]] if known.count else []
        parts += [texts[place] for place in fresh]
        return Markup(f"[{','.join(parts)}]")  # noqa: S704 - of `_text`, or from a page of ours

    def _text(self, place: int) -> str:
        moment = self[place]
        words = (moment.sha, moment.date, moment.branch, moment.subject, moment.author)
        return _in_html(["" if isinstance(word, Unknown) else legible(word) for word in words])


def _in_html(said: str | Sequence[str]) -> str:
    return str(htmlsafe_json_dumps(said, dumps=json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _short(text: str | Unknown, most: int) -> str | Unknown:
    """The text, or as much of it with an ellipsis as takes no more bytes than that."""
    if isinstance(text, Unknown) or (len(text) <= most and _bytes_of(text) <= most):
        return text
    room = most - _bytes_of(_ELLIPSIS)
    fitting = bisect_right(range(most), room, key=lambda length: _bytes_of(text[:length])) - 1
    return f"{text[:fitting]}{_ELLIPSIS}"


def _bytes_of(text: str) -> int:
    return len(_in_html(legible(text)).encode()) - len('""')
