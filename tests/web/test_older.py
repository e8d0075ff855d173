"""A page whose table has not all of its runs: the chart has them all, in a real browser."""

import csv
import io

import pytest

from pytest_xeonperf.report import case_series
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store


@pytest.fixture
def chart(page, older_case_page, opened_chart):
    """Of twelve runs, five of which are in the table."""
    page.goto(older_case_page.as_uri())
    return opened_chart(page)


@pytest.fixture
def four_rows(wide_database, tmp_path, monkeypatch):
    """The first page about forty runs, four of which at most are in a table."""
    monkeypatch.setattr(case_series, "ROWS", 4)
    with open_store(str(wide_database), readonly=True) as store:
        return write_site(store, tmp_path / "reports", run_id=store.resolve("latest"))


def test_the_file_has_the_runs_that_are_not_in_the_table(page, chart):
    with page.expect_download() as waiting:
        chart.button("Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))
    assert [row["date_utc"] for row in rows] == [f"2026-05-{day:02d} 14:00" for day in range(1, 13)]
    assert [float(row["speedup"]) for row in rows if row["speedup"]] == [
        4 + number / 100 for number in range(12) if number != 4
    ]


def test_an_older_run_can_be_pinned_compared_and_found_again(page, chart):
    chart.click(1)
    chart.click(10)
    chart.press("d", "Home")
    assert "2026-05-01" in chart.tip
    chart.expect_address(pin=chart.name(1), x="date", **{"with": chart.name(10)})
    page.reload()
    assert "The speed-up is 2.2 % higher" in chart.pinned.inner_text()
    page.get_by_role("button", name="older").click()
    assert page.locator("tr.point").count() == 12
    assert "The speed-up is 2.2 % higher" in chart.pinned.inner_text()


def test_older_runs_of_one_machine_do_not_come_to_the_table_of_another(page, wide_case_page, four_rows):
    page.goto(four_rows.with_name(wide_case_page.name).as_uri())
    page.get_by_role("button", name="older").last.click()
    assert [page.locator("table.trend").nth(number).locator("tr.point").count() for number in (0, 1)] == [4, 30]
    assert page.get_by_role("button", name="Show the 6 older runs in the table").count() == 1
