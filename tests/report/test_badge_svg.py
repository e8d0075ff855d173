"""Verdicts as pictures for other people's pages."""

from xml.etree import ElementTree as ET

import pytest

from pytest_xeonperf.records import Outcome, RunState
from pytest_xeonperf.report.badge_svg import badge_of_case, badge_of_nothing, badge_of_run, draw

GOOD, BAD, OPEN = "#00609c", "#b04300", "#6d4f83"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("outcome", Outcome)
def test_only_a_pass_has_the_colour_of_one(make, outcome):
    colour = badge_of_case(make.case(), make.point(outcome=outcome)).colour
    assert colour == (BAD if outcome.red else OPEN if outcome.undecided else GOOD)


def test_a_case_is_a_name_a_figure_and_a_word(make):
    picture = badge_of_case(make.case(), make.point(3.951, outcome=Outcome.BELOW_FLOOR))
    assert (picture.name, picture.said) == ("sam-vit-b encode compiled_bf16", "▼ 3.95x below floor")
    alone = badge_of_case(make.alone().case, make.alone_point())
    assert (alone.name, alone.said) == ("tests/test_fft.py::test_fft", "✓ 1.25 ms pass")
    assert badge_of_case(make.case(), make.gap(1, "died of SIGILL")).said == "✗ crashed"


@pytest.mark.parametrize(
    ("outcomes", "state", "said", "colour"),
    [
        ({Outcome.PASS: 3}, RunState.FINISHED, "✓ 3 cases passed", GOOD),
        ({Outcome.PASS: 1}, RunState.FINISHED, "✓ 1 case passed", GOOD),
        ({Outcome.PASS: 2, Outcome.CRASHED: 1}, RunState.FINISHED, "✗ 1 of 3 cases failed", BAD),
        ({Outcome.PASS: 2, Outcome.INCONCLUSIVE: 2}, RunState.FINISHED, "? 2 of 4 cases undecided", OPEN),
        ({}, RunState.FINISHED, "? nothing measured", OPEN),
        ({Outcome.PASS: 3}, RunState.RUNNING, "? 3 cases running, so far passed", OPEN),
        ({Outcome.PASS: 3}, RunState.INTERRUPTED, "? 3 cases interrupted, so far passed", OPEN),
        ({Outcome.CRASHED: 1}, RunState.INTERRUPTED, "✗ 1 case failed", BAD),
    ],
)
def test_a_run_is_a_word_with_how_many_cases_it_holds_for(make, outcomes, state, said, colour):
    picture = badge_of_run(make.summary(outcomes=tuple(outcomes.items()), state=state))
    assert (picture.said, picture.colour) == (said, colour)


def test_what_is_not_known_is_said_and_is_not_green():
    picture = badge_of_nothing("3f9a1c0b77de")
    assert (picture.title, picture.colour) == ("3f9a1c0b77de: ? unknown", OPEN)


def test_the_picture_is_xml_that_says_in_words_what_it_shows(make, hostile):
    picture = badge_of_case(make.case(workload=hostile + "\ufffe", variant="v" * 500), make.point())
    drawn = draw(picture)
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text == root.get("aria-label") == picture.title
    assert [text.text for text in root.iter(f"{SVG}text")] == [picture.name, picture.said]
    assert len(picture.name) == 60
    assert "<script" not in drawn


def test_the_picture_needs_nothing_from_elsewhere_and_no_style_sheet(make):
    drawn = draw(badge_of_case(make.case(), make.point()))
    assert all(word not in drawn for word in ("style=", "href=", "url(", "@font-face", "<script", "<style"))


def test_a_longer_text_has_more_room(make):
    narrow, wide = (badge_of_case(make.case(variant=name), make.point()) for name in ("a", "a_much_longer_variant"))
    assert wide.width > narrow.width
    assert wide.said_width == narrow.said_width
