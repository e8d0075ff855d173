from dataclasses import replace

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.page_alerts import alerts_page, open_alerts_words
from pytest_xeonperf.report.verdict import Tone

ALL = Unknown(reason="all are shown")


def some(make):
    return [
        make.alert(id="fixed", state=AlertState.FIXED, latency_ratio=2.0),
        make.alert(id="small", latency_ratio=1.03),
        make.alert(id="large", latency_ratio=1.3, state=AlertState.INVESTIGATING, assignee="ann"),
    ]


def test_open_ones_come_first_and_worst_first(make):
    made = alerts_page(some(make), state=ALL, pages={"large"})
    assert [row.change for row in made.rows] == ["+30.0 %", "+3.0 %", "+100.0 %"]
    assert [row.href for row in made.rows] == ["alert-large.html", "", ""]
    assert [row.assignee for row in made.rows] == ["ann", "", ""]


def test_the_verdict_says_how_many_are_open_and_which_is_worst(make):
    banner = alerts_page(some(make), state=ALL, pages=()).banner
    assert (banner.badge.word, banner.badge.tone) == ("2 open alerts", Tone.BAD)
    assert banner.sentence.endswith("takes 30.0 % more time; 1 assigned to nobody.")
    done = [replace(each, state=AlertState.FIXED) for each in some(make)]
    assert alerts_page(done, state=ALL, pages=()).banner.badge.tone is Tone.GOOD


def test_a_state_has_a_list_of_its_own_with_links_to_the_others(make):
    made = alerts_page(some(make), state=AlertState.FIXED, pages=())
    assert [row.badge.word for row in made.rows] == ["fixed"]
    assert [(link.href, link.number, link.current) for link in made.states] == [
        ("alerts.html", 3, False),
        ("alerts-new.html", 1, False),
        ("alerts-investigating.html", 1, False),
        ("alerts-fixed.html", 1, True),
    ]
    assert alerts_page([], state=AlertState.EXPECTED, pages=()).rows == ()


def test_the_first_page_says_how_many_are_open_once_there_was_one(make):
    assert open_alerts_words(some(make)) == "2 open alerts"
    assert open_alerts_words(some(make)[:1]) == "no open alerts"
    assert open_alerts_words([]) == ""
