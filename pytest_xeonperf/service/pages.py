"""The report's pages over live data, under the names that they have on disk: what they link to is here too."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pytest_xeonperf.report import choice, links
from pytest_xeonperf.report.gather import RUNS_LISTED
from pytest_xeonperf.report.newest import SPARK_POINTS
from pytest_xeonperf.report.page_case import page_of
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.page_machines import machines_page
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.render import Page, encoded
from pytest_xeonperf.report.takeover import gone_on
from pytest_xeonperf.report.trends import read_trends
from pytest_xeonperf.service.cache import Made
from pytest_xeonperf.service.revalidated import has, takes_gzip
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from pytest_xeonperf.judge.runs import RunComparison
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.report.takeover import GoneOn
    from pytest_xeonperf.service.app import Service
    from pytest_xeonperf.service.background import Background
    from pytest_xeonperf.service.cache import Kept
    from pytest_xeonperf.store.repository import Store

_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; "
    "base-uri 'none'; form-action {target}; frame-ancestors 'none'"
)


def routes(service: Service) -> list[Route]:
    """The pages."""

    async def index(request: Request) -> Response:
        """The newest run's verdict, every case, every run."""
        return await answered(service, request, lambda: _index(service), asks=True)

    async def run(request: Request) -> Response:
        """One run."""
        return await answered(service, request, lambda: _run(service.store, request.path_params["run_id"]), asks=True)

    async def case(request: Request) -> Response:
        """The trend of one case."""
        return await _answer(service, request, lambda before: _case(service, request.path_params["case_id"], before))

    async def machines(request: Request) -> Response:
        """What results were measured on."""
        return await answered(service, request, lambda: _machines(service.store))

    def compare(request: Request) -> Response:
        """Two runs."""
        service.require(request, Scope.READ)
        return served(_compared(service.store, service.compared(request)), asks=True)

    return [
        Route("/", index),
        Route(f"/{links.INDEX}", index),
        Route("/run-{run_id}.html", run),
        Route("/case-{case_id}.html", case),
        Route(f"/{links.MACHINES}", machines),
        Route(f"/{links.COMPARE}", compare),
    ]


async def answered(service: Service, request: Request, make: Callable[[], Page], *, asks: bool = False) -> Response:
    """A page that depends on the history and its path alone, or the word that the reader has it already.

    Args:
        service: Which answers.
        request: What for.
        make: Makes the view model.
        asks: Whether it holds a form that may ask this service for another page.
    """
    return await _answer(service, request, lambda _before: _rendered(make(), asks=asks))


async def _answer(service: Service, request: Request, render: Callable[[Kept | None], Made]) -> Response:
    """The page; whoever waits for it to be rendered keeps no thread from others."""
    path = request.url.path

    def kept() -> Response | None:
        service.require(request, Scope.READ)
        found = service.pages.find(path, service.store.state())
        return _sent(service, request, found) if found else None

    def rendered() -> Response:
        return _sent(service, request, service.pages.get(path, service.store.state(), render))

    answer = await run_in_threadpool(kept)
    return await to_thread.run_sync(rendered, limiter=service.renderer) if answer is None else answer


def _sent(service: Service, request: Request, page: Kept) -> Response:
    """The page, compressed for whoever takes it so, or the word that he has it."""
    headers = {"ETag": page.tag, "Cache-Control": "no-cache", "Content-Security-Policy": page.policy}
    headers["Vary"] = "Accept-Encoding"
    if not service.open_to_read:
        headers |= {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization"}
    if has(request, page.tag):
        return Response(status_code=304, headers=headers)
    if takes_gzip(request):
        return HTMLResponse(page.packed, headers=headers | {"Content-Encoding": "gzip"})
    return HTMLResponse(page.body, headers=headers)


def served(page: Page, *, asks: bool = False, status: int = 200) -> Response:
    """A page of this request alone, which nobody keeps; one that holds a form, `asks`, may send it here."""
    made = _rendered(page, asks=asks)
    headers = {"Content-Security-Policy": made.policy, "Cache-Control": "no-store"}
    return HTMLResponse(made.body, status_code=status, headers=headers)


def _index(service: Service) -> Page:
    store, known = service.store, service.backgrounds.newest(service.store)
    gathered = known.gathered
    if not gathered.summaries:
        raise HTTPException(404, detail="there is no run yet: `xeonperf push --to` this address brings one")
    recent = store.recent(known.moments.marks, most=SPARK_POINTS, until=known.extent.newest_id)
    histories = [history for case in store.cases() for history in gathered.histories(case, recent.get(case.id, ()))]
    shown = {summary.id for summary in gathered.summaries}
    newest = gathered.run(gathered.summaries[0].id)
    compare = choice.served(newest.id, store.earlier(newest), gathered.summaries)
    return index_page(newest, gathered.summaries, histories, pages=shown, alerts=gathered.alerts, compare=compare)


def _run(store: Store, run_id: str) -> Page:
    run = store.run(run_id)
    return run_page(run, compare=choice.served(run.id, store.earlier(run), store.runs(limit=RUNS_LISTED)))


def _compared(store: Store, found: RunComparison) -> Page:
    return history_page(
        found,
        runs={found.base.id, found.head.id},
        cases={each.case.id for each in found.cases},
        choice=choice.choice(store.runs(limit=RUNS_LISTED), base=found.base.id, head=found.head.id),
    )


def _case(service: Service, case_id: str, before: Kept | None) -> Made:
    """The page of a case; on from the one before, where the history only went on since."""
    store = service.store
    found = next((each for each in store.cases() if each.id == case_id), None)
    if found is None:
        raise HTTPException(404, detail=f"there is no case {case_id}")
    known = service.backgrounds.newest(store)
    trends, rows = _gone_on(store, found, known, before) or (
        read_trends(store, found, known.moments.marks, until=known.extent.newest_id),
        {},
    )
    page = page_of(
        found,
        trends,
        moments=known.moments,
        machines=known.gathered.machines,
        pages=known.run_ids,
        compare=links.COMPARE,
        alerts=known.gathered.alerts_of(found),
        kept=rows,
    )
    return replace(_rendered(page, asks=False), reach=known.reach)


def _gone_on(store: Store, case: Case, known: Background, before: Kept | None) -> GoneOn | None:
    """The trends and rows of a page with what came since; None if they do not go on."""
    if before is None or before.reach is None or before.reach.line is not known.line:
        return None
    runs, until = known.runs(before.reach), known.extent.newest_id
    fresh = store.numbered_points(runs.marks, case_id=case.id, after=before.reach.newest_id, until=until)
    return gone_on(case, before.body, runs, fresh.get(case.id, ()))


def _machines(store: Store) -> Page:
    found = store.machines()
    return machines_page(found, pages={each.newest_run for each in found})


def _rendered(page: Page, *, asks: bool) -> Made:
    """The page and its policy, with a nonce of its own; only where it `asks` its forms may go anywhere: here."""
    nonce = secrets.token_urlsafe(16)
    target = "'self'" if asks else "'none'"
    return Made(body=encoded(page, nonce=nonce), policy=_POLICY.format(nonce=nonce, target=target))
