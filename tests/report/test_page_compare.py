"""The page of a gate."""

from dataclasses import replace

import pytest

from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report.page_compare import gate_page


def test_a_gate_s_page_has_the_worst_first_with_both_sides_and_a_bar(compared, comparison):
    page = gate_page(comparison(compared(), compared(Outcome.REGRESSION)))
    assert [row.badge.word for row in page.rows] == ["regression", "pass"]
    first = page.rows[0]
    assert (first.base, first.head) == ("1.00 ms", "1.05 ms")
    assert first.change.startswith("+5.0 % [")
    assert first.bar.at_x > first.bar.zero_x
    assert page.banner.sentence == "sam-vit-b/encode compiled_bf16 over eager_fp32 [quick] failed."
    assert page.command == "xeonperf gate suites/"


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ((), "Nothing was compared."),
        ((Outcome.PASS, Outcome.PASS), "Nothing became slower in 2 cases."),
        (
            (Outcome.INCONCLUSIVE, Outcome.PASS),
            "sam-vit-b/encode compiled_bf16 over eager_fp32 [quick] could not be decided.",
        ),
        (
            (Outcome.REGRESSION, Outcome.REGRESSION, Outcome.INCONCLUSIVE),
            "sam-vit-b/encode compiled_bf16 over eager_fp32 [quick] and 1 more failed.",
        ),
    ],
)
def test_the_verdict_comes_first_in_one_sentence(compared, comparison, outcomes, sentence):
    assert gate_page(comparison(*map(compared, outcomes))).banner.sentence == sentence


def test_what_could_not_be_measured_has_no_figures_but_its_reason(compared, comparison):
    lost = compared(Outcome.CRASHED, change=Unknown(reason="the worker died"), reason="the worker died")
    (row,) = gate_page(comparison(lost)).rows
    assert row.change == row.bar == Unknown(reason="the worker died")
    assert (row.base, row.head, row.sides) == ("", "", ("", ""))


def test_another_torch_is_among_what_differs(compared, comparison):
    made = comparison(compared())
    other = replace(made.head_machine, facts=(("torch", "2.14.0"),))
    (change,) = gate_page(replace(made, head_machine=other)).environment
    assert (change.name, change.before, change.after) == ("torch", "2.13.0", "2.14.0")


def test_a_gate_s_page_has_the_seed_and_what_else_used_the_cores(compared, comparison):
    made = comparison(compared())
    (course,) = made.courses
    again = replace(course, confirming=True, in_turns=True, contention=Unknown(reason="not counted"))
    first, second = gate_page(replace(made, courses=(course, again))).method[-2:]
    assert first == (
        "sam-vit-b/encode [quick], the first look: seed of the order 7; "
        "of the cores' time 0 % were stolen and 0 % others', not throttled."
    )
    assert second.endswith(
        "seed of the order 7; one side was loaded at a time; what else used the cores is unknown: not counted."
    )
