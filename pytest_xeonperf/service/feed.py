"""``/feed.atom``: news of the history for feed readers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.routing import Route

from pytest_xeonperf.report.feed import atom, news_of_alerts, news_of_runs
from pytest_xeonperf.service.api import parameters
from pytest_xeonperf.service.revalidated import revalidated
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pytest_xeonperf.service.app import Service

_PATH = "feed.atom"
_LOOKED_AT = 100
"""Newest runs, and newest events of alerts, in which news is looked for."""


def routes(service: Service) -> list[Route]:
    """The feed."""

    def feed(request: Request) -> Response:
        """All kinds of news in one."""
        service.require(request, Scope.READ)
        address = partial(service.address, request)
        branch = parameters(request, "branch").get("branch", "")
        entries = [
            *news_of_runs(service.store.runs(limit=_LOOKED_AT, branch=branch), address),
            *news_of_alerts(service.store.alert_news(limit=_LOOKED_AT, branch=branch), address),
        ]
        narrowed = f"?{urlencode({'branch': branch})}" if branch else ""
        text = atom(entries, self_href=address(_PATH + narrowed), home_href=address(""))
        return revalidated(request, text, media_type="application/atom+xml")

    return [Route(f"/{_PATH}", feed)]
