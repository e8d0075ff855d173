import pytest

from pytest_xeonperf.measure import canary as canary_module
from pytest_xeonperf.measure.canary import DISTURBED_RATIO, Canary, torch_canary


@pytest.fixture
def scripted(monkeypatch):
    """Makes a canary whose songs take just these times, each the same at all of its three tries."""

    def make(*durations_ns, tries=3):
        durations = iter([duration for duration in durations_ns for _ in range(tries)])
        monkeypatch.setattr(canary_module, "time_call_ns", lambda _step: (next(durations), None))
        return Canary(sing=lambda: None)

    return make


def test_a_song_that_takes_its_usual_time_is_healthy(scripted):
    assert scripted(*[100] * 6).healthy()


def test_a_song_that_takes_much_longer_than_usual_is_not(scripted):
    assert not scripted(*[100] * 5, round(100 * DISTURBED_RATIO) + 1).healthy()


def test_a_blip_in_one_try_is_no_disturbance(scripted):
    assert scripted(*[100] * 15, 900, 900, 101, tries=1).healthy()


def test_one_disturbed_song_does_not_change_what_is_usual(scripted):
    canary = scripted(*[100] * 5, 900, 100, 131)
    assert [canary.healthy() for _ in range(3)] == [False, True, False]


def test_a_machine_that_has_become_slower_for_good_is_the_usual_one_after_a_while(scripted):
    canary = scripted(*[100] * 5, *[200] * 8)
    heard = [canary.healthy() for _ in range(8)]
    assert not heard[0]
    assert heard[-1]


def test_the_real_one_sings_and_remembers():
    canary = torch_canary()
    canary.healthy()
    assert len(canary.history_ns) >= 6
    assert all(duration_ns > 0 for duration_ns in canary.history_ns)
