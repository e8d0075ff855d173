"""Two runs of the history, case by case."""

from dataclasses import replace

import pytest

from pytest_xeonperf.judge.comparison import significance
from pytest_xeonperf.judge.outgrown import Proposal
from pytest_xeonperf.judge.runs import Past, Session, compare_runs
from pytest_xeonperf.records import (
    Acceptance,
    Amx,
    Estimate,
    Isa,
    Machine,
    Outcome,
    Remedy,
    Result,
    Run,
    RunState,
    Unknown,
    Verdict,
)

MACHINE = Machine(
    architecture="x86_64",
    cpu_model="Xeon",
    isa=Isa.AMX_BF16,
    amx=Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail="works"),
    threads=2,
    physical_cores=2,
    memory_bytes=1 << 34,
    facts=(),
    limits=Unknown(reason="not measured"),
)
NOTHING = Past(sessions=(), accepted=Unknown(reason="nothing was accepted"))


@pytest.fixture
def run(measured):
    """Makes a run from speed-ups by variant; one that was not measured is a crash."""

    def make(machine=MACHINE, preset="quick", **ratios):
        results = []
        for number, (variant, ratio) in enumerate(ratios.items()):
            case = replace(measured().case, variant=variant, preset=preset)
            verdict = Verdict(outcome=Outcome.PASS, reason="", floor_ratio=1.5, expectations=())
            results.append(
                Result(
                    node_id=f"test_{variant}",
                    location=f"test_tiny.py:{number}",
                    case=case,
                    measured_at="2026-09-01T10:00:00+00:00",
                    measurement=replace(measured(*[ratio] * 12), case=case) if ratio else Unknown(reason="crashed"),
                    verdict=verdict,
                )
            )
        return Run(
            id="run-" + "-".join(map(str, ratios.values())),
            state=RunState.FINISHED,
            started_at="2026-09-01T10:00:00+00:00",
            finished_at="2026-09-01T10:20:00+00:00",
            command="pytest --xeonperf",
            options=(),
            machine=machine,
            commit=Unknown(reason="no repository"),
            results=tuple(results),
        )

    return make


def compared(base, head, past=lambda _: NOTHING):
    return compare_runs(base, head, past, tolerance=0.05, alpha=0.05)


def test_cases_of_both_runs_are_judged_the_worst_first(run):
    found = compared(run(int8=3.0, int4=5.0, bf16=2.0), run(int8=3.0, int4=4.0, bf16=1.8))
    assert [(each.case.variant, each.outcome) for each in found.worst_first] == [
        ("int4", Outcome.REGRESSION),
        ("bf16", Outcome.REGRESSION),
        ("int8", Outcome.PASS),
    ]
    assert found.outcome is Outcome.REGRESSION
    assert found.notes == ()


def wide(centre, share=0.1):
    """Pairs around a ratio, half of them as far off on either side."""
    return [centre * (1 - share, 1 + share)[index % 2] for index in range(12)]


def test_what_is_most_significant_comes_first_within_red_undecided_and_faster(run, measured):
    sessions = tuple(Session(floor_ratio=1.5, speedup=measured(*[ratio] * 12).speedup) for ratio in (3.0, 3.03) * 5)
    base = run(**dict.fromkeys(("same", "up", "upper", "noisy", "noisier", "down", "downer", "gone"), 3.0))
    head = run(same=3.0, up=3.6, upper=4.5, noisy=3.0, noisier=3.0, down=2.6, downer=2.0, gone=None)
    spread = {"noisy": wide(2.95, 0.3), "noisier": wide(2.8, 0.3)}
    results = {each.case.variant: each for each in head.results}
    for name, ratios in spread.items():
        results[name] = replace(results[name], measurement=replace(measured(*ratios), case=results[name].case))
    died = replace(results["gone"].verdict, outcome=Outcome.CRASHED, reason="died")
    results["gone"] = replace(results["gone"], verdict=died)
    head = replace(head, results=tuple(results.values()))
    found = compared(base, head, lambda _: replace(NOTHING, sessions=sessions))
    order = [(each.case.variant, each.outcome) for each in found.worst_first]
    assert order == [
        ("gone", Outcome.CRASHED),
        ("downer", Outcome.REGRESSION),
        ("down", Outcome.REGRESSION),
        ("noisier", Outcome.INCONCLUSIVE),
        ("noisy", Outcome.INCONCLUSIVE),
        ("upper", Outcome.PASS),
        ("up", Outcome.PASS),
        ("same", Outcome.PASS),
    ]
    faster = [each.case.variant for each in found.cases if each.surely_faster(0.05)]
    assert faster == ["up", "upper"]


def test_a_small_change_that_is_certain_stands_before_a_large_one_that_is_not():
    narrow = Estimate(ratio=0.9, low_ratio=0.89, high_ratio=0.91, confidence=0.95)
    broad = Estimate(ratio=0.7, low_ratio=0.4, high_ratio=1.2, confidence=0.95)
    assert significance(narrow, broken=False) > significance(broad, broken=False)
    unbounded = replace(broad, low_ratio=0.0)
    assert significance(unbounded, broken=False)[0] == significance(Unknown(reason="none"), broken=False)[0] == 0
    assert significance(Unknown(reason="crashed"), broken=True) > significance(narrow, broken=True)


@pytest.mark.parametrize(("side", "words"), [("base", "base"), ("head", "head"), ("both", "base and head")])
def test_what_kept_no_pairs_is_undecided_and_says_so(run, side, words):
    base, head = run(int8=3.0), run(int8=2.0)

    def bare(made):
        (result,) = made.results
        return replace(made, results=(replace(result, measurement=replace(result.measurement, samples=())),))

    found = compared(bare(base) if side != "head" else base, bare(head) if side != "base" else head)
    (each,) = found.cases
    assert each.outcome is Outcome.INCONCLUSIVE
    assert each.reason == f"no pairs of {words} are kept: medians alone cannot be told from noise"
    assert each.shift == Unknown(reason=each.reason)


def test_a_pair_that_took_no_time_is_undecided_and_stops_nothing_else(run):
    head = run(int8=3.0, int4=4.0)
    broken = replace(head.results[0].measurement.samples[0], candidate_ns=0)
    spoiled = replace(head.results[0].measurement, samples=(broken, *head.results[0].measurement.samples[1:]))
    head = replace(head, results=(replace(head.results[0], measurement=spoiled), head.results[1]))
    found = compared(run(int8=3.0, int4=4.0), head)
    assert [(each.outcome, each.reason) for each in found.cases] == [
        (Outcome.INCONCLUSIVE, "pairs of head took no time"),
        (Outcome.PASS, ""),
    ]


def test_what_only_one_of_them_measured_is_noted_and_not_judged(run):
    found = compared(run(int8=3.0, int4=None, old=2.0), run(int8=3.0, int4=4.0, old=None))
    assert [each.case.variant for each in found.cases] == ["int8"]
    assert [note.split(" [")[0] for note in found.notes] == [
        "only base measured tiny/forward old over eager_fp32",
        "only head measured tiny/forward int4 over eager_fp32",
    ]


def test_a_case_that_crashed_at_head_is_red_and_one_whose_answer_is_wrong_too(run):
    base, head = run(int8=3.0, int4=4.0), run(int8=None, int4=4.0)
    crashed, wrong = head.results
    verdicts = [
        replace(crashed, verdict=replace(crashed.verdict, outcome=Outcome.CRASHED, reason="died of SIGSEGV")),
        replace(wrong, verdict=replace(wrong.verdict, outcome=Outcome.FIDELITY_FAILED, reason="cosine 0.1")),
    ]
    found = compared(base, replace(head, results=tuple(verdicts)))
    assert {each.case.variant: (each.outcome, each.reason) for each in found.cases} == {
        "int8": (Outcome.CRASHED, "died of SIGSEGV"),
        "int4": (Outcome.FIDELITY_FAILED, "cosine 0.1"),
    }
    assert found.notes == ()
    assert found.outcome.red


def test_nothing_in_common_is_undecided(run):
    assert compared(run(int8=3.0), run(int4=3.0)).outcome is Outcome.INCONCLUSIVE


def test_smoke_shapes_are_not_judged_by_their_times(run):
    found = compared(run(int8=3.0, preset="smoke"), run(int8=1.0, preset="smoke"))
    assert found.cases == ()
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.notes == ("cases of the preset smoke: their times say nothing",)


def test_another_class_of_machine_is_no_comparison(run):
    other = replace(MACHINE, isa=Isa.AVX512)
    (each,) = compared(run(int8=3.0), run(int8=1.0, machine=other)).cases
    assert each.outcome is Outcome.OTHER_MACHINE
    assert each.reason.startswith("base ran on Xeon (amx_bf16, 2 threads")
    assert each.shift == Unknown(reason=each.reason)


def test_what_was_accepted_takes_the_place_of_base(run, measured):
    accepted = run(int8=2.0)
    acceptance = Acceptance(
        case=accepted.results[0].case,
        run_id=accepted.id,
        accepted_at="2026-09-02T10:00:00+00:00",
        accepted_by="Ann",
        reason="scales stay in FP32",
    )
    past = Past(sessions=(), accepted=(acceptance, accepted.results[0].measurement))
    found = compared(run(int8=3.0), run(int8=2.0), lambda _: past)
    assert found.outcome is Outcome.PASS
    assert found.cases[0].base_speedup.ratio == pytest.approx(2.0)
    assert found.notes == (
        "tiny/forward int8 over eager_fp32 [quick]: as accepted by Ann in run run-2.0: scales stay in FP32",
    )
    assert compared(run(int8=3.0), run(int8=1.5), lambda _: past).outcome is Outcome.REGRESSION


def test_a_floor_that_history_has_outgrown_is_proposed(run, measured):
    session = Session(floor_ratio=1.5, speedup=measured(*[3.0] * 12).speedup)
    past = replace(NOTHING, sessions=(session,) * 9)
    (each,) = compared(run(int8=3.0), run(int8=3.0), lambda _: past).cases
    assert isinstance(each.proposed, Proposal)
    assert (each.proposed.floor_ratio, each.proposed.runs) == (1.5, 10)


def test_all_cases_share_the_chance_of_a_false_alarm(run):
    many = {f"v{number}": 3.0 for number in range(25)}
    (few,) = compared(run(int8=3.0), run(int8=3.0)).cases
    one_of_many = compared(run(**many), run(**many)).cases[0]
    assert few.shift.speedup.confidence == 0.95
    assert one_of_many.shift.speedup.confidence == pytest.approx(1 - 0.05 / 25)


OLD, NEW = (replace(MACHINE, facts=(("torch", version),)) for version in ("2.12.1", "2.13.0"))
UPGRADE = "torch 2.12.1 -> 2.13.0"


def test_a_loss_with_another_torch_is_not_put_down_to_the_commit(run):
    found = compared(run(int8=3.0, bf16=2.0, machine=OLD), run(int8=2.0, bf16=2.0, machine=NEW))
    worst, held = found.worst_first
    assert (worst.outcome, worst.surroundings) == (Outcome.INCONCLUSIVE, UPGRADE)
    assert worst.reason.endswith(f"not put down to the commit, as the environment changed too ({UPGRADE})")
    assert (held.outcome, held.surroundings) == (Outcome.PASS, "")
    assert found.notes == (f"the environment changed too: {UPGRADE}",)
    assert [each.name for each in found.environment] == ["torch"]
    same = compared(run(int8=3.0, machine=NEW), run(int8=2.0, machine=NEW))
    assert (same.outcome, same.environment, same.notes) == (Outcome.REGRESSION, (), ())


def test_a_crash_stays_a_crash_whatever_the_environment(run):
    head = run(int8=2.0, machine=NEW)
    (wrong,) = head.results
    verdict = replace(wrong.verdict, outcome=Outcome.FIDELITY_FAILED, reason="cosine 0.1")
    (each,) = compared(run(int8=3.0, machine=OLD), replace(head, results=(replace(wrong, verdict=verdict),))).cases
    assert (each.outcome, each.surroundings) == (Outcome.FIDELITY_FAILED, "")


def test_what_was_accepted_is_compared_with_in_the_environment_it_was_measured_in(run):
    accepted = run(int8=3.0)
    acceptance = Acceptance(
        case=accepted.results[0].case,
        run_id=accepted.id,
        accepted_at="2026-09-02T10:00:00+00:00",
        accepted_by="Ann",
        reason="so be it",
    )
    past = Past(sessions=(), accepted=(acceptance, accepted.results[0].measurement), accepted_on=NEW)
    found = compared(run(int8=4.0, machine=OLD), run(int8=2.0, machine=NEW), lambda _: past)
    assert found.outcome is Outcome.REGRESSION


def test_only_sessions_of_the_same_environment_say_what_sessions_differ_by(run, measured):
    sessions = tuple(
        Session(floor_ratio=1.5, speedup=measured(*[ratio] * 12).speedup, alike=number % 2 == 0)
        for number, ratio in enumerate((3.0, 2.0) * 8)
    )
    (mixed,) = compared(run(int8=3.0), run(int8=3.0), lambda _: replace(NOTHING, sessions=sessions)).cases
    assert mixed.shift.spread < 0.01
    few = tuple(replace(each, alike=False) for each in sessions)
    (unknown,) = compared(run(int8=3.0), run(int8=3.0), lambda _: replace(NOTHING, sessions=few)).cases
    assert isinstance(unknown.shift.spread, Unknown)


def test_a_gain_from_a_slower_baseline_is_no_pass(run):
    def slower_baseline(made, by):
        (result,) = made.results
        found = replace(result.measurement, baseline_median_ns=round(3_000_000 * by))
        return replace(made, results=(replace(result, measurement=found),))

    base = slower_baseline(run(int8=3.0), 1)
    (each,) = compared(base, slower_baseline(run(int8=3.6), 1.2)).cases
    assert each.outcome is Outcome.INCONCLUSIVE
    assert each.reason == "the baseline drifted: it takes +20.0 % time, and so the speed-up changed by +20.0 %"
    assert each.shift.drifted
    (within,) = compared(base, slower_baseline(run(int8=3.12), 1.04)).cases
    assert (within.outcome, within.shift.drifted) == (Outcome.PASS, False)
    (faster,) = compared(base, slower_baseline(run(int8=3.6), 1)).cases
    assert (faster.outcome, faster.shift.drifted) == (Outcome.PASS, False)
