"""Where every page leads."""

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.judge.runs import Past, compare_runs
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.navigation import ways
from pytest_xeonperf.report.page_alerts import alerts_page
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.page_machines import machines_page
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.render import render

ALL = Unknown(reason="all are shown")


def compared(make, **beside):
    run, past = make.run(make.result()), Past(sessions=(), accepted=Unknown(reason="nothing was"))
    return history_page(compare_runs(run, run, lambda _: past, tolerance=0.05, alpha=0.05), **beside)


def test_every_page_leads_to_the_pages_there_is_one_of(make):
    page = run_page(make.run(make.result()))
    assert [(way.word, way.href) for way in ways(page, served=False)] == [
        ("Overview", "index.html"),
        ("Alerts", "alerts.html"),
        ("Machines", "machines.html"),
    ]
    assert [way.word for way in ways(page, served=True)] == ["Overview", "Alerts", "Machines", "Compare"]


def test_a_page_says_which_of_them_it_is(make):
    alerts = [make.alert(), make.alert(id="other", state=AlertState.FIXED)]
    pages = {
        "Overview": index_page(make.run(), [], [], pages=(), alerts=alerts),
        "Alerts": alerts_page(alerts, state=ALL, pages=()),
        "Machines": machines_page([], pages=()),
        "Compare": compared(make),
    }
    for word, page in pages.items():
        assert [way.word for way in ways(page, served=True) if way.here] == [word]
    of_state = alerts_page(alerts, state=AlertState.FIXED, pages=())
    assert not any(way.here for way in ways(of_state, served=True))


def test_pages_that_know_say_how_many_alerts_are_open(make):
    alerts = [make.alert(), make.alert(id="other", state=AlertState.FIXED)]
    index = index_page(make.run(), [], [], pages=(), alerts=alerts)
    assert [way.note for way in ways(index, served=False)] == ["", "1 open", ""]
    assert [way.note for way in ways(index_page(make.run(), [], [], pages=()), served=False)] == ["", "", ""]


def test_a_comparison_that_lies_anywhere_on_a_disk_leads_nowhere(make):
    page = compared(make)
    assert ways(page, served=False) == ()
    assert 'aria-label="Pages"' not in render(page)
    assert 'aria-label="Pages"' in render(page, nonce="x")
    assert [way.word for way in ways(compared(make, runs={"run-01"}), served=False)] == [
        "Overview",
        "Alerts",
        "Machines",
    ]
