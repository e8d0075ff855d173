"""What a reader sees who asked the service for something that is not there, or is not for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from pytest_xeonperf.report.verdict import Badge, Banner, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalPage:
    """One sentence, and what to do."""

    title: str
    banner: Banner
    remedy: str


def refusal_page(status: int, what: str, *, remedy: str) -> RefusalPage:
    """The page of an answer that is an error.

    Args:
        status: Of the answer.
        what: Is wrong.
        remedy: What to do; empty where nobody knows.
    """
    title = HTTPStatus(status).phrase
    return RefusalPage(
        title=f"{status} {title}",
        banner=Banner(badge=Badge(word=title, sign="!", tone=Tone.OPEN), sentence=_sentence(what), counts=()),
        remedy=_sentence(remedy),
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""
