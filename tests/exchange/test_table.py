"""The table in the terminal: what it says, and what gives way where it is narrow."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pytest_xeonperf.exchange.table import result_notes, results_table
from pytest_xeonperf.records import Bound, Contention, Expectation, Outcome, Roofline, Score, Unknown

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
    passed = _with_floor(make_result(), isa="amx_bf16")
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
    for shown in ("sam-vit-b/encode", "3.50x [3.40, 3.60]", "2.91x amx_bf16", "10.0 ms/image (100 image/s)"):
        assert shown in passed
    assert "71 % (100 TFLOP/s)" in passed
    assert "cosine 0.9998" in passed
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
    narrow, middling, wide = (_printed(results, width) for width in (80, 100, 165))
    assert narrow[0].split() == ["case", "variant", "speed-up", "floor", "verdict"]
    assert "2.91x  " in narrow[1]
    assert set(narrow[0].split()) < set(middling[0].split())
    assert "2.91x amx_bf16" in middling[1]
    assert "fidelity" not in middling[0]
    assert wide[0].split() == _printed(results, 200)[0].split()  # what is said in brackets goes before any column
    assert "(" not in wide[1]


def _with_floor(result: Result, *, isa: str) -> Result:
    floor = Expectation(name="min_speedup", required="2.91x over eager_fp32", found="3.50x", held=True, isa=isa)
    return replace(result, verdict=replace(result.verdict, expectations=(floor,)))


def _measured(result: Result, **changes: object) -> Result:
    return replace(result, measurement=replace(result.measurement, **changes))


def test_a_floor_for_any_instruction_set_names_none(make_result: Callable[..., Result]) -> None:
    generic, special = _printed([_with_floor(make_result(), isa=isa) for isa in ("generic", "avx512_bf16")], 200)[1:]
    assert "2.91x  " in generic
    assert "2.91x avx512_bf16  " in special


@pytest.mark.parametrize(
    ("item", "median_ns", "shown"),
    [
        ("prompt", 1_040_000_000, "  TTFT 1.04 s  "),
        ("token", 34_200_000, "  TPOT 34.2 ms (29.2 token/s)  "),
        ("image", 6_820_000_000, "  6.82 s/image (0.15"),
    ],
)
def test_latencies_are_called_what_people_call_them(
    make_result: Callable[..., Result], item: str, median_ns: int, shown: str
) -> None:
    assert shown in _printed([_measured(make_result(), item=item, candidate_median_ns=median_ns)], 200)[1]


@pytest.mark.parametrize(
    ("bound", "shown"), [(Bound.BANDWIDTH, "  64 % (13.4 GB/s)  "), (Bound.COMPUTE, "  64 % (1.00 TFLOP/s)  ")], ids=str
)
def test_a_share_of_the_limit_stands_beside_what_was_achieved(
    make_result: Callable[..., Result], bound: Bound, shown: str
) -> None:
    # 10 ms for a call of one item
    roofline = Roofline(fraction=0.64, bound=bound, flop=10**10, weight_bytes=134_000_000)
    assert shown in _printed([_measured(make_result(), roofline=roofline)], 200)[1]


def test_one_of_a_batch_has_no_name_of_its_own(make_result: Callable[..., Result]) -> None:
    result = _measured(make_result(), item="token", candidate_median_ns=34_200_000)
    result = replace(result, case=replace(result.case, workload="llama-2-7b(batch=4)"))
    assert "  34.2 ms/token (29.2 token/s)  " in _printed([result], 200)[1]


@pytest.mark.parametrize(
    ("names", "first"),
    [(("cosine", "kl"), "kl"), (("cosine", "psnr_db", "iou"), "iou"), (("psnr_db", "top1"), "psnr_db")],
)
def test_of_the_scores_that_is_shown_that_says_most(
    make_result: Callable[..., Result], names: tuple[str, ...], first: str
) -> None:
    scores = tuple(Score(name=name, value=0.25) for name in names)
    assert f"  {first} 0.25  " in _printed([_measured(make_result(), fidelity=scores)], 200)[1]


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


def test_layers_that_were_left_in_bf16_are_counted_whatever_the_verdict(make_result: Callable[..., Result]) -> None:
    result = make_result()
    evidence = replace(result.measurement.evidence, left_in_bf16=("head: K=40 is not a multiple of 16", "tail: so too"))
    result = replace(result, measurement=replace(result.measurement, evidence=evidence))
    assert result_notes((result,)) == (
        f"in part {result.case.label}: 2 layers left to torch, first head: K=40 is not a multiple of 16",
    )


def test_a_machine_that_others_used_is_told_once_a_ladder(make_result: Callable[..., Result]) -> None:
    quiet = make_result()
    busy = Contention(elapsed_ns=10**9, cores=2, stolen_ns=300_000_000, others_ns=60_000_000, throttled_ns=0)
    shared = replace(quiet, measurement=replace(quiet.measurement, contention=busy))
    assert result_notes((shared, shared, quiet)) == (
        (
            "shared sam-vit-b/encode [quick]: 15 % of the cores' time stolen by the hypervisor, "
            "3 % taken by other processes"
        ),
    )
    throttled = replace(busy, stolen_ns=0, others_ns=0, throttled_ns=2_000_000)
    (line,) = result_notes((replace(quiet, measurement=replace(quiet.measurement, contention=throttled)),))
    assert line.endswith("throttled for 2.00 ms")
    uncounted = replace(quiet.measurement, contention=Unknown(reason="not counted here"))
    assert result_notes((quiet, replace(quiet, measurement=uncounted))) == ()


def test_carry_over_is_told_whatever_the_verdict_and_only_where_it_is_seen(
    make_result: Callable[..., Result], carried: Result
) -> None:
    told = "4.00x when the baseline ran first, 4.40x when the candidate did (p = 0.0079)"
    assert result_notes((make_result(), carried)) == (f"carry-over {carried.case.label}: {told}",)
    turned = [
        replace(sample, baseline_position=place % 2, candidate_position=1 - place % 2)
        for place, sample in enumerate(carried.measurement.samples)
    ]
    assert result_notes((_measured(carried, samples=tuple(turned)),)) == ()
    assert result_notes((carried,) * 7) == ()  # luck, for all that nine pairs of each can say in a run of seven cases


def test_no_results_make_an_empty_table() -> None:
    assert len(_printed((), 80)) == 1


def test_what_was_timed_alone_has_a_latency_and_no_speed_up(timed: Result) -> None:
    assert _printed((timed,), 200)[1].split() == [
        *(
            "tests/test_fft.py::test_fft",
            "fft",
            "nothing",
            "-",
            "-",
            "1.25",
            "ms/call",
            "(797",
            "call/s)",
            "-",
            "-",
            "-",
            "PASS",
        )
    ]
