"""Alerts as pages: the list, and each with a form for whoever may decide about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.gather import Gathered
from pytest_xeonperf.report.page_alert import alert_page, triage_form
from pytest_xeonperf.report.page_alerts import alerts_page
from pytest_xeonperf.service.alerts import MOST_BYTES, decide
from pytest_xeonperf.service.api import body, require_kind
from pytest_xeonperf.service.forgery import proof, require_ours, require_proof
from pytest_xeonperf.service.pages import served
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.report.page_alert import TriageForm
    from pytest_xeonperf.service.app import Service

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 10
_SIGNED_IN = "triage"


def routes(service: Service) -> list[Route]:
    """The pages of alerts."""

    def overview(request: Request) -> Response:
        """The list, of one state where it is named."""
        service.require(request, Scope.READ)
        named = request.path_params.get("state", "")
        if named and named not in list(AlertState):
            raise HTTPException(404, detail=f"{named[:50]!r} is no state of an alert")
        state = AlertState(named) if named else Unknown(reason="all are shown")
        alerts = Gathered.of(service.store).alerts
        return served(alerts_page(alerts, state=state, pages={each.id for each in alerts}))

    def shown(request: Request) -> Response:
        """The page of an alert, with a form for whoever may triage."""
        service.require(request, Scope.READ)
        found = service.store.alert(request.path_params["alert_id"])
        form: TriageForm | Unknown = Unknown(reason="Whoever has a token of the scope triage decides, or this command:")
        if _SIGNED_IN in request.query_params:
            _, text = service.identify(request, Scope.TRIAGE, password=True)
            form = triage_form(found, csrf=proof(text, found.id))
        run = found.run_id
        page = alert_page(
            found,
            service.store.alert_events(found.id),
            runs=() if isinstance(run, Unknown) or not service.store.has_run(run) else {run},
            cases={case.id for case in service.store.cases()},
            form=form,
            sign_in=f"{links.alert_page(found.id)}?{_SIGNED_IN}",
        )
        return served(page, posts=not isinstance(form, Unknown))

    async def posted(request: Request) -> Response:
        """What the form says; then its page again."""
        require_ours(request)
        token, text = await run_in_threadpool(service.identify, request, Scope.TRIAGE, password=True)
        require_kind(request, _FORM)
        said = _fields(await body(request, MOST_BYTES))
        alert_id = request.path_params["alert_id"]
        require_proof(said.pop("csrf", ""), text, alert_id)
        if not said.get("note", "").strip():
            said.pop("note", "")  # an empty one leaves what is there
        answer = await run_in_threadpool(decide, service, alert_id, said, token.name)
        if isinstance(answer, Response):
            return answer
        return RedirectResponse(f"{links.alert_page(alert_id)}?{_SIGNED_IN}", status_code=303)

    async def page(request: Request) -> Response:
        """One address, two methods."""
        return await posted(request) if request.method == "POST" else await run_in_threadpool(shown, request)

    return [
        Route(f"/{links.alerts_page()}", overview),
        Route("/alerts-{state}.html", overview),
        Route("/alert-{alert_id}.html", page, methods=["GET", "POST"]),
    ]


def _fields(sent: bytes) -> dict[str, str]:
    """The fields of a form.

    Raises:
        HTTPException: 400.
    """
    try:
        return dict(parse_qsl(sent.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError:
        raise HTTPException(400, detail="this is no form of ours") from None
