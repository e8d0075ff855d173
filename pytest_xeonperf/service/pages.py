"""The report's pages over live data, under the names that they have on disk: what they link to is here too."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.routing import Route

from pytest_xeonperf.report import links
from pytest_xeonperf.report.gather import TREND_POINTS, Gathered
from pytest_xeonperf.report.grid import SPARK_POINTS, CaseHistory
from pytest_xeonperf.report.page_case import case_page
from pytest_xeonperf.report.page_compare import history_page
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.page_machines import machines_page
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.render import Page, render
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pytest_xeonperf.service.app import Service

_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; "
    "base-uri 'none'; form-action {target}; frame-ancestors 'none'"
)


def routes(service: Service) -> list[Route]:
    """The pages."""

    def index(request: Request) -> Response:
        """The newest run's verdict, every case, every run."""
        service.require(request, Scope.READ)
        gathered = Gathered.of(service.store)
        if not gathered.summaries:
            raise HTTPException(404, detail="there is no run yet: `xeonperf push --to` this address brings one")
        histories: list[CaseHistory] = []
        for case, points in gathered.trends(SPARK_POINTS):
            histories += gathered.histories(case, points)
        shown = {summary.id for summary in gathered.summaries}
        newest = gathered.run(gathered.summaries[0].id)
        return served(index_page(newest, gathered.summaries, histories, pages=shown, alerts=gathered.alerts))

    def run(request: Request) -> Response:
        """One run."""
        service.require(request, Scope.READ)
        return served(run_page(service.store.run(request.path_params["run_id"])))

    def case(request: Request) -> Response:
        """The trend of one case."""
        service.require(request, Scope.READ)
        case_id = request.path_params["case_id"]
        found = next((each for each in service.store.cases() if each.id == case_id), None)
        if found is None:
            raise HTTPException(404, detail=f"there is no case {case_id}")
        points = service.store.trend(case_id, limit=TREND_POINTS)
        gathered = Gathered.of(service.store)
        shown, alerts = {point.run_id for point in points}, gathered.alerts_of(found)
        return served(
            case_page(found, points, machines=gathered.machines, pages=shown, compare=links.COMPARE, alerts=alerts)
        )

    def compare(request: Request) -> Response:
        """Two runs."""
        service.require(request, Scope.READ)
        return served(history_page(service.compared(request)))

    def machines(request: Request) -> Response:
        """What results were measured on."""
        service.require(request, Scope.READ)
        found = service.store.machines()
        return served(machines_page(found, pages={each.newest_run for each in found}))

    return [
        Route("/", index),
        Route(f"/{links.INDEX}", index),
        Route("/run-{run_id}.html", run),
        Route("/case-{case_id}.html", case),
        Route(f"/{links.MACHINES}", machines),
        Route(f"/{links.COMPARE}", compare),
    ]


def served(page: Page, *, posts: bool = False) -> Response:
    """A page under a policy of its own; one that holds a form of whoever asked may post it here, and is not kept."""
    nonce = secrets.token_urlsafe(16)
    policy = _POLICY.format(nonce=nonce, target="'self'" if posts else "'none'")
    return HTMLResponse(
        render(page, nonce=nonce),
        headers={"Content-Security-Policy": policy, "Cache-Control": "no-store" if posts else "no-cache"},
    )
