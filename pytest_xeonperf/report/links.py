"""What the pages are called: the only place that makes their names."""

import hashlib
import re
from urllib.parse import urlencode

INDEX = "index.html"
MACHINES = "machines.html"
COMPARE = "compare.html"
"""Of the service: two runs, named in its query as ``base`` and ``head``. On disk: the run of the report and another."""

RUN = "run-"
"""What the names of pages of runs begin with."""

_SAFE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


def run_page(run_id: str) -> str:
    """File name of the page of a run: ``run-0198c5d2.html``."""
    return f"{RUN}{_token(run_id)}.html"


def case_page(case_id: str) -> str:
    """File name of the page of a case: ``case-3f9a1c0b77de.html``."""
    return f"case-{_token(case_id)}.html"


def alerts_page(state: str = "") -> str:
    """File name of the list of alerts, of one state where it is given: ``alerts.html``, ``alerts-fixed.html``."""
    return f"alerts-{_token(state)}.html" if state else "alerts.html"


def alert_page(alert_id: str) -> str:
    """File name of the page of an alert: ``alert-3f9a1c0b77de.html``."""
    return f"alert-{_token(alert_id)}.html"


def comparison(base_id: str, head_id: str) -> str:
    """Where a service compares two runs: ``compare.html?base=0198c5d2&head=0198c7f0``."""
    return f"{COMPARE}?{urlencode({'base': base_id, 'head': head_id}, errors='surrogatepass')}"


def comparison_page(base_id: str, head_id: str) -> str:
    """File name of the page on disk that compares two runs: ``compare-3f9a1c0b77de.html``."""
    return f"compare-{hashlib.sha256(repr((base_id, head_id)).encode()).hexdigest()[:12]}.html"


def case_anchor(case_id: str) -> str:
    """Name of the section of a case on the page of a run, and of its row where two runs are compared."""
    return f"case-{_token(case_id)}"


def class_anchor(comparability_class: str) -> str:
    """Name of the section of a class on the page of the machines, and on that of a case."""
    return f"class-{_token(comparability_class)}"


def trend_href(case_id: str, comparability_class: str) -> str:
    """Where the trend of a case on a class of machines is drawn."""
    return f"{case_page(case_id)}#{class_anchor(comparability_class)}"


def class_href(comparability_class: str) -> str:
    """Where a class of machines is described."""
    return f"{MACHINES}#{class_anchor(comparability_class)}"


def _token(identity: str) -> str:
    """The identity itself, or a digest of one that could leave the folder or break a link."""
    if _SAFE.fullmatch(identity):
        return identity
    return hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:32]
