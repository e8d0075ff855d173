"""News as an Atom feed."""

from datetime import datetime
from xml.etree import ElementTree as ET

import pytest

from pytest_xeonperf.records import Outcome, RunState, Unknown
from pytest_xeonperf.report.feed import Entry, atom, news_of_runs

ATOM = "{http://www.w3.org/2005/Atom}"


def news(*summaries):
    return list(news_of_runs(summaries, lambda page: f"https://perf.example/{page}"))


def parsed(entries):
    text = atom(entries, self_href="https://perf.example/feed.atom", home_href="https://perf.example/")
    return ET.fromstring(text)  # noqa: S314 - our own


def required(element):
    """What RFC 4287 demands of a feed and of an entry."""
    for name in ("id", "title", "updated"):
        (found,) = element.findall(f"{ATOM}{name}")
        assert found.text
    assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo is not None
    assert ":" in element.findtext(f"{ATOM}id")
    assert element.find(f"{ATOM}link[@rel='alternate']").get("href").startswith("https://perf.example/")


@pytest.fixture
def red(make):
    """Makes the summary of a red run of a day."""

    def summarise(day=1, **changes):
        outcomes = ((Outcome.PASS, 2), (Outcome.CRASHED, 1), (Outcome.INCONCLUSIVE, 1))
        finished_at = f"2026-05-{day:02d}T14:25:40+00:00"
        return make.summary(**{"id": f"run-{day}", "finished_at": finished_at, "outcomes": outcomes, **changes})

    return summarise


def test_a_red_run_says_what_it_came_to_and_where_to_look(red):
    (entry,) = news(red())
    assert entry.title == "✗ run of 3f9a1c0b77 on main: failed"
    assert entry.summary.startswith("2 pass, 1 crashed, 1 inconclusive.")
    assert entry.href == "https://perf.example/run-run-1.html"
    assert entry.updated == "2026-05-01T14:25:40Z"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"outcomes": ((Outcome.PASS, 1),)}, False),
        ({"outcomes": ((Outcome.NO_BASELINE, 1),)}, True),
        ({"outcomes": ()}, True),
        ({"state": RunState.RUNNING}, False),
        ({"state": RunState.INTERRUPTED, "finished_at": Unknown(reason="killed")}, True),
        ({"sha": Unknown(reason="no git"), "branch": Unknown(reason="no git")}, True),
    ],
)
def test_news_is_what_has_ended_and_is_not_green(red, changes, told):
    assert bool(news(red(**changes))) is told


def test_a_feed_has_what_the_standard_demands(red):
    feed = parsed(news(red(1), red(2)))
    assert feed.tag == f"{ATOM}feed"
    required(feed)
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == "https://perf.example/feed.atom"
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        required(entry)
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == 2
    assert all(each.startswith("urn:uuid:") for each in ids)


def test_the_newest_entry_comes_first_and_dates_the_feed(red):
    feed = parsed(news(red(1), red(3), red(2)))
    days = [entry.findtext(f"{ATOM}updated")[:10] for entry in feed.findall(f"{ATOM}entry")]
    assert days == ["2026-05-03", "2026-05-02", "2026-05-01"]
    assert feed.findtext(f"{ATOM}updated")[:10] == "2026-05-03"


def test_a_run_keeps_its_id_whatever_becomes_of_it(red):
    assert news(red())[0].id == news(red(outcomes=((Outcome.CRASHED, 9),)))[0].id


def test_a_feed_without_news_is_a_feed():
    required(parsed([]))


def test_a_feed_ends_somewhere(red):
    assert len(parsed(news(*(red(id=f"r{number}") for number in range(80)))).findall(f"{ATOM}entry")) == 50


def test_what_xml_cannot_hold_is_spelled_out(hostile):
    said = hostile + "\x0b\ufffe\ud800 ]]>"
    entry = Entry(id="urn:x:1", title=said, updated="2026-05-01T00:00:00Z", href="https://perf.example/", summary=said)
    feed = parsed([entry])
    title = feed.findtext(f"{ATOM}entry/{ATOM}title")
    assert title.startswith("<script>alert('1')</script>")
    assert title.endswith("\\u000b\\ufffe\\ud800 ]]>")
