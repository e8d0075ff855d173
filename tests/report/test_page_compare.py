"""Pages of comparisons: a gate's, and one of two runs of the history."""

from dataclasses import replace

import pytest

from pytest_xeonperf.judge.runs import Past, compare_runs
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report.page_compare import gate_page, history_page
from pytest_xeonperf.report.render import render
from pytest_xeonperf.report.why import NOTHING_TO_SAY

NOTHING = Past(sessions=(), accepted=Unknown(reason="nothing was accepted"))


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


def test_two_runs_are_compared_by_their_speed_ups(make):
    base, head = make.run(make.result()), make.run(make.result())
    page = history_page(compare_runs(base, head, lambda _: NOTHING, tolerance=0.05, alpha=0.05))
    (row,) = page.rows
    assert row.badge.word == "pass"
    assert row.base == row.head
    assert row.change == "±0.0 %"
    assert row.bar.at_x == row.bar.zero_x
    assert page.command == f"xeonperf compare {base.id} {head.id}"
    assert [fact.name for fact in page.facts] == ["base", "head", "machine"]


def test_runs_of_two_machines_say_so_in_place_of_a_change(make):
    base, head = make.run(make.result()), make.run(make.result(), machine=make.machine(threads=8))
    (row,) = history_page(compare_runs(base, head, lambda _: NOTHING, tolerance=0.05, alpha=0.05)).rows
    assert row.badge.word == "other machine"
    assert "8 threads" in row.change.reason


def two_runs(make, base, head):
    """The row of a case of two runs, by their measurements."""
    runs = [make.run(make.result(measurement=each)) for each in (base, head)]
    (row,) = history_page(compare_runs(*runs, lambda _: NOTHING, tolerance=0.05, alpha=0.05)).rows
    return row


def test_a_case_that_moved_names_the_operator_that_explains_it(make):
    base, head = make.measurement(4.0), make.measurement(2.0)
    base = replace(base, evidence=make.evidence(operators=make.operators(mm=300, gelu=100)))
    head = replace(head, evidence=make.evidence(operators=make.operators(mm=300, gelu=500)))
    row = two_runs(make, base, head)
    assert row.badge.word == "regression"
    assert row.why.lines == ("+400 ms a call: gelu +400 ms (100 %)",)
    assert [(each.name, each.fate, each.base, each.head, each.difference) for each in row.why.operators] == [
        ("gelu", "slower", "100 ms", "500 ms", "+400 ms"),
        ("mm", "as fast", "300 ms", "300 ms", "±0 ns"),
    ]


def test_a_case_that_fell_says_why_no_operator_explains_it(make):
    row = two_runs(make, make.measurement(4.0), make.measurement(2.0))
    assert row.why.lines == ("no operator explains it: the operators of base are unknown: not recorded",)
    assert row.why.operators == ()


def test_another_dispatch_is_shown_though_no_time_moved(make):
    amx, avx512 = "onednn::matmul:brg_matmul:avx10_1_512_amx", "onednn::matmul:brg_matmul:avx512_core_bf16"
    base = make.measurement(evidence=make.evidence(kernels=("aten::mm", amx)))
    head = make.measurement(evidence=make.evidence(kernels=("aten::mm", avx512)))
    row = two_runs(make, base, head)
    assert row.badge.word == "pass"
    assert row.why.lines == (f"kernels that appeared: {avx512}", f"kernels that vanished: {amx}")
    assert row.why.kernels == ()


def test_many_kernels_are_counted_in_a_sentence_and_listed_behind_it(make):
    base = make.measurement(evidence=make.evidence(kernels=("aten::mm",)))
    head = make.measurement(evidence=make.evidence(kernels=("aten::mm", "a", "b", "c", "d", "e")))
    row = two_runs(make, base, head)
    assert row.why.lines == ("kernels that appeared: a, b, c and 2 others",)
    (group,) = row.why.kernels
    assert (group.title, group.names) == ("5 kernels that appeared", ("a", "b", "c", "d", "e"))


def test_memory_and_graph_breaks_that_changed_are_told_with_the_reason(make):
    base = make.measurement()
    head = make.measurement(evidence=make.evidence(peak_rss_bytes=3 << 30, graph_breaks=1, first_break="numpy"))
    assert two_runs(make, base, head).why.lines == (
        "peak memory: 2.00 GiB, now 3.00 GiB",
        "graph breaks: 0, now 1 (numpy)",
    )


def test_two_runs_alike_have_nothing_to_explain_and_the_page_has_no_row_for_it(make):
    run = make.run(make.result())
    page = history_page(compare_runs(run, run, lambda _: NOTHING, tolerance=0.05, alpha=0.05))
    assert page.rows[0].why == NOTHING_TO_SAY
    assert 'class="why"' not in render(page)
