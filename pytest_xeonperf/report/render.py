"""From a page's view model to its HTML: one Jinja environment, for pages on disk and for those that are served."""

from __future__ import annotations

from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.host.cachedir import cache_dir
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.case_series import KeptRow
from pytest_xeonperf.report.navigation import ways
from pytest_xeonperf.report.page_alert import AlertPage
from pytest_xeonperf.report.page_alerts import AlertsPage
from pytest_xeonperf.report.page_case import CasePage
from pytest_xeonperf.report.page_compare import ComparePage
from pytest_xeonperf.report.page_index import IndexPage
from pytest_xeonperf.report.page_machines import MachinesPage
from pytest_xeonperf.report.page_refusal import RefusalPage
from pytest_xeonperf.report.page_run import RunPage
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.report.timed import Timed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2.bccache import Bucket

Page = IndexPage | RunPage | CasePage | ComparePage | MachinesPage | AlertsPage | AlertPage | RefusalPage

_TEMPLATES: dict[type[Page], str] = {
    IndexPage: "index.html.j2",
    RunPage: "run.html.j2",
    CasePage: "case.html.j2",
    ComparePage: "compare.html.j2",
    MachinesPage: "machines.html.j2",
    AlertsPage: "alerts.html.j2",
    AlertPage: "alert.html.j2",
    RefusalPage: "refusal.html.j2",
}


def render(page: Page, *, nonce: str = "") -> str:
    """The page as one HTML document that needs no other file and no network.

    Args:
        page: Its view model.
        nonce: Of a page that is served: its header says that only styles and scripts with it count. A page on disk
            says in itself what it may do.
    """
    return "".join(_pieces(page, nonce))


def encoded(page: Page, *, nonce: str = "") -> bytes:
    """The same in UTF-8, each piece for itself: one arrow in a large text makes every character of it wider."""
    return b"".join([piece.encode() for piece in _pieces(page, nonce)])


def _pieces(page: Page, nonce: str) -> Iterator[str]:
    nonced = Markup(' nonce="{}"').format(nonce) if nonce else ""
    template = environment().get_template(_TEMPLATES[type(page)])
    return template.generate(page=page, nonced=nonced, ways=ways(page, served=bool(nonce)))


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates: everything is escaped, a name that does not exist is an error."""
    made = Environment(
        loader=PackageLoader("pytest_xeonperf", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        bytecode_cache=_compiled(),
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    made.tests["known"] = lambda value: not isinstance(value, Unknown)
    made.tests["kept"] = lambda value: isinstance(value, KeptRow)
    made.tests["timed"] = lambda value: isinstance(value, Timed)
    made.globals.update(
        asset=asset,
        index_href=links.INDEX,
        machines_href=links.MACHINES,
        alerts_href=links.alerts_page(),
        version=package_version(),
    )
    return made


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates on disk; where there is no room for them, pages are rendered all the same."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one, if that is possible."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _compiled() -> _Compiled | None:
    """Compiled templates, kept by what they say: without them a report takes a third of a second more."""
    try:
        return _Compiled(str(cache_dir("templates", package_version())))
    except (XeonPerfError, OSError):
        return None


@cache
def asset(name: str) -> Markup:
    """A style sheet or script of the package, to stand inside the page as it is."""
    text = files("pytest_xeonperf").joinpath("report", "static", *name.split("/")).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - our own file, or one whose checksum is tested


def package_version() -> str:
    """Of this package, or a word where it is not installed."""
    try:
        return version("pytest-xeonperf")
    except PackageNotFoundError:
        return "(not installed: run from its source)"


def _finalize(value: object) -> object:
    """Every text that a template shows passes here; what is markup already does not change."""
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
