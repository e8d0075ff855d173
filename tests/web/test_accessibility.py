"""axe-core finds nothing to complain about, on any page, in either scheme."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from pytest_xeonperf.judge.shift import TOLERANCE_OF_SESSIONS
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.page_refusal import refusal_page
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.render import render
from pytest_xeonperf.store.comparing import compared
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def violations(page, rules=RULES):
    found = Axe().run(page, options=rules)
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found.response["violations"]]


def in_both_schemes(page):
    """What is wrong in light, and what of it is hard to read in dark: nothing else depends on the scheme."""
    wrong = violations(page)
    page.emulate_media(color_scheme="dark")
    return wrong + violations(page, CONTRAST)


def test_the_first_page(page, wide_site):
    page.goto((wide_site / "index.html").as_uri() + "#machine=another Xeon, avx512_bf16&metric=fidelity")
    assert page.locator("section[aria-labelledby=runs] tr.one:visible").count() == 10
    assert in_both_schemes(page) == []


def test_the_first_page_of_which_nothing_is_left(page, wide_site):
    page.goto((wide_site / "index.html").as_uri() + "#workload=llama-2-7b&variant=woq_int8&branch=topic/<b>fuse</b>")
    assert page.locator(".nothing").first.is_visible()
    assert in_both_schemes(page) == []


def test_the_page_of_a_run(page, site):
    page.goto((site / "run-run-11.html").as_uri())
    assert in_both_schemes(page) == []


def test_a_page_with_two_charts(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    opened_chart(page, 1)
    assert violations(page) == []


@pytest.mark.parametrize("which", ["index.html", "alerts.html", "alert-", "case-", "machines.html"])
def test_pages_about_alerts_and_machines(page, alerted_site, which):
    found = sorted(alerted_site.glob(f"{which}*"))
    for path in found:
        page.goto(path.as_uri())
        assert in_both_schemes(page) == []
        page.emulate_media(color_scheme="light")
    assert found


def test_the_page_that_compares_two_runs(page, wide_database, tmp_path):
    with open_store(str(wide_database)) as store:
        line = Unknown(reason="no repository")
        runs = [store.run(name) for name in ("wide-20", "wide-28")]
        found = compared(store, *runs, line=line, tolerance=TOLERANCE_OF_SESSIONS, alpha=0.05)
    made = tmp_path / "compare.html"
    made.write_text(render(history_page(found)), encoding="utf-8")
    page.goto(made.as_uri())
    assert in_both_schemes(page) == []


def test_the_page_on_disk_that_compares_the_newest_run(page, wide_site):
    page.goto((wide_site / "compare.html").as_uri())
    assert in_both_schemes(page) == []


@pytest.fixture
def served(browser, serving, alerted_site):
    """Opens pages of a service over a history with alerts, in a window that knows a token which may decide."""
    database = alerted_site.parent / "xeonperf.db"
    with open_store(str(database)) as store:
        token = store.create_token("ann", [Scope.READ, Scope.TRIAGE])[1]
    with serving(database) as url:
        opened = browser.new_context(
            bypass_csp=True,  # axe is a script without a nonce
            color_scheme="light",
            http_credentials={"username": "ann", "password": token},
            viewport={"width": 1280, "height": 900},
        )
        window = opened.new_page()

        def go(name):
            assert window.goto(f"{url}/{name}").ok
            return window

        yield go
        opened.close()


def test_the_form_that_decides_about_an_alert(served, alerted_site):
    (name, *_) = sorted(path.name for path in alerted_site.glob("alert-*"))
    window = served(f"{name}?triage")
    assert window.get_by_role("button", name="Save").is_visible()
    assert in_both_schemes(window) == []


@pytest.mark.parametrize(
    "name", ["", "run-wide-38.html", "compare.html?base=wide-20&head=wide-38", "compare.html?base=wide-03&head=wide-38"]
)
def test_served_pages_with_the_form_that_compares(served, name):
    window = served(name)
    assert window.get_by_role("button", name="Compare").is_visible()
    assert in_both_schemes(window) == []


def test_a_page_that_refuses(page, tmp_path):
    made = tmp_path / "refused.html"
    made.write_text(render(refusal_page(401, "a token is needed", remedy="ask for one")), encoding="utf-8")
    page.goto(made.as_uri())
    assert in_both_schemes(page) == []


def test_a_chart_with_everything_open(page, chart):
    chart.press("l", "d", "Home", " ", "End", " ", "ArrowLeft")
    assert "against" in chart.tip
    assert in_both_schemes(page) == []
