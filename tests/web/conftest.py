"""Pages written to disk from a made-up history, and a real browser that may only read files."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pytest_xeonperf.alerts import AlertState, Triage
from pytest_xeonperf.ci.alerts import watch_all
from pytest_xeonperf.records import (
    Amx,
    Bound,
    Case,
    Commit,
    Estimate,
    Evidence,
    Expectation,
    Isa,
    Machine,
    Measurement,
    Metric,
    Outcome,
    Remedy,
    Result,
    Roofline,
    Run,
    RunState,
    Sample,
    Score,
    Unknown,
    Verdict,
)
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator

RUNS = 12
CRASHED_RUN = 4
CASE = Case(
    workload="sam-vit-b",
    phase="<i>encode</i>",
    preset="quick",
    variant="compiled_bf16",
    metric=Metric.LATENCY,
    over="eager_fp32",
)
PROMISES = (
    Expectation(name="max_graph_breaks", required="at most 0", found="0", held=True, isa="generic"),
    Expectation(
        name="uses_kernel",
        required="mkldnn::_linear_pointwise",
        found="mkldnn::_linear_pointwise.binary_with_a_name_that_is_longer_than_its_column",
        held=True,
        isa="generic",
    ),
    Expectation(
        name="min_speedup",
        required="2.91x over eager_fp32",
        found="4.01x [3.67, 4.33] after 40 pairs, undecided (it sits on the threshold: as many pairs above as below)",
        held=True,
        isa="amx_bf16",
    ),
)
"""With texts that are longer than their columns."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _machine(run: int) -> Machine:
    """Its torch changes half-way."""
    torch = "2.12.1" if run < RUNS // 2 else "2.13.0"
    amx = Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail="")
    return Machine(
        architecture="x86_64",
        cpu_model="a Xeon",
        isa=Isa.AMX_BF16,
        amx=amx,
        threads=2,
        physical_cores=2,
        memory_bytes=32 << 30,
        facts=(("torch", torch),),
        limits=Unknown(reason="not measured"),
    )


def _measurement(ratio: float) -> Measurement:
    candidate_ns = round(1_600_000_000 / ratio)
    samples = tuple(
        Sample(
            process=0,
            round_index=index,
            baseline_ns=1_600_000_000,
            candidate_ns=candidate_ns + 1_000_000 * index,
            baseline_position=0,
            candidate_position=1,
        )
        for index in range(6)
    )
    return Measurement(
        case=CASE,
        item="image",
        items_per_call=1,
        samples=samples,
        voided_rounds=0,
        contention=Unknown(reason="not counted here"),
        seed=1,
        speedup=Estimate(ratio=ratio, low_ratio=ratio - 0.05, high_ratio=ratio + 0.05, confidence=0.95),
        baseline_median_ns=1_600_000_000,
        candidate_median_ns=candidate_ns,
        fidelity=(Score(name="cosine", value=0.9997),),
        roofline=Roofline(fraction=0.7, bound=Bound.COMPUTE, flop=1, weight_bytes=1),
        evidence=Evidence(
            compile_ns=1,
            graph_breaks=0,
            first_break="",
            recompiles=0,
            kernels=("aten::mm",),
            weight_bytes=1,
            peak_rss_bytes=1,
            left_in_bf16=(),
        ),
    )


def _run(number: int) -> Run:
    started_at = f"2026-05-{number + 1:02d}T14:00:00+00:00"
    crashed = number == CRASHED_RUN
    ratio = round(4.0 + 0.01 * number, 2)
    result = Result(
        node_id="suites/test_sam.py::test_compiled",
        location="suites/test_sam.py:12",
        case=CASE,
        measured_at=started_at,
        measurement=Unknown(reason="died by SIGILL") if crashed else _measurement(ratio),
        verdict=Verdict(
            outcome=Outcome.CRASHED if crashed else Outcome.PASS,
            reason="died by SIGILL" if crashed else "clears its floor",
            floor_ratio=2.91,
            expectations=() if crashed else PROMISES,
        ),
    )
    return Run(
        id=f"run-{number:02d}",
        state=RunState.FINISHED,
        started_at=started_at,
        finished_at=started_at,
        command="pytest --xeonperf suites/",
        options=(),
        machine=_machine(number),
        commit=Commit(
            sha=f"{number:02d}" * 20,
            branch="main",
            dirty=False,
            committed_at=started_at,
            subject="A change",
            author="Ann",
        ),
        results=(result,),
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder of the pages about twelve runs of one case, the fifth of which crashed."""
    folder = tmp_path_factory.mktemp("site")
    with open_store(str(folder / "xeonperf.db")) as store:
        for number in range(RUNS):
            store.add_run(_run(number))
        return write_site(store, folder / "reports", run_id=store.resolve("latest")).parent


@pytest.fixture(scope="session")
def case_page(site) -> Path:
    return site / f"case-{CASE.id}.html"


@pytest.fixture(scope="session")
def older_case_page(site, tmp_path_factory) -> Path:
    """The same page with only the newest five runs in its table."""
    folder = tmp_path_factory.mktemp("older")
    with pytest.MonkeyPatch.context() as patch, open_store(str(site.parent / "xeonperf.db")) as store:
        patch.setattr("pytest_xeonperf.report.case_series.ROWS", 5)
        write_site(store, folder, run_id=store.resolve("latest"))
    return folder / f"case-{CASE.id}.html"


WIDE_RUNS = 40
LEVEL_RUN = 24
"""From which on every latency is a tenth longer."""
WIDE_CASES = (
    CASE,
    replace(CASE, variant="woq_int8"),
    replace(CASE, workload="llama-2-7b", phase="decode", variant="woq_int4", preset="full"),
)
OTHER_BRANCH = "topic/<b>fuse</b>"


def _wide_run(number: int) -> Run:
    """Every fourth run is on another machine, every fifth one on another branch; torch changes before the 33rd."""
    base = _run(number)
    started_at = f"2026-{5 + number // 28:02d}-{number % 28 + 1:02d}T14:00:00+00:00"
    noise = 1 + 0.004 * (number * 7 % 5 - 2)
    results = []
    for index, case in enumerate(WIDE_CASES[: 2 if number % 2 else 3]):
        ratio = round((4.0 - 0.4 * index) * noise / (1.1 if number >= LEVEL_RUN else 1), 3)
        outcome = Outcome.BELOW_FLOOR if index == 2 and number >= LEVEL_RUN else Outcome.PASS
        measured = replace(_measurement(ratio), case=case)
        verdict = Verdict(outcome=outcome, reason="as its test says", floor_ratio=2.95, expectations=PROMISES)
        measured_at = replace(base.results[0], measured_at=started_at)
        results.append(replace(measured_at, case=case, measurement=measured, verdict=verdict))
    other = {"cpu_model": "another Xeon", "isa": Isa.AVX512_BF16} if number % 4 == 3 else {}
    facts = (("kernel", "6.1.0"), ("torch", "2.13.0" if number >= 32 else "2.12.1"))
    return replace(
        base,
        id=f"wide-{number:02d}",
        started_at=started_at,
        finished_at=started_at,
        machine=replace(base.machine, facts=facts, **other),
        commit=replace(base.commit, branch=OTHER_BRANCH if number % 5 == 4 else "main"),
        results=tuple(results),
    )


@pytest.fixture(scope="session")
def wide_database(tmp_path_factory) -> Path:
    """Forty runs of three cases on two machines and two branches."""
    path = tmp_path_factory.mktemp("wide") / "xeonperf.db"
    with open_store(str(path)) as store:
        for number in range(WIDE_RUNS):
            store.add_run(_wide_run(number))
    return path


@pytest.fixture(scope="session")
def wide_site(wide_database) -> Path:
    with open_store(str(wide_database)) as store:
        return write_site(store, wide_database.parent / "reports", run_id=store.resolve("latest")).parent


@pytest.fixture(scope="session")
def alerted_site(wide_database, tmp_path_factory) -> Path:
    """The pages of the same history after somebody has looked for what became slower, and decided about one of it."""
    folder = tmp_path_factory.mktemp("alerted")
    path = shutil.copy(wide_database, folder / "xeonperf.db")
    with open_store(str(path)) as store:
        raised = watch_all(store, at="2026-07-01T10:00:00+00:00").raised
        assert raised
        store.triage(raised[-1].id, Triage(state=AlertState.EXPECTED), by="ann", at="2026-07-02T10:00:00+00:00")
        return write_site(store, folder / "reports", run_id=store.resolve("latest")).parent


@pytest.fixture(scope="session")
def wide_case_page(wide_site) -> Path:
    """Of the case that has two charts: one for each machine."""
    return wide_site / f"case-{CASE.id}.html"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium: the system's, else Playwright's own. It ends with this folder: its event loop is in others' way."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(path).exists():
            reason = "no Chromium: install the package chromium, or run `playwright install chromium`"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


class Watch:
    """What happens in a browser window that should not: requests elsewhere, errors, words on the console."""

    def __init__(self, context: BrowserContext, *allowed: str) -> None:
        self.troubles: list[str] = []
        context.on("request", lambda request: request.url.startswith(allowed) or self.troubles.append(request.url))
        context.on("console", lambda message: self.troubles.append(message.text))
        context.on("weberror", lambda error: self.troubles.append(str(error.error)))


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    """A light browser window; a request that is not for a file, or an error on the console, fails the test."""
    opened = browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900})
    watch = Watch(opened, "file:", "data:", "blob:")
    yield opened
    opened.close()
    assert watch.troubles == []


@pytest.fixture
def page(context) -> Page:
    return context.new_page()


class Chart:
    """One chart of a page, with a hand on the mouse and one on the keys."""

    def __init__(self, page: Page, number: int = 0) -> None:
        self.page = page
        self.box = page.locator(".chart").nth(number)
        self.box.locator("canvas").first.wait_for()
        self.figure = page.locator("figure").nth(number)
        self.pinned = page.locator(".pinned").nth(number)
        self.key = self.box.get_attribute("data-state")
        self.data = page.evaluate("(name) => xeonperfTrend.unpacked(name)", f"trend-{number}")
        self.runs = len(self.data["spots"])

    @property
    def tip(self) -> str:
        """What the tooltip says; nothing where there is none."""
        tip = self.box.locator(".tip")
        return tip.inner_text() if tip.is_visible() else ""

    def place(self, share: float) -> tuple[float, float]:
        """Pixels in the topmost plot, as a share of its width."""
        self.box.scroll_into_view_if_needed()
        box = self.box.locator(".u-over").first.bounding_box()
        return box["x"] + box["width"] * share, box["y"] + box["height"] / 2

    def share(self, run: int) -> float:
        """Where a run is when all are in view, by commit."""
        return (run + 0.5) / self.runs

    def name(self, run: int) -> str:
        """What an address calls a run."""
        spot = self.data["spots"][run]
        return f"{''.join(filter(str.isdigit, spot['date']))}-{spot['sha']}"

    def hover(self, run: int) -> str:
        self.page.mouse.move(*self.place(self.share(run)))
        return self.tip

    def click(self, run: int) -> None:
        self.page.mouse.click(*self.place(self.share(run)))

    def drag(self, left: float, right: float) -> None:
        """Over a part of the plot, from one share of its width to another."""
        self.page.mouse.move(*self.place(left))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(right), steps=4)
        self.page.mouse.up()

    def press(self, *keys: str) -> str:
        self.box.focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self.tip

    def button(self, name: str) -> Locator:
        return self.figure.get_by_role("button", name=name)

    def expect_address(self, **wanted: str) -> None:
        """The address comes to say exactly this of the chart."""
        state = """(key) => Object.fromEntries([...new URLSearchParams(location.hash.slice(1))]
            .filter(([name]) => name.startsWith(`${key}.`))
            .map(([name, value]) => [name.slice(key.length + 1), value]))"""
        deadline = time.monotonic() + 5
        while (found := self.page.evaluate(state, self.key)) != wanted and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert found == wanted

    def pictures(self) -> list[str]:
        """The pixels of its plots."""
        return self.box.evaluate("(box) => [...box.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())")


@pytest.fixture
def chart(page, case_page) -> Chart:
    """The chart of twelve runs, opened from disk."""
    page.goto(case_page.as_uri())
    return Chart(page)


@pytest.fixture
def opened_chart() -> Callable[..., Chart]:
    """Takes a page that is open and the number of a chart on it."""
    return Chart


@pytest.fixture
def watch() -> type[Watch]:
    """For a window that a test opens itself."""
    return Watch
