"""Alerts as pages: the list, and each with a form for whoever may decide about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.gather import Gathered
from pytest_xeonperf.report.page_alert import alert_page, triage_form
from pytest_xeonperf.report.page_alerts import alerts_page
from pytest_xeonperf.report.surroundings import Surroundings, machine_lines, why_of_alert
from pytest_xeonperf.service.alerts import MOST_BYTES, decide
from pytest_xeonperf.service.api import require_kind
from pytest_xeonperf.service.forgery import proof, require_ours, require_proof
from pytest_xeonperf.service.pages import answered, served
from pytest_xeonperf.service.receiving import body
from pytest_xeonperf.store.tokens import Scope
from pytest_xeonperf.store.triage import OvertakenError

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.report.page_alert import AlertPage, TriageForm
    from pytest_xeonperf.report.page_alerts import AlertsPage
    from pytest_xeonperf.service.app import Service
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.tokens import Token

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 10
_SIGNED_IN = "triage"
_SHOWN = ("state", "assignee", "issue_url")
"""What a form begins with, and sends back beside what it became: only what somebody changed is meant."""

_OF_ANOTHER_SCOPE = 403
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="xeonperf, a token of the scope triage", charset="UTF-8"'}


_NOBODY = Unknown(reason="Whoever has a token of the scope triage decides, or this command:")
"""Who sees a page without a form."""


def routes(service: Service) -> list[Route]:
    """The pages of alerts."""

    async def overview(request: Request) -> Response:
        """The list, of one state where it is named."""
        named = request.path_params.get("state", "")
        return await answered(service, request, lambda: _listed(service.store, named))

    def with_form(request: Request) -> Response:
        """The page of an alert for whoever may triage; it is for nobody else."""
        service.require(request, Scope.READ)
        found = service.store.alert(request.path_params["alert_id"])
        form = triage_form(found, csrf=proof(_signed_in(service, request)[1], found.id))
        return served(_page(service.store, found, form), asks=True)

    def decided(alert_id: str, said: dict[str, str], token: Token, text: str) -> Response:
        """What the form changes is done, or the page says why not."""
        seen = {name: said.pop(f"was_{name}") for name in _SHOWN if f"was_{name}" in said}
        changes = {name: value for name, value in said.items() if value.strip() != seen.get(name, "")}
        try:
            if changes:
                decide(service, alert_id, changes, token.name, {name: seen[name] for name in changes if name in seen})
        except DataError as error:
            found = service.store.alert(alert_id)
            complaint = f"{error.where}: {error.what}" if error.where else error.what
            form = triage_form(found, csrf=proof(text, found.id), complaint=f"Nothing was saved: {complaint}.")
            answer = served(_page(service.store, found, form), asks=True)
            answer.status_code = 409 if isinstance(error, OvertakenError) else 400
            return answer
        return RedirectResponse(f"{links.alert_page(alert_id)}?{_SIGNED_IN}", status_code=303)

    async def posted(request: Request) -> Response:
        """What the form says; then its page again."""
        require_ours(request)
        token, text = await run_in_threadpool(service.identify, request, Scope.TRIAGE, password=True)
        require_kind(request, _FORM)
        said = _fields(await body(request, MOST_BYTES))
        alert_id = request.path_params["alert_id"]
        require_proof(said.pop("csrf", ""), text, alert_id)
        return await run_in_threadpool(decided, alert_id, said, token, text)

    async def page(request: Request) -> Response:
        """One address, two methods."""
        if request.method == "POST":
            return await posted(request)
        if _SIGNED_IN in request.query_params:
            return await run_in_threadpool(with_form, request)
        alert_id = request.path_params["alert_id"]
        return await answered(service, request, lambda: _page(service.store, service.store.alert(alert_id), _NOBODY))

    return [
        Route(f"/{links.alerts_page()}", overview),
        Route("/alerts-{state}.html", overview),
        Route("/alert-{alert_id}.html", page, methods=["GET", "POST"]),
    ]


def _listed(store: Store, named: str) -> AlertsPage:
    """The list of a state, or of all.

    Raises:
        HTTPException: 404.
    """
    if named and named not in list(AlertState):
        raise HTTPException(404, detail=f"{named[:50]!r} is no state of an alert")
    state = AlertState(named) if named else Unknown(reason="all are shown")
    alerts = Gathered.of(store).alerts
    return alerts_page(alerts, state=state, pages={each.id for each in alerts})


def _page(store: Store, alert: Alert, form: TriageForm | Unknown) -> AlertPage:
    around = Surroundings.of(store, alert, machine_lines(store.machines()))
    fast_id = "" if isinstance(around.fast_run, Unknown) else around.fast_run[0]
    runs = {run_id for run_id in (fast_id, str(alert.run_id)) if run_id and store.has_run(run_id)}
    return alert_page(
        alert,
        store.alert_events(alert.id),
        around=around,
        why=why_of_alert(store, alert, around.fast_run),
        compare=links.comparison(fast_id, str(alert.run_id)) if {fast_id, alert.run_id} <= runs else "",
        runs=runs,
        cases={case.id for case in store.cases()},
        form=form,
        sign_in=f"{links.alert_page(alert.id)}?{_SIGNED_IN}",
    )


def _signed_in(service: Service, request: Request) -> tuple[Token, str]:
    """The token of whoever may triage, and its text; a browser that knows only another one is made to ask for it.

    Raises:
        HTTPException: 401; 429 if it has to wait.
    """
    try:
        return service.identify(request, Scope.TRIAGE, password=True)
    except HTTPException as refused:
        if refused.status_code != _OF_ANOTHER_SCOPE:
            raise
        raise HTTPException(401, detail=refused.detail, headers=_CHALLENGE) from None


def _fields(sent: bytearray) -> dict[str, str]:
    """The fields of a form.

    Raises:
        HTTPException: 400.
    """
    try:
        return dict(parse_qsl(sent.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError:
        raise HTTPException(400, detail="this is no form of ours") from None
