from pytest_xeonperf.alerts import AlertEvent, AlertState, EventKind
from pytest_xeonperf.records import Estimate, Unknown
from pytest_xeonperf.report.page_alert import alert_page, triage_form
from pytest_xeonperf.report.render import render

NOT_HERE = Unknown(reason="not here")


def page(alert, *events, **changes):
    return alert_page(alert, events, **{"runs": (), "cases": (), "form": NOT_HERE, **changes})


def test_it_says_what_moved_from_when_and_between_which_commits(make):
    made = page(make.alert())
    assert made.banner.sentence == (
        "The latency changed by +10.0 %, from 20.0 ms to 22.0 ms, between aaaaaaaaaa..bbbbbbbbbb."
    )
    assert {fact.name: fact.value for fact in made.facts}["since"] == "2026-05-01 14:03 UTC"


def test_a_gates_alert_has_its_interval_and_no_run(make):
    speed = Estimate(ratio=0.9, low_ratio=0.88, high_ratio=0.92, confidence=0.95)
    made = page(make.alert(speed=speed, run_id=Unknown(reason="a gate")), runs={"run-01"})
    assert "+11.1 % [+8.7 %, +13.6 %]" in made.banner.sentence
    assert made.run_href == ""


def test_links_lead_only_to_pages_that_there_are(make):
    alert = make.alert()
    assert (page(alert).run_href, page(alert).case_href) == ("", "")
    made = page(alert, runs={alert.run_id}, cases={alert.case.id})
    assert (made.run_href, made.case_href) == (f"run-{alert.run_id}.html", f"case-{alert.case.id}.html")


def test_an_issue_is_a_link_only_where_it_is_an_address_of_the_web(make):
    assert page(make.alert(issue_url="https://x.example/1")).issue_href == "https://x.example/1"
    assert page(make.alert(issue_url="javascript:alert(1)")).issue_href == ""


def test_its_history_says_who_did_what(make):
    events = [
        AlertEvent(alert_id="a", kind=kind, by=by, at="2026-05-12T15:00:00+00:00", changes=changes, note=note)
        for kind, by, changes, note in (
            (EventKind.RAISED, "change points", (), ""),
            (EventKind.TRIAGED, "Ann", (("state", "new", "fixed"), ("assignee", "", "ann")), "done"),
            (EventKind.TRIAGED, "Bob", (), "a word"),
        )
    ]
    rows = page(make.alert(), *events).events
    assert [(row.by, row.what, row.note) for row in rows] == [
        ("change points", "raised", ""),
        ("Ann", "state new → fixed, assignee nothing → ann", "done"),
        ("Bob", "", "a word"),
    ]


def test_a_latency_that_is_back_is_said(make):
    assert "The latency is back since." in page(make.alert(recovered_run_id="run-09")).banner.sentence


def test_the_form_begins_with_what_is_so(make):
    form = triage_form(make.alert(state=AlertState.ACKNOWLEDGED, assignee="ann"), csrf="proof")
    assert [value for value, chosen in form.states if chosen] == ["acknowledged"]
    assert (form.assignee, form.csrf, len(form.states)) == ("ann", "proof", 6)


def test_the_form_says_what_expected_accepts(make):
    form = triage_form(make.alert(), csrf="proof")
    for run_id, words in (
        ("run-01", "expected accepts the first slow run"),
        (NOT_HERE, "expected accepts the first run of"),
    ):
        made = render(page(make.alert(run_id=run_id), form=form))
        assert words in made
        assert made.count("expected accepts") == 1
