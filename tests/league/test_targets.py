"""Whether a figure is said to be reached hangs on the figures alone."""

import pytest

NOISES = ("iid log-normal", "AR(1) 0.7", "drift", "bimodal", "bursty")


@pytest.fixture(scope="session")
def targets(module):
    return module("targets").targets


def failing(share, drift=0.0):
    return {noise: {"failed": drift if noise == "drift" else share, "undecided": 0.0} for noise in NOISES}


def at_three_percent(detected, calls):
    return {"3%": {"detected": detected, "calls": calls}}


def found_by(f1, false_alarms):
    return {"iid log-normal": {"f1": f1, "precision": f1, "recall": f1, "false_alarms": false_alarms}}


def only(rows):
    ((_name, row),) = rows.items()
    return row


@pytest.mark.parametrize(("share", "drift", "reached"), [(0.05, 0.4, "yes"), (0.051, 0.0, "**no**")])
def test_false_failures_are_those_of_the_worst_noise_and_drift_is_told_apart(targets, share, drift, reached):
    row = only(targets({"false_failures": {"xeonperf gate": failing(share, drift)}}))
    assert (row["measured"], row["reached"]) == (f"{share:.1%} at worst, {drift:.1%} in drift", reached)


def test_the_worst_coverage_of_ours_counts_and_says_where_it_is(targets):
    cell = {"held": 0.95, "width": 0.1}
    rows = {
        "xeonperf, at its stopping time, 5 pairs": {"drift": cell, "bursty": cell},
        "xeonperf, at its stopping time, 6 pairs": {"drift": cell, "bursty": {**cell, "held": 0.93}},
        "benchmatrix, 6 pairs": {"drift": {**cell, "held": 0.5}},
    }
    assert only(targets({"coverage": rows})) == {"measured": "93.0% at worst (6 pairs, bursty)", "reached": "**no**"}


@pytest.mark.parametrize(
    ("other", "reached"),
    [
        ({"share": 0.01, "detected": 0.99, "calls": 20}, "**no**"),
        ({"share": 0.06, "detected": 0.99, "calls": 20}, "yes"),  # it does not hold its rate
        ({"share": 0.01, "detected": 0.90, "calls": 1}, "yes"),  # it has not the power
        ({"share": 0.01, "detected": 0.99, "calls": 21}, "yes"),
    ],
)
def test_an_opponent_in_calls_holds_its_rate_and_has_the_power(targets, other, reached):
    shares = {"xeonperf gate": failing(0.0), "other": failing(other["share"])}
    power = {
        "xeonperf gate": at_three_percent(0.99, 20.5),
        "other": at_three_percent(other["detected"], other["calls"]),
    }
    rows = targets({"false_failures": shares, "power": power})
    assert [row["reached"] for name, row in rows.items() if "power" in name] == [reached]


def test_at_an_equal_rate_the_cheapest_with_the_power_is_named(targets):
    table = {
        "xeonperf gate": at_three_percent(0.99, 16),
        "dear": at_three_percent(0.99, 20),
        "cheap": at_three_percent(0.99, 10),
    }
    row = only(targets({"equal_rates": {"iid": table}}))
    assert row["reached"] == "**no**"
    assert row["measured"].endswith("of the others with that power cheap has the fewest, 10")


@pytest.mark.parametrize(
    ("ours", "reached"),
    [
        ((0.91, 0.0), "yes"),
        ((0.91, 0.1), "yes"),
        ((0.91, 0.3), "**no**"),  # more false alarms than the opponent
        ((0.89, 0.0), "**no**"),
    ],
)
def test_a_better_f1_counts_at_fewer_false_alarms_only(targets, ours, reached):
    tables = {"xeonperf": found_by(*ours), "other": found_by(0.90, 0.2)}
    assert only(targets({"change_points": tables}))["reached"] == reached


def test_the_time_of_the_longest_series_is_what_counts(targets):
    rows = targets({"speed_s": {"50,000 points": {"xeonperf": 0.2, "xeonperf, one appended": 0.011}}})
    assert [row["reached"] for row in rows.values()] == ["yes", "**no**"]


def test_what_was_not_run_is_no_target(targets):
    assert targets({}) == {}
