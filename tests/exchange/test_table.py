"""The table in the terminal: what it says, and what gives way where it is narrow."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pytest_xeonperf.exchange.table import result_notes, results_table
from pytest_xeonperf.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_xeonperf.records import Result


def _printed(results: Sequence[Result], width: int, *, colour: bool = False) -> list[str]:
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, color_system="truecolor" if colour else None, highlight=False
    )
    console.print(results_table(results, width=width))
    return out.getvalue().splitlines()


@pytest.fixture
def results(make_result: Callable[..., Result], crashed: Result, unbounded: Result) -> tuple[Result, ...]:
    passed = make_result()
    wrong = replace(passed, verdict=replace(passed.verdict, outcome=Outcome.FIDELITY_FAILED))
    return (passed, crashed, unbounded, wrong)


def test_a_wide_terminal_sees_everything(results: tuple[Result, ...]) -> None:
    head, passed, crashed, unbounded, wrong = _printed(results, 200)
    titles = [
        "case",
        "variant",
        "over",
        "speed-up",
        "floor",
        "latency",
        "limit",
        "fidelity",
        "RSS / weights",
        "verdict",
    ]
    assert head.split() == " ".join(titles).split()
    for shown in ("sam-vit-b/encode", "3.50x [3.40, 3.60]", "2.91x", "10.0 ms/image", "71 %", "cosine 0.9998"):
        assert shown in passed
    assert "1.00 GiB / 180 MiB" in passed
    assert passed.split()[-1] == "PASS"
    assert crashed.split() == ["sam-vit-b/encode", "woq_int8", "eager_fp32", "-", "-", "-", "-", "-", "-", "CRASHED"]
    assert "1.20x […, …]" in unbounded
    assert wrong.split()[-1] == "FIDELITY_FAILED"


@pytest.mark.parametrize("width", [72, 80, 100, 120, 140])
def test_no_row_wraps_and_the_verdict_stays_whole(results: tuple[Result, ...], width: int) -> None:
    lines = _printed(results, width)
    assert len(lines) == len(results) + 1
    assert max(map(len, lines)) <= width
    assert [line.split()[-1] for line in lines[1:]] == ["PASS", "CRASHED", "INCONCLUSIVE", "FIDELITY_FAILED"]
    assert all("…" not in line.replace("[…, …]", "") for line in lines)


def test_what_is_missed_least_gives_way_first(results: tuple[Result, ...]) -> None:
    narrow, middling = _printed(results, 80)[0].split(), _printed(results, 100)[0].split()
    assert narrow == ["case", "variant", "speed-up", "floor", "verdict"]
    assert set(narrow) < set(middling)
    assert "fidelity" not in middling


def test_colour_never_says_what_the_words_do_not(results: tuple[Result, ...]) -> None:
    import re

    coloured = _printed(results, 120, colour=True)
    assert any("\x1b[" in line for line in coloured)
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in coloured] == [
        line.rstrip() for line in _printed(results, 120)
    ]


def test_square_brackets_in_a_name_are_no_markup(make_result: Callable[..., Result]) -> None:
    result = make_result()
    odd = replace(result, case=replace(result.case, variant="[bold]x[/bold]"))
    assert "[bold]x[/bold]" in _printed((odd,), 200)[1]


def test_every_result_that_is_not_green_says_why(results: tuple[Result, ...]) -> None:
    assert result_notes(results)[:2] == (
        "CRASHED sam-vit-b/encode woq_int8 over eager_fp32 [quick]: died of SIGSEGV",
        "INCONCLUSIVE sam-vit-b/encode eager_bf16 over eager_fp32 [quick]: budget spent",
    )
    assert len(result_notes(results)) == 3


def test_no_results_make_an_empty_table() -> None:
    assert len(_printed((), 80)) == 1


def test_what_was_timed_alone_has_a_latency_and_no_speed_up(timed: Result) -> None:
    assert _printed((timed,), 200)[1].split() == [
        *("tests/test_fft.py::test_fft", "fft", "nothing", "-", "-", "1.25", "ms/call", "-", "-", "-", "PASS")
    ]
