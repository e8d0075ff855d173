from dataclasses import replace

import pytest

from pytest_xeonperf.records import Estimate
from pytest_xeonperf.report.moments import Moments
from pytest_xeonperf.report.page_case import mark_of, page_of, trends_of
from pytest_xeonperf.report.render import encoded
from pytest_xeonperf.report.trends import TREND_POINTS


def moment(make, **changes):
    return Moments([replace(mark_of(make.point()), **changes)])[0]


def test_texts_of_usual_length_are_whole(make):
    found = moment(make, branch="feature/fuse-projections", subject="s" * 72, author="Ann-Sophie Müller-Lüdenscheidt")
    assert (found.branch, found.subject) == ("feature/fuse-projections", "s" * 72)
    assert found.author == "Ann-Sophie Müller-Lüdenscheidt"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s" * 73, "s" * 69 + "…"),
        ("漢" * 30, "漢" * 23 + "…"),
        ("<" * 30, "<" * 11 + "…"),
        ("\u202e" * 30, "\u202e" * 9 + "…"),
        ("\ud800" * 30, "\ud800" * 9 + "…"),
        ("😀" * 19, "😀" * 17 + "…"),
    ],
)
def test_a_subject_takes_a_few_bytes_of_the_page_in_every_script(make, text, shown):
    assert moment(make, subject=text).subject == shown


@pytest.mark.parametrize("letter", ["s", "漢", "<"])
def test_the_page_of_a_case_with_as_many_points_as_it_may_have_stays_below_its_limit(make, letter):
    first = make.point()
    marks, placed = [], []
    for number in range(TREND_POINTS):
        ratio = 3 + (number * 7919 % 9973) / 9973
        text = f"{number} {letter * 80}"
        point = replace(
            first,
            run_id=f"{number}",
            started_at=f"{2000 + number // 300}-05-{number % 28 + 1:02d}T{number % 24:02d}:03:11+00:00",
            sha=f"{number * 2654435761 % 2**40:040x}",
            branch=text,
            subject=text,
            author=text,
            speedup=Estimate(ratio=ratio, low_ratio=ratio * 0.98, high_ratio=ratio * 1.02, confidence=0.95),
            baseline_median_ns=1_600_000_000 + number * 7919 % 9_999_991,
            candidate_median_ns=round(1_600_000_000 / ratio),
        )
        marks.append(mark_of(point))
        placed.append((number, point))
    case = make.case()
    page = page_of(case, trends_of(case, placed), moments=Moments(marks), machines={}, pages=())
    assert 1_000_000 < len(encoded(page)) < 2_000_000
