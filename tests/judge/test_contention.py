"""When what else used the cores is worth a word."""

import pytest

from pytest_xeonperf.judge.contention import shared_words
from pytest_xeonperf.records import Contention, Unknown


def contention(**changes):
    quiet = {"elapsed_ns": 10**9, "cores": 2, "stolen_ns": 0, "others_ns": 0, "throttled_ns": 0}
    return Contention(**{**quiet, **changes})


@pytest.mark.parametrize("little", [Unknown(reason="not counted"), contention(), contention(others_ns=10**8)])
def test_a_little_is_not_worth_a_word(little):
    assert shared_words(little) == ""


def test_more_than_a_twentieth_of_the_cores_time_is():
    words = shared_words(contention(stolen_ns=8 * 10**7, others_ns=4 * 10**7))
    assert words == "4 % of the cores' time stolen by the hypervisor, 2 % taken by other processes"


def test_so_is_any_throttling():
    assert shared_words(contention(throttled_ns=2_000_000)).endswith(", throttled for 2.00 ms")
