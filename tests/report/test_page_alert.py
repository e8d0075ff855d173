from dataclasses import replace

from pytest_xeonperf.alerts import AlertEvent, AlertState, EventKind
from pytest_xeonperf.judge.meanwhile import Meanwhile, Part
from pytest_xeonperf.records import Estimate, Unknown
from pytest_xeonperf.report.page_alert import alert_page, triage_form
from pytest_xeonperf.report.render import render
from pytest_xeonperf.report.surroundings import Surroundings
from pytest_xeonperf.report.why import Why
from pytest_xeonperf.store.summaries import CommitSummary

NOT_HERE = Unknown(reason="not here")
STILL = Meanwhile(baseline_ratio=1.0, part=Part.NONE, runs_before=10, runs_since=4)
AROUND = Surroundings(
    fast_run=("fast", "2026-04-30T14:03:11+00:00"),
    commits={"b" * 40: CommitSummary(committed_at="2026-05-01T13:00:00+00:00", subject="Fuse", author="Ann")},
    machine="a Xeon, amx_bf16, 2 threads",
    in_trend=True,
    side=STILL,
)


def page(alert, *events, **changes):
    given = {"around": AROUND, "why": NOT_HERE, "compare": "", "runs": (), "cases": (), "form": NOT_HERE}
    return alert_page(alert, events, **{**given, **changes})


def test_it_says_what_moved_from_when_and_between_which_commits(make):
    made = page(make.alert())
    assert made.banner.sentence == (
        "New: the latency changed by +10.0 %, from 20.0 ms to 22.0 ms, between aaaaaaaaaa..bbbbbbbbbb."
    )
    assert (made.banner.badge.sign, made.banner.badge.word) == ("▼", "10.0 % slower")
    assert {fact.name: fact.value for fact in made.facts}["since"] == "2026-05-01 14:03 UTC"


def test_a_gates_alert_has_its_interval_and_no_run(make):
    speed = Estimate(ratio=0.9, low_ratio=0.88, high_ratio=0.92, confidence=0.95)
    made = page(make.alert(speed=speed, run_id=Unknown(reason="a gate")), runs={"run-01"})
    assert "+11.1 % [+8.7 %, +13.6 %]" in made.banner.sentence
    assert made.run_href == ""


def test_links_lead_only_to_pages_that_there_are(make):
    alert = make.alert()
    assert (page(alert).run_href, page(alert).case_href) == ("", "")
    made = page(alert, runs={alert.run_id, "fast"}, cases={alert.case.id})
    trend = f"case-{alert.case.id}.html#class-{alert.comparability_class}"
    assert (made.fast_href, made.run_href, made.case_href) == ("run-fast.html", f"run-{alert.run_id}.html", trend)
    made = page(alert, cases={alert.case.id}, around=replace(AROUND, in_trend=False))
    assert made.case_href == f"case-{alert.case.id}.html"


def test_its_commits_are_told_by_subject_author_and_date_where_the_history_knows_them(make):
    facts = {fact.name: (fact.value, fact.note) for fact in page(make.alert()).facts}
    assert facts["first slow commit"] == ("bbbbbbbbbb", "Fuse (Ann, 2026-05-01 13:00)")
    assert facts["last fast commit"] == ("aaaaaaaaaa", "of which no run is in the history")
    assert facts["machine"] == ("a Xeon, amx_bf16, 2 threads", f"class {make.alert().comparability_class}")
    anonymous = {"a" * 40: replace(AROUND.commits["b" * 40], author=Unknown(reason="not recorded"))}
    facts = {fact.name: fact.note for fact in page(make.alert(), around=replace(AROUND, commits=anonymous)).facts}
    assert facts["last fast commit"] == "Fuse (2026-05-01 13:00)"


def test_it_says_which_side_moved(make):
    assert page(make.alert()).side == (
        "The variant moved: its baseline takes ±0.0 % time meanwhile (10 runs before, 4 since)."
    )
    for part, words in ((Part.MOST, "The machine moved, or what both sides share: "), (Part.SOME, "and partly")):
        moved = replace(STILL, baseline_ratio=1.098, part=part)
        told = page(make.alert(), around=replace(AROUND, side=moved)).side
        assert words in told
        assert "its baseline takes +9.8 % time too" in told
    assert page(make.alert(), around=replace(AROUND, side=NOT_HERE)).side == "Which side moved is unknown: not here."


def test_it_names_the_operators_and_compares_the_runs_or_says_how(make):
    why = Why(lines=("+2 ms a call: gelu +2 ms (100 %)",), operators=(), kernels=())
    alert = make.alert()
    made = page(alert, why=why, compare="compare.html?base=fast&head=x")
    assert made.compared.href == f"compare.html?base=fast&head=x#case-{alert.case.id}"
    assert made.compared.command == ""
    html = render(made)
    assert "<li>+2 ms a call: gelu +2 ms (100 %)</li>" in html
    assert "From the last fast run, of 2026-04-30 14:03, to the first slow one, of 2026-05-01 14:03 UTC." in html
    alone = page(alert).compared
    assert (alone.href, alone.command) == ("", f"xeonperf compare fast {alert.run_id} --html compare.html")
    assert "Unknown: not here." in render(page(alert))
    gate = page(make.alert(run_id=Unknown(reason="a gate"))).compared
    assert (gate.title, gate.href, gate.command) == ("", "", "")


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


def test_what_was_decided_stands_first_once_it_is(make):
    banner = page(make.alert(state=AlertState.FIXED)).banner
    assert (banner.badge.word, banner.sentence[:11]) == ("fixed", "The latency")


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
