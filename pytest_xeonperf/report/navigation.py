"""Where every page leads: the pages that there is one of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.report import links
from pytest_xeonperf.report.page_alerts import AlertsPage
from pytest_xeonperf.report.page_compare import ComparePage
from pytest_xeonperf.report.page_index import IndexPage
from pytest_xeonperf.report.page_machines import MachinesPage

if TYPE_CHECKING:
    from pytest_xeonperf.report.render import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A link to a page that there is one of; `note` is what it says beside its name, often nothing."""

    href: str
    word: str
    note: str = ""
    here: bool = False


def ways(page: Page, *, served: bool) -> tuple[Way, ...]:
    """From a page to the others; none from a comparison that lies anywhere on a disk.

    Args:
        page: The page.
        served: Whether it is a service's, which has one page more: that compares any two runs.
    """
    if isinstance(page, ComparePage) and not (served or page.at_home):
        return ()
    number = page.open_alerts if isinstance(page, IndexPage | AlertsPage) else 0
    alerts = Way(
        href=links.alerts_page(),
        word="Alerts",
        note=f"{number} open" if number else "",
        here=isinstance(page, AlertsPage) and page.lists_all,
    )
    compare = Way(href=links.COMPARE, word="Compare", here=isinstance(page, ComparePage))
    return (
        Way(href=links.INDEX, word="Overview", here=isinstance(page, IndexPage)),
        alerts,
        Way(href=links.MACHINES, word="Machines", here=isinstance(page, MachinesPage)),
        *((compare,) if served else ()),
    )
