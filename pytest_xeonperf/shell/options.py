"""The options of a session: each an option, an environment variable and an ini key of the same name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.host.amx import AmxMode
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Supervision(StrEnum):
    """Where the tests run: in a measuring child, or in the pytest process itself."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting: an option, an environment variable and an ini key of the same name.

    Attributes:
        name: ``preset`` is ``--xeonperf-preset``, ``XEONPERF_PRESET`` and ``xeonperf_preset``.
        parse: From text to the value; raises `ValueError` on text that is none.
        valid: For the error message.
    """

    name: str
    default: str
    metavar: str
    parse: Callable[[str], object]
    valid: str
    help: str


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _positive(text: str) -> int:
    number = _whole(text)
    if number == 0:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _chance(text: str) -> float:
    number = float(text)
    if not 0 < number <= 0.5:  # noqa: PLR2004 - a test that errs more often than a coin is none
        raise ValueError(text)
    return number


def _pairs(text: str) -> tuple[int, int]:
    least, _colon, most = text.partition(":")
    pair = int(least), int(most)
    if not 0 < pair[0] <= pair[1]:
        raise ValueError(text)
    return pair


def _address(text: str) -> str:
    if not text:
        return text
    from pytest_xeonperf.ci.delivery import checked

    try:
        return checked(text)
    except UsageError as error:
        raise ValueError(text) from error


OPTIONS = (
    Option(
        name="db",
        default="",
        metavar="URL",
        parse=str,
        valid="an SQLAlchemy URL or a path",
        help="history database: an SQLAlchemy URL or the path of an SQLite file (default: xeonperf.db in rootdir)",
    ),
    Option(
        name="preset",
        default=Preset.QUICK,
        metavar="PRESET",
        parse=Preset,
        valid=", ".join(Preset),
        help="size of the shipped models: smoke (tests), quick (default), full (the blog's shapes)",
    ),
    Option(
        name="amx",
        default=AmxMode.AUTO,
        metavar="MODE",
        parse=AmxMode,
        valid=", ".join(AmxMode),
        help="what to do about AMX: auto (default), repair, cap, off",
    ),
    Option(
        name="threads",
        default="0",
        metavar="N",
        parse=_whole,
        valid="a whole number; 0 for the physical cores",
        help="threads to measure with (default: the physical cores of the cpuset)",
    ),
    Option(
        name="supervise",
        default=Supervision.ON,
        metavar="MODE",
        parse=Supervision,
        valid=", ".join(Supervision),
        help="on (default): tests run in a measuring child that may die; off: in the pytest process, as for --pdb",
    ),
    Option(
        name="report",
        default="reports",
        metavar="DIR",
        parse=str,
        valid="a directory, or off",
        help="where the HTML report is written at the end, relative to rootdir; off for none (default: reports)",
    ),
    Option(
        name="push",
        default="",
        metavar="URL",
        parse=_address,
        valid="the address of a service, such as https://perf.example",
        help="service that finished runs are sent to, with the token in XEONPERF_TOKEN (default: none)",
    ),
    Option(
        name="release",
        default="",
        metavar="REV",
        parse=str,
        valid="a tag, a branch or a commit",
        help="commit whose run every later one is compared with too, so that slow creep is seen (default: none)",
    ),
    Option(
        name="budget",
        default="240",
        metavar="SECONDS",
        parse=_seconds,
        valid="a positive number of seconds",
        help="time for the rounds of one ladder before what is undecided is INCONCLUSIVE (default: 240)",
    ),
    Option(
        name="pairs",
        default="6:40",
        metavar="MIN:MAX",
        parse=_pairs,
        valid="two numbers like 6:40, the first not above the second",
        help="pairs of a case at least and at most, however much of the budget is left (default: 6:40)",
    ),
    Option(
        name="processes",
        default="1",
        metavar="N",
        parse=_positive,
        valid="a whole number from 1",
        help="fresh processes that measure each case, whose spread the interval then knows (default: 1)",
    ),
    Option(
        name="alpha",
        default="0.05",
        metavar="P",
        parse=_chance,
        valid="a number above 0 and up to 0.5",
        help="chance of an undeserved verdict: a pass for each case, a red over the whole run (default: 0.05)",
    ),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options, each with an ini key of the same name (see the pytest reference: ``pytest_addoption``)."""
    group = parser.getgroup("xeonperf", "performance regression (pytest-xeonperf)")
    group.addoption("--xeonperf", action="store_true", default=False, help="measure the tests that use `xeonperf`")
    group.addoption(
        "--xeonperf-resume",
        action="store_true",
        default=False,
        help="continue the newest unfinished run: tests that were finished are reported, not measured again",
    )
    for option in OPTIONS:
        # help keeps its percent signs literal: argparse formats it
        group.addoption(
            f"--xeonperf-{option.name}", dest=f"xeonperf_{option.name}", metavar=option.metavar, help=option.help
        )
        parser.addini(f"xeonperf_{option.name}", help=option.help, default="")
    parser.addini("xeonperf_weights", type="linelist", default=[], help="checkpoints: lines of `workload = path`")


def resolve(config: pytest.Config, option: Option, environment: Mapping[str, str]) -> object:
    """The value of one option from the first source that gives one."""
    sources = (
        (f"--xeonperf-{option.name}", config.getoption(f"xeonperf_{option.name}")),
        (f"XEONPERF_{option.name.upper()}", environment.get(f"XEONPERF_{option.name.upper()}")),
        (f"ini key xeonperf_{option.name}", config.getini(f"xeonperf_{option.name}")),
        ("default", option.default),
    )
    source, text = next((source, text) for source, text in sources if text or source == "default")
    try:
        return option.parse(str(text))
    except ValueError:
        raise pytest.UsageError(f"{source}: {text!r} is none of its values; valid: {option.valid}") from None
