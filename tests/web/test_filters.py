"""The filters of the first page, in a real browser."""

import re

import pytest

from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store


class First:
    """The first page of forty runs."""

    def __init__(self, page, path):
        self.page = page
        page.goto(path.as_uri())
        self.form = page.get_by_role("form", name="Show only")

    def choose(self, name, words):
        self.form.get_by_label(name).select_option(label=words)

    def cells(self):
        """What is to be seen in the grid: variant and figure."""
        cells = self.page.locator(".grid .cell:visible").all()
        return [
            (cell.locator(".column").text_content(), cell.locator(".figure:visible").inner_text().split()[1])
            for cell in cells
        ]

    def said(self):
        return self.form.get_by_role("status").inner_text()


@pytest.fixture
def first(page, wide_site):
    return First(page, wide_site / "index.html")


def test_everything_is_shown_at_first_and_counted(first):
    assert [variant for variant, _figure in first.cells()] == ["woq_int4", "compiled_bf16", "woq_int8"]
    assert first.said() == "3 of 3 cases, 40 of 40 runs"
    assert not first.form.get_by_role("button").is_visible()


@pytest.mark.parametrize(
    ("name", "words", "left"),
    [
        ("workload", "llama-2-7b", ["woq_int4"]),
        ("variant", "woq_int8", ["woq_int8"]),
        ("preset", "quick", ["compiled_bf16", "woq_int8"]),
    ],
)
def test_a_filter_hides_what_is_not_meant_with_its_row_and_column(first, name, words, left):
    first.choose(name, words)
    assert [variant for variant, _figure in first.cells()] == left
    assert first.page.locator(".grid thead th:visible").all_inner_texts() == ["workload", *left]
    assert first.said() == f"{len(left)} of 3 cases, 40 of 40 runs: only {name} {words}"


def test_a_machine_shows_what_was_last_measured_on_it(first):
    first.choose("machine", "another Xeon, avx512_bf16")
    assert dict(first.cells()).keys() == {"compiled_bf16", "woq_int8"}
    newest = dict(first.cells())["compiled_bf16"]
    first.choose("machine", "a Xeon, amx_bf16")
    assert len(first.cells()) == 3
    assert dict(first.cells())["compiled_bf16"] != newest
    assert first.said() == "3 of 3 cases, 30 of 40 runs: only machine a Xeon, amx_bf16"


def test_a_branch_filters_the_runs_too(first, page):
    first.choose("branch", "topic/<b>fuse</b>")
    assert first.said() == "3 of 3 cases, 8 of 40 runs: only branch topic/<b>fuse</b>"
    rows = page.locator("section[aria-labelledby=runs] tr.one:visible").all_inner_texts()
    assert len(rows) == 8
    assert all("topic/<b>fuse</b>" in row for row in rows)


def test_filters_work_together_and_one_button_ends_them(first, page):
    first.choose("workload", "llama-2-7b")
    first.choose("variant", "woq_int8")
    assert first.cells() == []
    assert page.locator(".nothing").all_inner_texts() == ["No case matches among the newest."]
    assert first.said().startswith("0 of 3 cases, 40 of 40 runs")
    first.form.get_by_role("button", name="Show all").click()
    page.wait_for_function("() => !document.querySelector('.nothing')")
    assert len(first.cells()) == 3
    assert "#" not in page.url


def test_where_only_the_list_of_runs_goes_far_enough_back_it_is_said_so(page, wide_database, tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_xeonperf.report.site.SPARK_POINTS", 3)
    with open_store(str(wide_database), readonly=True) as store:
        written = write_site(store, tmp_path / "reports", run_id=store.resolve("latest"))
    first = First(page, written)
    first.choose("branch", "main")
    first.choose("machine", "another Xeon, avx512_bf16")
    first.choose("workload", "llama-2-7b")
    first.choose("branch", "topic/<b>fuse</b>")
    assert page.locator(".nothing").all_inner_texts() == [
        "No case matches among the newest. 2 runs in the list below do."
    ]
    first.choose("machine", "all")
    first.choose("branch", "all")
    first.choose("variant", "woq_int8")
    assert page.locator(".nothing").all_inner_texts() == ["No case matches among the newest."]


def test_filters_fit_a_narrow_window(first, page):
    page.set_viewport_size({"width": 390, "height": 800})
    first.choose("branch", "topic/<b>fuse</b>")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_choice_is_in_the_address_and_comes_back(first, page, wide_site):
    first.choose("branch", "topic/<b>fuse</b>")
    first.choose("workload", "sam-vit-b")
    before = first.cells()
    page.reload()
    assert first.cells() == before
    assert len(before) == 2
    page.goto("about:blank")
    page.goto((wide_site / "index.html").as_uri() + "#workload=nothing&machine=%&variant=woq_int8")
    assert [variant for variant, _figure in first.cells()] == ["woq_int8"]


def test_where_the_environment_changed_there_is_a_row_and_a_mark_in_the_sparkline(first, page):
    assert (
        page.locator("section[aria-labelledby=runs] tr.environment").all_inner_texts()
        == ["environment changed torch 2.12.1 → 2.13.0"] * 2
    )
    spark = page.locator(".grid .spark").first
    assert spark.locator(".border").count() == 1
    assert "the environment changed once" in spark.get_attribute("aria-label")


def test_without_scripts_everything_is_shown_and_there_are_no_filters(browser, wide_site):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto((wide_site / "index.html").as_uri())
    assert plain.locator(".grid .cell:visible").count() == 3
    assert plain.locator("section[aria-labelledby=runs] tr.one:visible").count() == 40
    assert not plain.locator("form").is_visible()
    context.close()


def test_one_case_on_one_machine_needs_no_filters(page, wide_database, tmp_path):
    with open_store(str(wide_database), readonly=True) as store:
        run = store.run("wide-01")
    with open_store(str(tmp_path / "xeonperf.db")) as store:
        store.add_run(run)
        page.goto(write_site(store, tmp_path / "reports", run_id=run.id).as_uri())
    assert page.locator("select:not([name=metric])").all_inner_texts() == ["all\ncompiled_bf16\nwoq_int8"]


FIGURES = {
    "latency": ["438 ms", "552 ms", "487 ms"],
    "share of the limit": ["70 % of GEMM peak"] * 3,
    "fidelity": ["0.9997 cosine"] * 3,
}


def shown(page):
    """The figures that are to be seen in the grid."""
    return sorted(page.locator(".grid .figure:visible").all_inner_texts())


@pytest.mark.parametrize("metric", FIGURES)
def test_the_metric_is_the_figure_that_every_cell_shows(first, page, metric):
    speedups = shown(page)
    assert all(re.search(r"\dx\b", text) for text in speedups)
    first.choose("metric", metric)
    assert shown(page) == sorted(FIGURES[metric])
    assert page.locator(".grid caption").inner_text() == f"Latest {metric} of every case."
    assert page.locator(".grid .spark:visible").count() == 0
    assert first.said() == "3 of 3 cases, 40 of 40 runs"
    page.reload()
    assert shown(page) == sorted(FIGURES[metric])
    first.form.get_by_role("button", name="Show all").click()
    page.wait_for_function("() => !location.hash")
    assert shown(page) == speedups
    assert page.locator(".grid caption").inner_text().startswith("Latest speed-up of every case, with its trend")


def test_what_is_not_the_figure_stands_beside_it(first, page):
    beside = page.locator(".grid .cell").first.locator(".note")
    assert "cosine 0.9997" in beside.inner_text()
    first.choose("metric", "fidelity")
    assert "cosine" not in beside.inner_text()
    assert re.search(r"\dx\b", beside.inner_text())
    assert "of GEMM peak" in beside.inner_text()


def test_a_figure_that_is_not_known_is_a_dash(first, page):
    first.choose("machine", "a Xeon, amx_bf16")
    first.choose("metric", "fidelity")
    assert "—" in shown(page)


def test_the_metric_and_filters_work_together_and_are_both_in_the_address(first, page):
    first.choose("metric", "latency")
    first.choose("variant", "woq_int8")
    assert shown(page) == ["487 ms"]
    assert page.url.endswith("#variant=woq_int8&metric=latency")
    first.choose("machine", "another Xeon, avx512_bf16")
    assert len(shown(page)) == 1
