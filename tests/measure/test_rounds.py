from functools import partial

import pytest

from pytest_xeonperf.measure.pace import Effort
from pytest_xeonperf.measure.rounds import run_rounds

THREE = Effort(min_rounds=3, max_rounds=3)


@pytest.fixture
def play(make_canary):
    """Runs rounds of steps that do nothing but say that they were called."""

    def run(
        *names, effort=THREE, seed=1, canary=(), settled=lambda _name, _samples: True, on_call=lambda _name: None,
        on_void=lambda _index: None,
    ):  # fmt: skip
        calls, kept = [], []

        def step(name):
            calls.append(name)
            on_call(name)

        rounds = run_rounds(
            partial(step, "base"),
            {name: partial(step, name) for name in names},
            effort=effort,
            seed=seed,
            canary=make_canary(*canary),
            settled=settled,
            on_turn=lambda _name: None,
            on_round=lambda index, pairs: kept.append((index, sorted(pairs))),
            on_void=on_void,
        )
        return rounds, calls, kept

    return run


def test_every_round_runs_everybody_once(play):
    _, calls, _ = play("a", "b")
    per_round = [calls[start : start + 3] for start in range(0, len(calls), 3)]
    assert len(per_round) == 3
    assert all(sorted(names) == ["a", "b", "base"] for names in per_round)


def test_a_pair_comes_from_one_round_and_knows_where_both_stood_in_it(play):
    rounds, calls, _ = play("a", "b")
    for name in ("a", "b"):
        for sample in rounds.samples[name]:
            line_up = calls[3 * sample.round_index : 3 * sample.round_index + 3]
            assert line_up[sample.baseline_position] == "base"
            assert line_up[sample.candidate_position] == name


def test_two_rungs_of_one_round_share_its_baseline(play):
    rounds, _, _ = play("a", "b")
    for of_a, of_b in zip(rounds.samples["a"], rounds.samples["b"], strict=True):
        assert (of_a.baseline_ns, of_a.round_index) == (of_b.baseline_ns, of_b.round_index)


def test_the_same_seed_repeats_the_order_and_another_one_does_not(play):
    ten = Effort(min_rounds=10, max_rounds=10)
    orders = [play("a", "b", "c", effort=ten, seed=seed)[1] for seed in (7, 7, 8)]
    assert orders[0] == orders[1] != orders[2]


def test_the_seed_is_kept_with_the_rounds(play):
    assert play("a", seed=42)[0].seed == 42


def test_the_baseline_comes_first_in_about_half_of_the_rounds(play):
    many = Effort(min_rounds=200, max_rounds=200)
    rounds, _, _ = play("a", effort=many)
    assert 70 < sum(sample.baseline_position == 0 for sample in rounds.samples["a"]) < 130


def test_a_settled_rung_leaves_and_the_others_go_on(play):
    rounds, calls, _ = play(
        "quick", "slow", effort=Effort(min_rounds=2, max_rounds=9), settled=lambda name, _samples: name == "quick"
    )
    assert [len(rounds.samples[name]) for name in ("quick", "slow")] == [2, 9]
    assert calls.count("quick") == 2
    assert calls.count("base") == 9


def test_no_rung_leaves_before_the_fewest_rounds_that_mean_anything(play):
    rounds, _, _ = play("a", effort=Effort(min_rounds=5, max_rounds=9))
    assert len(rounds.samples["a"]) == 5


def test_a_rung_settles_by_the_pairs_of_all_rungs(play):
    seen = {"a": [], "b": []}

    def settled(name, samples):
        seen[name].append(len(samples["a"]))
        return len(samples["a"]) == len(samples["b"]) == 4

    play("a", "b", effort=Effort(min_rounds=2, max_rounds=9), settled=settled)
    assert seen == {"a": [2, 3, 4], "b": [2, 3, 4]}


def test_what_never_settles_ends_with_the_last_round(play):
    rounds, _, _ = play("a", effort=Effort(min_rounds=2, max_rounds=4), settled=lambda _name, _samples: False)
    assert len(rounds.samples["a"]) == 4


def test_an_exhausted_budget_ends_after_the_fewest_rounds(play):
    rounds, _, _ = play(
        "a", effort=Effort(min_rounds=3, max_rounds=40, budget_ns=0), settled=lambda _name, _samples: False
    )
    assert len(rounds.samples["a"]) == 3


def test_a_round_beside_a_disturbance_is_voided_redone_and_counted(play):
    # healthy before the first round, disturbed after it: that round and, the song being shared, the next one go
    rounds, calls, kept = play("a", canary=(True, False, True, True))
    assert rounds.voided == 2
    assert len(rounds.samples["a"]) == 3
    assert calls.count("a") == 5
    assert [index for index, _ in kept] == [2, 3, 4]
    assert [sample.round_index for sample in rounds.samples["a"]] == [2, 3, 4]


def test_a_round_is_never_voided_for_its_own_times(play):
    turns = iter(range(100))

    def slow_once(name):
        if name == "a" and next(turns) == 1:
            sum(range(2_000_000))

    rounds, _, _ = play("a", on_call=slow_once)
    times_ns = [sample.candidate_ns for sample in rounds.samples["a"]]
    assert rounds.voided == 0
    assert times_ns[1] == max(times_ns)


def test_a_machine_that_is_always_disturbed_is_measured_all_the_same_in_the_end(play):
    rounds, _, _ = play("a", canary=[False] * 100)
    assert (len(rounds.samples["a"]), rounds.voided) == (3, THREE.max_rounds)
    assert rounds.disturbed_pairs("a") == 3


def test_of_the_kept_disturbed_rounds_a_rung_counts_those_it_was_in(play):
    always = lambda name, _samples: name == "a"  # noqa: E731 - it leaves as soon as it may
    effort = Effort(min_rounds=2, max_rounds=4)
    rounds, _, _ = play("a", "b", canary=[False] * 100, effort=effort, settled=always)
    assert (rounds.disturbed_pairs("a"), rounds.disturbed_pairs("b")) == (2, 4)


def test_only_kept_rounds_are_told(play):
    _, _, kept = play("a", "b", canary=(False, True, True))
    assert kept == [(1, ["a", "b"]), (2, ["a", "b"]), (3, ["a", "b"])]


def test_a_voided_round_is_told_by_its_index(play):
    voided = []
    play("a", canary=(True, False, True, True), on_void=voided.append)
    assert voided == [0, 1]


def test_without_rungs_nothing_runs(play):
    rounds, calls, _ = play()
    assert (dict(rounds.samples), calls) == ({}, [])


def test_the_turn_is_told_before_the_call(make_canary):
    told = []
    run_rounds(
        lambda: told.append("base runs"),
        {"a": lambda: told.append("a runs")},
        effort=Effort(min_rounds=1, max_rounds=1),
        seed=1,
        canary=make_canary(),
        settled=lambda _name, _samples: True,
        on_turn=lambda name: told.append(f"{name or 'base'}'s turn"),
        on_round=lambda _index, _pairs: None,
        on_void=lambda _index: None,
    )
    assert sorted([told[:2], told[2:]]) == [["a's turn", "a runs"], ["base's turn", "base runs"]]
