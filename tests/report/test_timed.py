from pytest_xeonperf.report.timed import timed


def test_the_spread_says_how_the_rounds_lie_around_their_median(make):
    facts = {fact.name: fact.value for fact in timed(make.timing()).spread}
    assert facts == {
        "rounds": "4",
        "fastest": "1.24 ms",
        "middle half": "1.25 ms to 1.58 ms",
        "slowest": "1.90 ms",
    }


def test_rounds_that_were_not_kept_are_owned_up_to(make):
    rounds = timed(make.timing(rounds=120_000)).spread[0]
    assert (rounds.value, rounds.note) == ("120000", "4 of them kept")


def test_one_round_is_a_spread_of_its_own(make):
    assert [fact.value for fact in timed(make.timing(rounds=1, durations_ns=(7,))).spread][1:] == [
        "7 ns",
        "7 ns to 7 ns",
        "7 ns",
    ]


def test_a_timing_without_rounds_or_of_no_time_breaks_nothing(make):
    nothing = timed(make.timing(rounds=0, durations_ns=(), median_ns=0))
    assert nothing.latency == "0 ns"
    assert [fact.name for fact in nothing.spread] == ["rounds"]
