"""Pages written to disk from a made-up history, and a real browser that may only read files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

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
    from collections.abc import Iterator

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
            sha=f"{number:02d}" * 20, branch="main", dirty=False, committed_at=started_at, subject="A change"
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
        patch.setattr("pytest_xeonperf.report.page_case.ROWS", 5)
        write_site(store, folder, run_id=store.resolve("latest"))
    return folder / f"case-{CASE.id}.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium: the system's, else Playwright's own. Module-scoped, as its event loop would be in others' way."""
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


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    """A light browser window; a request that is not for a file, or an error on the console, fails the test."""
    opened = browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900})
    troubles: list[str] = []
    opened.on("request", lambda request: request.url.startswith(("file:", "data:")) or troubles.append(request.url))
    opened.on("console", lambda message: troubles.append(message.text))
    opened.on("weberror", lambda error: troubles.append(str(error.error)))
    yield opened
    opened.close()
    assert troubles == []


@pytest.fixture
def page(context) -> Page:
    return context.new_page()
