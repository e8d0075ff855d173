"""``/metrics``: the newest figures, verdicts and the service's own counts, for a monitoring system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from pytest_xeonperf.exchange import exposition, openmetrics
from pytest_xeonperf.service.api import parameters
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.service.app import Service


def routes(service: Service) -> list[Route]:
    """The metrics."""

    def metrics(request: Request) -> Response:
        """All of them; figures of one branch where asked for. Alerts are counted whatever theirs is."""
        service.require(request, Scope.READ)
        branch = parameters(request, "branch").get("branch", "")
        readings = [openmetrics.reading_of(case, point) for case, point in service.store.latest(branch=branch)]
        machines = sorted({reading.machine for reading in readings})
        newest = [service.store.runs(limit=1, branch=branch, comparability_class=machine) for machine in machines]
        sessions = [openmetrics.session_of(summary) for (summary,) in newest]
        alerts = openmetrics.alert_family(service.store.alert_counts())
        said = exposition.text([*openmetrics.families(readings, sessions), alerts, *service.counters.families()])
        return Response(said, headers={"Content-Type": exposition.CONTENT_TYPE, "Cache-Control": "no-store"})

    return [Route("/metrics", metrics)]
