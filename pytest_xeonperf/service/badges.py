"""``/badge.svg`` and ``/badge/{case_id}.svg``: verdicts as pictures for other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from pytest_xeonperf.report.badge_svg import badge_of_case, badge_of_nothing, badge_of_run, draw
from pytest_xeonperf.service.api import parameters
from pytest_xeonperf.service.revalidated import revalidated
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pytest_xeonperf.report.badge_svg import BadgeSvg
    from pytest_xeonperf.service.app import Service

_TYPE = "image/svg+xml"


def routes(service: Service) -> list[Route]:
    """The pictures; of one branch where asked for."""

    def whole(request: Request) -> Response:
        """What the newest run came to."""
        service.require(request, Scope.READ)
        found = service.store.runs(limit=1, branch=parameters(request, "branch").get("branch", ""))
        if not found:
            return served(request, badge_of_nothing("xeonperf"), status=404)
        return served(request, badge_of_run(found[0]))

    def case(request: Request) -> Response:
        """What a case came to last, on whichever class of machine that was."""
        service.require(request, Scope.READ)
        case_id = request.path_params["case_id"]
        found = service.store.latest(branch=parameters(request, "branch").get("branch", ""), case_id=case_id)
        if not found:
            return served(request, badge_of_nothing(case_id), status=404)
        of_case, point = max(found, key=lambda pair: pair[1].started_at)
        return served(request, badge_of_case(of_case, point))

    def served(request: Request, picture: BadgeSvg, *, status: int = 200) -> Response:
        answer = revalidated(request, draw(picture), media_type=_TYPE, status=status)
        if service.open_to_read:
            answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # to be shown on other sites' pages
        return answer

    return [Route("/badge.svg", whole), Route("/badge/{case_id}.svg", case)]
