"""The page of two runs of the history."""

from dataclasses import replace

from pytest_xeonperf.judge.runs import Past, compare_runs
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.render import render
from pytest_xeonperf.report.why import NOTHING_TO_SAY

NOTHING = Past(sessions=(), accepted=Unknown(reason="nothing was accepted"))


def test_two_runs_are_compared_by_their_speed_ups(make):
    base, head = make.run(make.result()), make.run(make.result())
    page = page_of(base, head)
    (row,) = page.rows
    assert row.badge.word == "not slower"
    assert row.base == row.head
    assert row.change == "±0.0 %"
    assert row.bar.at_x == row.bar.zero_x
    assert page.command == f"xeonperf compare {base.id} {head.id}"
    assert [fact.name for fact in page.facts] == ["machine"]


def page_of(base, head, **links):
    return history_page(compare_runs(base, head, lambda _: NOTHING, tolerance=0.05, alpha=0.05), **links)


def test_runs_of_two_machines_say_so_once(make):
    results = [make.result(), *(of_variant(make, name, 3.0) for name in ("woq_int4", "woq_int8"))]
    base, head = make.run(*results), make.run(*results, machine=make.machine(threads=8))
    page = page_of(base, head)
    assert {row.badge.word for row in page.rows} == {"other machine"}
    assert {row.reason for row in page.rows} == {""}
    assert page.banner.sentence.startswith(
        "Speed-ups of two classes of machines are not compared: base ran on INTEL(R)"
    )
    assert [fact.name for fact in page.facts] == ["machine of base", "machine of head"]
    assert render(page).count("head on INTEL") == 1


def of_variant(make, variant, ratio):
    case = make.case(variant=variant)
    return make.result(case=case, measurement=replace(make.measurement(ratio), case=case))


def test_what_is_surely_faster_says_so_and_stands_before_what_did_not_move(make):
    base = make.run(*(of_variant(make, name, 3.0) for name in ("same", "faster", "slower")))
    head = make.run(
        *(of_variant(make, name, ratio) for name, ratio in (("same", 3.0), ("faster", 4.0), ("slower", 2.0)))
    )
    page = page_of(base, head)
    assert [(row.case.variant, row.badge.word) for row in page.rows] == [
        ("slower", "regression"),
        ("faster", "faster"),
        ("same", "not slower"),
    ]
    assert [(count.badge.word, count.number) for count in page.banner.counts] == [
        ("not slower", 1),
        ("faster", 1),
        ("regression", 1),
    ]
    assert "Red first, then what is undecided" in render(page)
    assert page_of(base, base).banner.badge.word == "not slower"


def test_each_run_is_told_by_its_date_and_commit_and_links_lead_only_to_pages_that_there_are(make):
    run = make.run(make.result(), commit=make.commit(author="Ann"))
    other = replace(run, id="other", commit=Unknown(reason="no git here"))
    page = page_of(other, run, runs={run.id}, cases={make.case().id})
    base, head = page.ends
    assert (base.href, base.sha, base.note) == ("", Unknown(reason="no git here"), "no git here")
    assert (head.href, head.started, head.branch, head.sha, head.note, head.run_id) == (
        f"run-{run.id}.html",
        "2026-05-12 14:03 UTC",
        "main",
        "3f9a1c0b77",
        "Fuse, by Ann",
        run.id,
    )
    assert page.rows[0].href == f"case-{make.case().id}.html"
    html = render(page)
    assert f'<a href="run-{run.id}.html">2026-05-12 14:03 UTC</a>' in html
    assert f'<tr id="case-{make.case().id}">' in html
    assert page_of(other, run).rows[0].href == ""


def test_a_case_that_two_tests_hold_has_one_row_of_its_name(make):
    crashed = make.result(Outcome.CRASHED, node_id="t.py::other", measurement=Unknown(reason="died"))
    page = page_of(make.run(make.result()), make.run(make.result(), crashed))
    assert [bool(row.anchor) for row in page.rows] == [True, False]


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
    assert row.badge.word == "not slower"
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
