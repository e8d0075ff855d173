import shlex
from dataclasses import replace

from pytest_xeonperf.records import Expectation, Outcome, RunState, Unknown
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.render import render


def only_section(make, **changes):
    (section,) = run_page(make.run(make.result(**changes))).sections
    return section


def test_the_page_tells_when_what_code_and_what_machine(make):
    author = make.commit(dirty=True, author="Ann")
    assert run_page(make.run(commit=author)).facts[0].note == "main, with uncommitted changes: Fuse, by Ann"
    commit, started, machine = run_page(make.run(commit=make.commit(dirty=True))).facts
    assert (commit.value, commit.note) == ("3f9a1c0b77", "main, with uncommitted changes: Fuse")
    assert (started.value, started.note) == ("2026-05-12 14:03 UTC", "took 22 min")
    assert machine.value == "INTEL(R) XEON(R) PLATINUM 8581C, amx_bf16, 2 threads"


def test_a_run_that_was_killed_says_why_its_length_is_unknown(make):
    run = make.run(finished_at=Unknown(reason="still running"), state=RunState.RUNNING)
    assert run_page(run).facts[1].note == "still running"


def test_a_run_without_git_says_so(make):
    assert run_page(make.run(commit=Unknown(reason="no git here"))).facts[0].note == "no git here"


def test_a_floor_that_does_not_apply_says_why(make):
    section = only_section(make, verdict=make.verdict(floor_ratio=Unknown(reason="asked for amx_bf16 only")))
    assert section.floor.reason == "asked for amx_bf16 only"
    assert section.measured.strip.floor.reason == "asked for amx_bf16 only"


def test_a_crashed_case_keeps_its_verdict_and_its_command(make):
    section = only_section(make, outcome=Outcome.CRASHED, measurement=Unknown(reason="died by SIGILL"))
    assert section.measured == Unknown(reason="died by SIGILL")
    assert section.badge.word == "crashed"
    assert section.command == "pytest --xeonperf --xeonperf-preset=quick suites/test_sam.py::test_compiled"


def test_the_command_survives_a_shell(make):
    section = only_section(make, node_id="suites/test_sam.py::test_x[a b'; rm -rf /]")
    assert shlex.split(section.command)[-1] == "suites/test_sam.py::test_x[a b'; rm -rf /]"


def test_what_was_timed_alone_has_a_latency_its_spread_and_a_command_without_a_preset(make):
    (section,) = run_page(make.run(make.alone())).sections
    assert (section.measured.latency, section.measured.rate) == ("1.25 ms", "797 call/s")
    assert section.command == "pytest --xeonperf tests/test_fft.py::test_fft"


def carried(make):
    """A measurement whose candidate takes a tenth longer wherever the baseline ran before it."""
    samples = tuple(
        replace(sample, candidate_ns=440_000_000 if sample.baseline_position == 0 else 400_000_000)
        for sample in make.measurement().samples
    )
    return make.measurement(samples=samples)


def test_carry_over_is_corrected_for_the_cases_of_the_run(make):
    one, other = make.result(measurement=carried(make)), make.result()
    (alone,) = run_page(make.run(one)).sections
    assert alone.measured.carry_over == "3.64x when the baseline ran first, 4.00x when the candidate did"
    assert [section.measured.carry_over != "" for section in run_page(make.run(other, one)).sections] == [False, True]
    assert not any(section.measured.carry_over for section in run_page(make.run(one, *(other,) * 6)).sections)


def test_carry_over_is_a_word_on_the_page_where_it_is_seen(make):
    seen, unseen = (
        render(run_page(make.run(make.result(measurement=found)))) for found in (carried(make), make.measurement())
    )
    assert "carry-over</span> 3.64x when the baseline ran first" in seen
    assert "carry-over</span>" not in unseen
    assert "no carry-over seen (p = " in unseen


def test_red_cases_come_first_then_undecided_ones_then_the_others_as_they_were_measured(make):
    outcomes = {"a": Outcome.PASS, "b": Outcome.INCONCLUSIVE, "c": Outcome.CRASHED, "d": Outcome.PASS}
    results = [make.result(outcome, case=make.case(variant=name)) for name, outcome in outcomes.items()]
    page = run_page(make.run(*results))
    assert [section.case.variant for section in page.sections] == ["c", "b", "a", "d"]


def test_the_verdict_leads_to_the_section_of_the_case_it_names(make):
    page = run_page(make.run(make.result(), make.result(Outcome.CRASHED)))
    (link,) = (piece for piece in page.banner.pieces if piece.href)
    assert link.href == f"#{page.sections[0].anchor}"
    assert page.sections[0].anchor.endswith("-2")
    assert f'<a href="{link.href}">sam-vit-b/encode compiled_bf16</a> failed;' in render(page)


def test_the_error_rates_stand_with_the_cases_and_what_a_floor_would_have_seen_with_its_method(make):
    held = Expectation(name="min_speedup", required="2.91x", found="3.95x", held=True, isa="generic")
    result = make.result()
    verdict = replace(result.verdict, outcome=Outcome.PASS, floor_ratio=2.91, expectations=(held,))
    run = make.run(replace(result, verdict=verdict), options=(("alpha", "0.05"),))
    page = run_page(run)
    assert page.rates == ("Error rates: any undeserved red, 5 % over its one case; an undeserved pass, 5 % for each.")
    (seen,) = (fact for fact in page.sections[0].measured.method if fact.name == "seen from")
    assert seen.note == "a speed-up below it would have been seen"
    assert page.rates in render(page)
    assert run_page(make.run(options=())).rates == ""
