from dataclasses import replace

import pytest

from pytest_xeonperf.judge.runs import Past, compare_runs
from pytest_xeonperf.records import Expectation, Outcome, Sample, Unknown
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.render import encoded, render
from pytest_xeonperf.report.room import Room

MOST_BYTES = 2_000_000


def samples(number):
    """Pairs as different from each other as real ones."""
    return tuple(
        Sample(
            process=0,
            round_index=index,
            baseline_ns=1_600_000_000 + 7_654_321 * (index * 7 % 11),
            candidate_ns=405_000_000 + 1_234_567 * (index * 5 % 13),
            baseline_position=index % 2,
            candidate_position=1 - index % 2,
        )
        for index in range(number)
    )


def large_run(make, cases, *, pairs, listed, outcome=Outcome.PASS):
    """So many cases, each with lists of this length and with several promises."""
    names = [f"aten::an_operator_with_a_name_of_usual_length_{index}" for index in range(listed)]
    evidence = make.evidence(operators=make.operators(*names), kernels=tuple(names), left_in_bf16=tuple(names))
    promise = Expectation(name="min_speedup", required="2.91x", found="3.95x", held=True, isa="amx_bf16")
    measured = make.measurement(samples=samples(pairs), evidence=evidence)
    results = [
        make.result(
            case=make.case(workload=f"model-{number}"),
            node_id=f"suites/test_models.py::test_compiled[model-{number}-decode]",
            measurement=measured,
            verdict=replace(make.verdict(outcome), expectations=(promise,) * 4),
        )
        for number in range(cases)
    ]
    return run_page(make.run(*results))


@pytest.mark.parametrize(("cases", "pairs", "listed"), [(200, 40, 22), (320, 40, 40), (1500, 12, 22), (1, 200, 9000)])
def test_the_page_of_a_run_stays_below_its_limit_and_says_what_it_leaves_out(make, cases, pairs, listed):
    page = large_run(make, cases, pairs=pairs, listed=listed)
    assert len(encoded(page)) < MOST_BYTES
    assert page.left_out


def test_what_is_left_out_is_counted_where_it_would_stand_and_the_command_for_it_named(make):
    page = large_run(make, 200, pairs=100, listed=22)
    html = render(page)
    assert page.left_out == ("Lists end after 7 lines.", "Of each case 40 pairs are drawn, evenly spread.")
    assert f"<code>xeonperf export {page.run_id}</code> gives all of it." in html
    assert html.count("The first 7 of 100 pairs as numbers") == 200
    assert html.count("40 of 100 pairs are drawn, evenly spread.") == 200
    for noun in ("operators", "kernels", "layers"):
        assert html.count(f"15 more {noun}, not shown.") == 200
    measured = page.sections[0].measured
    assert [pair.round_number for pair in measured.pairs] == list(range(1, 8))
    assert [len(column) for column in (measured.operators, measured.kernels, measured.left_in_bf16)] == [7] * 3
    assert [y for _, y in measured.strip.dots] == sorted(y for _, y in measured.strip.dots)


def test_a_run_of_usual_size_is_shown_with_everything(make):
    page = large_run(make, 35, pairs=40, listed=30)
    html = render(page)
    assert page.left_out == ()
    assert "not shown" not in html
    assert html.count("<summary>40 pairs as numbers</summary>") == 35
    assert {len(section.measured.strip.dots) for section in page.sections} == {40}


def test_of_very_many_cases_the_worst_have_their_evidence_and_the_others_lead_to_their_trend(make):
    results = [make.result(case=make.case(workload=f"model-{number}")) for number in range(1200)]
    results[1100] = replace(results[1100], verdict=make.verdict(Outcome.BELOW_FLOOR))
    page = run_page(make.run(*results))
    html = render(page)
    assert page.sections[0].badge.word == "below floor"
    assert page.left_out[:2] == (
        "The table has the first 1000 of 1200 cases.",
        "Evidence is shown of the first 66 of 1200 cases.",
    )
    assert html.count("<article") == page.in_full == 66
    without = page.sections[66]
    assert f'<tr id="{without.anchor}">\n<th scope="row"><a href="{without.href}">' in html
    assert f'<tr>\n<th scope="row"><a href="#{page.sections[0].anchor}">' in html
    assert html.count(f'id="{page.sections[0].anchor}"') == 1


@pytest.mark.parametrize("cases", [0, 1, 60, 200, 201, 999, 1000, 1001, 10**6])
def test_there_is_room_for_something_of_every_case_that_is_shown(cases):
    room = Room.of(cases)
    assert room.rows <= max(cases, 1)
    assert 1 <= room.sections <= max(room.rows, 1)
    assert room.lines >= 5
    assert room.dots >= 40
    assert (room.rows == room.sections) == (cases <= 200) or cases == 0


def test_the_dots_are_one_path_however_many_there_are(make):
    html = render(large_run(make, 1, pairs=40, listed=1))
    assert html.count('<path class="dots" d="M') == 1
    assert html.count("h0M") == 39


def moved(make, ratio, listed):
    """A measurement that took other operators than one of another ratio did."""
    names = [f"aten::an_operator_with_a_name_of_usual_length_{index}_{int(ratio)}" for index in range(listed)]
    operators = make.operators(**{name: 1000 * (index + 1) for index, name in enumerate(names)})
    evidence = make.evidence(operators=operators, kernels=tuple(names))
    pairs = tuple(
        replace(sample, candidate_ns=round(sample.baseline_ns / (ratio * (1 + 0.002 * (sample.round_index % 5 - 2)))))
        for sample in samples(60)
    )
    return make.measurement(ratio, evidence=evidence, samples=pairs)


def compared(make, cases, *, listed):
    """The page of two runs in which every case became slower."""
    ends = []
    for ratio in (4.0, 2.0):
        measured = moved(make, ratio, listed)
        each = [make.case(workload=f"model-{number}") for number in range(cases)]
        ends.append(make.run(*(make.result(case=case, measurement=replace(measured, case=case)) for case in each)))
    nothing = Past(sessions=(), accepted=Unknown(reason="nothing was accepted"))
    return history_page(compare_runs(*ends, lambda _: nothing, tolerance=0.05, alpha=0.05))


@pytest.mark.parametrize(("cases", "listed"), [(200, 22), (200, 60), (10, 500)])
def test_the_page_of_two_runs_stays_below_its_limit(make, cases, listed):
    page = compared(make, cases, listed=listed)
    assert page.rows[0].why.operators
    assert len(encoded(page)) < MOST_BYTES


def test_operators_and_kernels_of_two_runs_that_are_not_shown_are_counted(make):
    page = compared(make, 100, listed=40)
    why = page.rows[0].why
    assert (len(why.operators), why.more_operators) == (14, 66)
    assert [(len(group.names), group.more) for group in why.kernels] == [(14, 26), (14, 26)]
    html = render(page)
    assert html.count("66 more operators, not shown.") == 100
    assert html.count("26 more kernels, not shown.") == 200


def test_of_very_many_cases_of_two_runs_the_most_significant_are_in_the_table(make):
    page = compared(make, 1020, listed=4)
    assert len(page.rows) == 1000
    (note,) = (note for note in page.notes if "table" in note)
    assert note == (
        "The table has the first 1000 of 1020 cases and what explains a case is said of the first 200: "
        f"{page.command} --json gives all of it."
    )
    assert page.rows[199].why.operators
    assert page.rows[200].why.lines == ()
    assert len(encoded(page)) < MOST_BYTES
