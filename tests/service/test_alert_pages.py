"""Alerts as pages, and the form on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import AlertState, Triage
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.store.repository import Store

HOSTILE = "<script>alert(1)</script>\"'&amp;"


@pytest.fixture
def triager(store: Store) -> tuple[str, str]:
    """What a browser says as user and password, of a token that may triage."""
    return "anybody", store.create_token("ann", [Scope.READ, Scope.TRIAGE])[1]


def proof_of(page: str) -> str:
    """What the form of a page carries."""
    (found,) = re.findall(r'name="csrf" value="([0-9a-f]{64})"', page)
    return found


def test_lists_and_pages_are_served_and_every_link_on_them_leads_somewhere(client: TestClient, alert: Alert) -> None:
    for path in ("/", "/alerts.html", "/alerts-new.html", "/alerts-fixed.html", f"/alert-{alert.id}.html"):
        page = client.get(path)
        assert page.status_code == 200, path
        for target in set(re.findall(r'href="([\w.-]+\.html)', page.text)):
            assert client.get(f"/{target}").status_code == 200, (path, target)
    assert "1 open alert" in client.get("/").text
    assert f"alert-{alert.id}.html" in client.get(f"/case-{alert.case.id}.html").text


def test_the_page_leads_to_both_runs_compared_and_to_the_chart_of_its_machine(client: TestClient, alert: Alert) -> None:
    page = client.get(f"/alert-{alert.id}.html").text
    (base,) = set(
        re.findall(rf'href="compare\.html\?base=([\w-]+)&amp;head={alert.run_id}#case-{alert.case.id}"', page)
    )
    compared = client.get(f"/compare.html?base={base}&head={alert.run_id}").text
    assert f'<tr id="case-{alert.case.id}">' in compared
    assert "The variant moved: its baseline takes ±0.0 % time meanwhile" in page
    (anchor,) = re.findall(rf'href="case-{alert.case.id}\.html#([\w-]+)"', page)
    assert f'<section id="{anchor}"' in client.get(f"/case-{alert.case.id}.html").text
    assert f"run-{base}.html" in page


@pytest.mark.parametrize("path", ["/alerts-gone.html", "/alert-nothing.html"])
def test_what_is_not_there_is_told_so(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_history_without_alerts_has_an_empty_list(client: TestClient) -> None:
    assert "No open alerts" in client.get("/alerts.html").text
    assert "open alert" not in client.get("/").text


def test_only_whoever_may_triage_gets_the_form_and_only_that_page_may_post(
    client: TestClient, alert: Alert, triager: tuple[str, str], bearing: Callable
) -> None:
    address = f"/alert-{alert.id}.html"
    open_page = client.get(address)
    assert "<form" not in open_page.text
    assert "form-action 'none'" in open_page.headers["content-security-policy"]
    challenge = client.get(f"{address}?triage")
    assert challenge.status_code == 401
    assert challenge.headers["www-authenticate"].startswith("Basic")
    another = client.get(f"{address}?triage", headers=bearing(Scope.READ))
    assert another.status_code == 401  # so that a browser that knows only a reader's token asks for another one
    assert "scope triage" in another.headers["www-authenticate"]
    page = client.get(f"{address}?triage", auth=triager)
    assert page.text.count("<form") == 1
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text


def test_the_form_decides_and_leads_back_to_the_page(
    client: TestClient, store: Store, alert: Alert, triager: tuple[str, str]
) -> None:
    address = f"/alert-{alert.id}.html?triage"
    said = {"csrf": proof_of(client.get(address, auth=triager).text), "state": "investigating", "assignee": HOSTILE}
    form = {**said, "issue_url": "https://x.example/1?a=b&c=d", "note": HOSTILE}
    answer = client.post(address, data=form, auth=triager, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"alert-{alert.id}.html?triage")
    after = store.alert(alert.id)
    assert (after.state, after.assignee, after.note) == (AlertState.INVESTIGATING, HOSTILE, HOSTILE)
    assert store.alert_events(alert.id)[-1].by == "ann"
    client.post(address, data={**form, "note": " ", "state": "fixed"}, auth=triager)
    assert store.alert(alert.id).note == HOSTILE
    for path in (address, "/alerts.html", f"/case-{alert.case.id}.html"):
        assert "<script>alert" not in client.get(path, auth=triager).text
    assert 'href="https://x.example/1?a=b&amp;c=d" rel="noopener noreferrer"' in client.get(address, auth=triager).text


def test_a_form_of_another_page_token_or_alert_is_refused(
    client: TestClient, store: Store, alert: Alert, triager: tuple[str, str]
) -> None:
    address = f"/alert-{alert.id}.html"
    good = proof_of(client.get(f"{address}?triage", auth=triager).text)
    other = "anybody", store.create_token("eve", [Scope.TRIAGE])[1]
    for csrf, auth in (("", triager), ("0" * 64, triager), ("ü", triager), (good, other)):
        refused = client.post(address, data={"csrf": csrf, "state": "fixed"}, auth=auth)
        assert refused.status_code == 403, csrf
        assert "load the page again" in refused.json()["error"]["what"]
    assert client.post("/alert-other.html", data={"csrf": good, "state": "fixed"}, auth=triager).status_code == 403
    assert client.post(address, data={"csrf": good, "state": "fixed"}).status_code == 401
    for site in ("cross-site", "same-site", "none"):
        told = client.post(
            address, data={"csrf": good, "state": "fixed"}, auth=triager, headers={"Sec-Fetch-Site": site}
        )
        assert told.status_code == 403
    assert store.alert(alert.id) == alert
    ours = client.post(
        address, data={"csrf": good, "state": "fixed"}, auth=triager, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert ours.status_code == 200
    assert store.alert(alert.id).state is AlertState.FIXED


def test_a_token_that_may_not_triage_posts_nothing(client: TestClient, store: Store, alert: Alert) -> None:
    reader = "anybody", store.create_token("reader", [Scope.READ, Scope.INGEST])[1]
    assert client.post(f"/alert-{alert.id}.html", data={"state": "fixed"}, auth=reader).status_code == 403
    assert store.alert(alert.id) == alert


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"issue_url": "javascript:alert(1)"}, 400),
        ({"state": "gone"}, 400),
        ({"colour": "red"}, 400),
        ({"note": "x" * 40_000}, 400),
        ({"note": "x" * 70_000}, 413),
        ({f"field{number}": "x" for number in range(20)}, 400),
    ],
)
def test_a_form_that_cannot_be_meant_changes_nothing(
    client: TestClient, store: Store, alert: Alert, triager: tuple[str, str], *, changes: dict[str, str], status: int
) -> None:
    address = f"/alert-{alert.id}.html?triage"
    good = proof_of(client.get(address, auth=triager).text)
    answer = client.post(address, data={"csrf": good, "state": "fixed", **changes}, auth=triager)
    assert answer.status_code == status
    assert store.alert(alert.id) == alert
    json = client.post(address, json={"csrf": good, "state": "fixed"}, auth=triager)
    assert json.status_code == 415


def test_a_form_that_was_loaded_before_somebody_decided_undoes_nothing(
    client: TestClient, store: Store, alert: Alert, triager: tuple[str, str]
) -> None:
    address, at = f"/alert-{alert.id}.html?triage", "2026-09-30T10:00:00+00:00"
    shown = {"was_state": "new", "was_assignee": "", "was_issue_url": ""}
    form = {**shown, "csrf": proof_of(client.get(address, auth=triager).text), "state": "new", "issue_url": ""}
    store.triage(alert.id, Triage(state=AlertState.EXPECTED, assignee="Ann"), by="Ann", at=at)
    accepted = store.acceptances(alert.comparability_class, until="9999")
    answer = client.post(address, data={**form, "assignee": "", "note": "seen"}, auth=triager, follow_redirects=False)
    assert answer.status_code == 303
    assert (store.alert(alert.id).state, store.alert(alert.id).assignee) == (AlertState.EXPECTED, "Ann")
    assert store.alert(alert.id).note == "seen"
    refused = client.post(address, data={**form, "assignee": "Bob", "note": ""}, auth=triager)
    assert refused.status_code == 409
    assert "Nothing was saved: somebody has changed it since this page was loaded: assignee is Ann now." in refused.text
    assert 'value="Ann"' in refused.text
    assert store.alert(alert.id).assignee == "Ann"
    assert store.acceptances(alert.comparability_class, until="9999") == accepted


def test_a_form_in_which_nothing_was_changed_leaves_no_event(
    client: TestClient, store: Store, alert: Alert, triager: tuple[str, str]
) -> None:
    address = f"/alert-{alert.id}.html?triage"
    form = {"csrf": proof_of(client.get(address, auth=triager).text), "state": "new", "was_state": "new", "note": " "}
    events = store.alert_events(alert.id)
    assert client.post(address, data=form, auth=triager, follow_redirects=False).status_code == 303
    assert store.alert_events(alert.id) == events


def test_an_issue_that_got_into_the_history_otherwise_is_no_link(
    client: TestClient, store: Store, alert: Alert
) -> None:
    store.triage(alert.id, Triage(issue_url="javascript:alert(1)"), by="Eve", at="2026-09-30T10:00:00+00:00")
    assert "javascript:" not in re.sub(r"<td>.*?</td>", "", client.get(f"/alert-{alert.id}.html").text)


def test_an_alert_is_in_the_verdict_of_the_first_page_and_of_its_case_until_it_is_decided(
    client: TestClient, store: Store, alert: Alert
) -> None:
    case = f"/case-{alert.case.id}.html"
    for state, word in ((AlertState.NEW, "Slower than before"), (AlertState.ACKNOWLEDGED, "Known to be slower")):
        store.triage(alert.id, Triage(state=state), by="ann", at="2026-10-01T10:00:00+00:00")
        assert f"{word}</h1>" in client.get(case).text
    first = client.get("/").text
    assert f'href="alert-{alert.id}.html"' in first.partition("</section>")[0]
    store.triage(alert.id, Triage(state=AlertState.INVALID), by="ann", at="2026-10-02T10:00:00+00:00")
    assert f'href="alert-{alert.id}.html"' not in client.get("/").text
    assert "slower</h1>" not in client.get(case).text
