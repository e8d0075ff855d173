"""The comment: verdict first, worst first, nobody's text taken for markup."""

from dataclasses import replace

import pytest

from pytest_xeonperf.ci.comment import MARKER, SEEN_FROM, comment
from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.records import Case, Commit, Metric, Outcome, Unknown


def lines_of(*anything):
    return comment(*anything).splitlines()


def test_the_first_line_finds_it_again_and_the_second_is_the_verdict(comparison, compared):
    first, second, *_ = lines_of(comparison(compared()))
    assert (first, second) == (MARKER, "## ✓ no slow-down beyond +2.0 % in 1 case")


def test_a_regression_is_named_with_its_size(comparison, compared):
    found = lines_of(comparison(compared(), compared(Outcome.REGRESSION)))
    assert found[1] == "## ✗ regression: sam-vit-b/encode compiled_bf16: +5.0 % time"
    rows = [line for line in found if line.startswith(("| ✓", "| ✗"))]
    assert [row[2] for row in rows] == ["✗", "✓"]
    assert "1.00 ms | 1.05 ms | +5.0 % [+5.0 %, +5.0 %] | - | ±0.0 % | regression: takes +5.0 % time |" in rows[0]


@pytest.mark.parametrize(("head_ns", "shown"), [(1_012_340, "1.3 %"), (1_050_000, "5.0 %"), (900_000, "any")])
def test_where_no_slow_down_was_seen_it_says_which_would_have_been(comparison, compared, head_ns, shown):
    own = Times(base_ns=(1_000_000,) * 6, head_ns=(head_ns,) * 6)
    case = compared(change=change_of(own, own, alpha=0.05, tolerance=0.02))
    found = lines_of(comparison(case))
    titles, cells = (line.split(" | ") for line in found if line.startswith(("| | case", "| ✓")))
    assert cells[titles.index("slow-down seen from")] == shown
    assert f"- {SEEN_FROM}." in found


def test_what_could_not_be_decided_is_not_green(comparison, compared):
    assert lines_of(comparison(compared(Outcome.INCONCLUSIVE)))[1] == "## ? undecided: 1 of 1 case"


def test_nothing_to_compare_is_said(comparison):
    found = lines_of(comparison(notes=("suites is not in base: nothing to compare it with",)))
    assert found[1] == "## ? nothing was compared"
    assert "- suites is not in base: nothing to compare it with" in found


def test_it_says_how_to_reproduce_and_how_to_accept(comparison, compared):
    text = comment(comparison(compared(Outcome.REGRESSION)))
    assert "xeonperf gate suites/" in text
    assert "To accept a slow-down, say why" in text
    assert "\npytest --xeonperf suites/test_sam.py::test_compiled\n```" in text
    assert "1 round voided" in text
    assert "amx_bf16, 2 threads; torch 2.13.0." in text


def test_two_versions_of_torch_are_told_apart(comparison, compared):
    made = comparison(compared())
    other = replace(made.base_machine, facts=(("torch", "2.12.0"),))
    assert "torch 2.12.0 at base, 2.13.0 at head" in comment(replace(made, base_machine=other))


def test_text_of_others_makes_no_markup(comparison, compared):
    commit = Commit(
        sha="c" * 40,
        branch="x",
        dirty=True,
        committed_at="2026-09-01T08:00:00+00:00",
        subject="<img src=x> | @everyone [x](https://x) ![x](y) `z`",
    )
    case = Case(workload="a|b", phase="<p>", preset="-", variant="v", metric=Metric.LATENCY, over="-")
    text = comment(comparison(compared(case=case), head_commit=commit))
    assert "<img" not in text
    assert "<p>" not in text
    assert "@everyone" not in text
    assert "a\\|b" in text
    assert "[x](" not in text
    assert "`z`" not in text
    assert "with uncommitted changes" in text


def test_a_test_s_name_cannot_leave_its_block_of_code(comparison, compared):
    text = comment(comparison(compared(Outcome.REGRESSION, node_id="test_x[```\n@everyone]")))
    fence = "````"
    assert text.count(fence) == 2
    assert "@everyone" in text.partition(f"{fence}sh")[2].partition(fence)[0]


def test_a_case_without_times_has_its_reason(comparison, compared):
    text = comment(
        comparison(compared(Outcome.CRASHED, change=Unknown(reason="it died"), reason="head: killed its worker"))
    )
    assert "## ✗ crashed: sam-vit-b/encode compiled_bf16\n" in text
    assert "| - | - | - | - | - | crashed: head: killed its worker |" in text


def test_very_many_cases_fit_into_a_comment(comparison, compared):
    text = comment(comparison(*[compared(Outcome.REGRESSION)] * 500))
    assert len(text) < 65_000
    assert "440 more are in the report." in text


def test_shared_cores_and_kept_rounds_have_a_line_where_they_matter(comparison, compared):
    made = comparison(compared())
    (course,) = made.courses
    assert "shared " not in comment(made)
    busy = replace(course, disturbed_rounds=2, contention=replace(course.contention, others_ns=10**9))
    text = comment(replace(made, courses=(busy,)))
    assert "\n- shared sam-vit-b/encode \\[quick\\]: 0 % of the cores' time stolen" in text
    assert "1 round voided because the machine was disturbed, 2 kept although it was" in text
