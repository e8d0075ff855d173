"""A picture of a verdict for other people's pages: one SVG that needs no other file, no script and no style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.render import environment
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.report.verdict import Badge, Tone, badge, ended, overall
from pytest_xeonperf.units import show_count, show_ns, show_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.records import Case
    from pytest_xeonperf.store.summaries import RunSummary, TrendPoint

_COLOURS: Mapping[Tone, str] = {Tone.GOOD: "#00609c", Tone.BAD: "#b04300", Tone.OPEN: "#6d4f83"}
"""Those of the pages by day; white on them has a contrast of 5 or more."""

_MOST_LETTERS = 60
_PADDING = 12
_NARROW, _WIDE = frozenset("fijlrtI.,:;'|!()[] "), frozenset("mwMW@%")
_WIDTHS = (4, 10, 7)
"""Of narrow, wide and other letters at 11 pixels, about; the text is made to fit what they come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeSvg:
    """The picture: a name on the left, a sign with a word and a figure on the right."""

    name: str
    said: str
    colour: str
    name_width: int
    said_width: int

    @property
    def width(self) -> int:
        """Of the whole, in pixels."""
        return self.name_width + self.said_width

    @property
    def title(self) -> str:
        """The whole in words, for who does not see it."""
        return f"{self.name}: {self.said}"


UNKNOWN = Badge(word="unknown", sign="?", tone=Tone.OPEN)
"""For what there is no result of."""


def badge_of_case(case: Case, point: TrendPoint) -> BadgeSvg:
    """What a case came to last: ``sam-vit-b encode compiled_bf16 | ✓ 3.95x pass``."""
    median_ns = point.candidate_median_ns
    if case.alone:
        name, figure = case.workload, "" if isinstance(median_ns, Unknown) else show_ns(median_ns)
    else:
        name = f"{case.workload} {case.phase} {case.variant}"
        figure = "" if isinstance(point.speedup, Unknown) else show_ratio(point.speedup.ratio)
    return _drawn(name, badge(point.outcome), figure)


def badge_of_run(summary: RunSummary) -> BadgeSvg:
    """What a run came to: ``xeonperf | ✗ 2 of 37 cases failed``; one that did not reach its end is not green."""
    outcomes = [outcome for outcome, number in summary.outcomes for _ in range(number)]
    whole = overall(outcomes)
    alike = {
        Tone.GOOD: len(outcomes),
        Tone.BAD: sum(outcome.red for outcome in outcomes),
        Tone.OPEN: sum(outcome.undecided for outcome in outcomes),
    }[whole.tone]
    figure = show_count(len(outcomes), "case") if outcomes else ""
    return _drawn("xeonperf", ended(whole, summary.state), figure if alike == len(outcomes) else f"{alike} of {figure}")


def badge_of_nothing(name: str) -> BadgeSvg:
    """That there is no result."""
    return _drawn(name, UNKNOWN, "")


def draw(picture: BadgeSvg) -> str:
    """The SVG."""
    return environment().get_template("badge.svg.j2").render(badge=picture)


def _drawn(name: str, verdict: Badge, figure: str) -> BadgeSvg:
    name = _short(legible(name))
    said = " ".join(part for part in (verdict.sign, figure, verdict.word) if part)
    return BadgeSvg(
        name=name,
        said=said,
        colour=_COLOURS[verdict.tone],
        name_width=_width(name),
        said_width=_width(said),
    )


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _width(text: str) -> int:
    narrow, wide, other = _WIDTHS
    return _PADDING + sum(narrow if letter in _NARROW else wide if letter in _WIDE else other for letter in text)
