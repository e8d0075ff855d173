import json
from pathlib import Path

import pytest

PUBLISHED = Path(__file__).parents[2] / "reports" / "league"
OLD = {"quick": False, "repetitions": 1000, "versions": {"numpy": "1.26.0"}}
NEW = {"quick": True, "repetitions": 200, "versions": {"numpy": "2.2.0"}}


@pytest.fixture(scope="session")
def page(module):
    return module("page")


def test_the_published_page_shows_the_published_figures(page):
    found = json.loads((PUBLISHED / "league.json").read_text(encoding="utf-8"))

    assert page.markdown(found) == (PUBLISHED / "league.md").read_text(encoding="utf-8")


def test_parts_that_were_not_run_with_the_same_say_so(page):
    rows = {"500 points": {"xeonperf": 0.5}}
    found = {"power": rows, "speed_s": rows, "alarms": rows, "runs": {"power": OLD, "speed_s": OLD, "alarms": NEW}}

    lines = page.markdown(found).splitlines()

    assert "- Power, Speed: numpy 1.26.0." in lines
    assert "- False alarms by length: `--quick`, numpy 2.2.0." in lines
    assert any(line.startswith("Of change points: shares of 200 series without a change (50 of") for line in lines)


def test_what_has_no_end_and_what_is_never_reported_are_not_shown_as_figures(page):
    coverage = {"held": 0.999, "width": 1000.0}
    delay = {"median_delay": 31.0, "never": 0.5}
    runs = {"coverage": OLD, "delays": OLD}

    lines = page.markdown({"coverage": {"five": {"x": coverage}}, "delays": {"tool": {"x": delay}}, "runs": runs})

    assert "| five | 99.9% (without an end) |" in lines
    assert "| tool | > 30 (50% never) |" in lines


def test_what_was_aimed_at_comes_first(page):
    row = {"xeonperf": 0.2, "xeonperf, one appended": 0.005}

    lines = page.markdown({"speed_s": {"50,000 points": row}, "runs": {"speed_s": OLD}}).splitlines()

    assert lines.index("## Reached and not reached") < lines.index("## Speed")
    assert "| 50,000 points below 1 s | 0.20 s | yes |" in lines


def test_parts_that_were_run_with_the_same_are_one_line(page):
    rows = {"500 points": {"xeonperf": 0.5}}

    lines = page.markdown({"power": rows, "speed_s": rows, "runs": {"power": OLD, "speed_s": OLD}}).splitlines()

    assert [line for line in lines if line.startswith("- ")] == ["- all: numpy 1.26.0."]
    assert "| 500 points | 0.5 |" in lines


def test_a_run_without_another_finding_is_shown_as_a_lower_bound(page):
    agreed = {"found": 1, "stated": 2, "others": 0, "run_length": 5133, "run_is_longer": True, "found_at": [7]}
    found = {"perfherder": {"made": {"xeonperf": agreed}}, "tigerbeetle": {"made": {"xeonperf": agreed}}}

    assert "| made | 1 of 2, 0 more (> 5,133) |" in page.markdown({"real": found, "runs": {"real": OLD}})
