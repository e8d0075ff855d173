"""What Python packs, the scripts take apart, in a real browser."""

from __future__ import annotations

import json
from math import nan

import pytest

from pytest_xeonperf.records import UNBOUNDED_RATIO
from pytest_xeonperf.report.columns import Figures, Words
from pytest_xeonperf.report.trend import FIGURES, WORDS

COUNT = 300
"""Of different words: their places do not fit into a byte."""


def packed(columns: dict[str, list[str]], figures: dict[str, list[float]]) -> dict:
    """The data of a chart; columns that are not given are empty."""
    words = {name: Words() for name in WORDS}
    for name, column in words.items():
        column.add(columns.get(name, [""] * COUNT))
    numbers = {name: Figures() for name in FIGURES}
    for name, column in numbers.items():
        column.add(figures.get(name, [nan] * COUNT))
    trend = {"count": COUNT, "levels": {"7": "latency +5 %"}}
    trend["words"] = {name: column.packed() for name, column in words.items()}
    trend["figures"] = {name: column.packed() for name, column in numbers.items()}
    panel = {"label": "x", "span": [0.5, 6.25], "scale": 1}
    latency = {**panel, "scale": 1_000_000}
    told = {"name": "made", "compare": "", "panels": ["speedup"], "hrefs": {"299": "run-x.html"}}
    told["alerts"] = {"8": [{"href": "alert-x.html", "tone": "bad", "text": "▼ new: 5.0 % slower"}]}
    return {
        **told,
        "trend": trend,
        "verdicts": {"PASS": ["✓ pass", "good"]},
        "speedup": panel,
        "candidate": latency,
        "baseline": latency,
    }


@pytest.fixture
def unpacked(page, case_page):
    """Takes data of a chart, and gives what the scripts make of it."""

    def of(data: dict) -> dict:
        page.goto(case_page.as_uri())
        moments = [[f"sha{number}", "2026-05-01 14:00", "main", "A change"] for number in range(COUNT)]
        return page.evaluate(
            """([data, moments]) => {
                for (const [id, text] of [["made", data], ["made-moments", moments]]) {
                    document.body.append(Object.assign(document.createElement("script"),
                        { type: "application/json", id, textContent: text }));
                }
                return xeonperfTrend.unpacked("made");
            }""",
            [json.dumps(data), json.dumps(moments)],
        )

    return of


def test_every_word_comes_back_to_its_run(unpacked):
    floors, changes = [f"{number}x" for number in range(COUNT)], ["", "torch: 1 → 2\nkernel: 6 → 7"] * (COUNT // 2)
    spots = unpacked(packed({"outcome": ["PASS"] * COUNT, "floor": floors, "changes": changes}, {}))["spots"]
    assert [spot["floor"] for spot in spots] == floors
    assert [spot["sha"] for spot in spots] == [f"sha{number}" for number in range(COUNT)]
    assert spots[0]["changes"] == []
    assert spots[1]["changes"] == ["torch: 1 → 2", "kernel: 6 → 7"]
    assert {index: spot["level"] for index, spot in enumerate(spots) if spot["level"]} == {7: "latency +5 %"}
    assert {index: spot["alerts"][0]["href"] for index, spot in enumerate(spots) if spot["alerts"]} == {
        8: "alert-x.html"
    }
    assert {index: spot["href"] for index, spot in enumerate(spots) if spot["href"]} == {299: "run-x.html"}
    assert {(spot["verdict"], spot["tone"]) for spot in spots} == {("✓ pass", "good")}


def test_figures_come_back_with_seven_digits_and_what_is_not_there_is_a_gap(unpacked):
    figures = {
        "ratio": [4.02, nan] * (COUNT // 2),
        "high_ratio": [UNBOUNDED_RATIO, 4.1] * (COUNT // 2),
        "low_ratio": [0.0, 3.9] * (COUNT // 2),
        "candidate_ns": [398_009_950.0, nan] * (COUNT // 2),
    }
    data = unpacked(packed({"outcome": ["PASS"] * COUNT}, figures))
    ratios, lows, highs, floors = data["speedup"]["lines"]
    assert ratios[:2] == [4.02, None]
    assert lows[:2] == [0, 3.9]
    assert highs[:2] == [6.25, 4.1]  # as far as the axis reaches
    assert set(floors) == {None}
    assert data["candidate"]["lines"][0][:2] == [398.01, None]  # to the nearest that 32 bits hold
