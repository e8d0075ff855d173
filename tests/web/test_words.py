"""What the scripts of a chart make of its data, called in a real browser."""

import csv
import io

import pytest

from pytest_xeonperf.units import show_change

HOSTILE = ("=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\uff1d1", 'say "no"', "two\nlines")


def called(chart, function, *arguments):
    return chart.page.evaluate(f"(given) => xeonperfTrend.{function}(...given)", list(arguments))


def test_a_change_is_written_as_everywhere_else(chart):
    for ratio in (1.0, 1.042, 0.958, 0.9999, 2.5, 1.0004):
        assert called(chart, "change", ratio) == show_change(ratio), ratio


def data(candidate, baseline, intervals=((3.9, 4.1), (3.9, 4.1))):
    speedups = [old / new for old, new in zip(baseline, candidate, strict=True)]
    lows, highs = ([interval[end] for interval in intervals] for end in (0, 1))
    return {
        "panels": ["speedup", "candidate", "baseline"],
        "speedup": {"lines": [speedups, lows, highs, [2, 2]]},
        "candidate": {"lines": [candidate]},
        "baseline": {"lines": [baseline]},
    }


@pytest.mark.parametrize(
    ("candidate", "baseline", "who"),
    [
        ((400, 440), (1600, 1600), "the candidate moved"),
        ((400, 400), (1600, 1760), "the baseline moved"),
        ((400, 440), (1600, 1760), "both sides moved"),
        ((400, 400.01), (1600, 1600.01), "neither side moved"),
    ],
)
def test_who_moved_is_the_side_whose_latency_changed_more(chart, candidate, baseline, who):
    assert who in called(chart, "sentence", data(candidate, baseline), 0, 1)


def test_what_is_timed_alone_is_compared_by_its_latency(chart):
    alone = data((400, 440), (1, 1)) | {"panels": ["candidate"]}
    assert called(chart, "sentence", alone, 0, 1) == "The latency is 10.0 % higher."


def test_a_log_axis_ends_above_zero_and_has_round_ticks(chart):
    panel = {"span": [0, 200], "lines": [[0.5, 150, None]]}
    low, high = called(chart, "span", panel, "log")
    assert 0 < low < 0.5
    assert high == 200
    assert called(chart, "span", {"span": [3.8, 4.2], "lines": [[4]]}, "zero") == [0, 4.2]
    ticks = "([low, high]) => xeonperfTrend.valueAxis('log').splits({ bbox: { height: 300 } }, 1, low, high)"
    assert chart.page.evaluate(ticks, [0.9, 220]) == [1, 2, 5, 10, 20, 50, 100, 200]
    assert [round(tick, 9) for tick in chart.page.evaluate(ticks, [2.9, 4.3])] == [3, 3.2, 3.4, 3.6, 3.8, 4, 4.2]


def test_ticks_have_the_decimals_of_their_step(chart):
    shown = "([ticks, step]) => xeonperfTrend.valueAxis('').values(null, ticks, 1, 0, step)"
    assert chart.page.evaluate(shown, [[3.25, 3.5], 0.25]) == ["3.25", "3.50"]
    assert chart.page.evaluate(shown, [[0.1, 0.30000000000000004], 0.1]) == ["0.1", "0.3"]
    assert chart.page.evaluate(shown, [[400, 420], 20]) == ["400", "420"]
    assert chart.page.evaluate(shown, [[0.0001, 0.0002], 0.0001]) == ["0.0001", "0.0002"]


def test_the_file_has_a_line_for_every_run_with_the_values_of_the_chart(page, chart):
    with page.expect_download() as waiting:
        chart.button("Download CSV").click()
    assert waiting.value.suggested_filename.endswith(".csv")
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == chart.runs
    assert (rows[2]["date_utc"], rows[2]["commit"], rows[2]["branch"]) == ("2026-05-03 14:00", "02" * 5, "main")
    assert {row["author"] for row in rows} == {"Ann"}
    assert [float(rows[2][name]) for name in ("speedup", "low", "high", "floor")] == [4.02, 3.97, 4.07, 2.91]
    assert float(rows[2]["candidate_ms"]) == chart.data["candidate"]["lines"][0][2]
    assert (rows[4]["speedup"], rows[4]["nothing_measured"]) == ("", "died by SIGILL")
    assert rows[6]["environment_changed"] == "torch: 2.12.1 → 2.13.0"


def test_no_cell_of_the_file_is_taken_for_a_formula(chart):
    first = chart.data["spots"][0]
    spots = [first | {"subject": hostile, "branch": hostile, "author": hostile} for hostile in HOSTILE]
    rows = list(csv.reader(io.StringIO(called(chart, "csv", chart.data | {"spots": spots}), newline="")))
    assert len(rows) == 1 + len(HOSTILE)
    subjects = [row[3] for row in rows[1:]]
    assert subjects == [f"'{text}" for text in HOSTILE[:6]] + list(HOSTILE[6:])
    assert [row[2] for row in rows[1:]] == [row[4] for row in rows[1:]] == subjects
