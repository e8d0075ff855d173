"""What somebody decides about an alert, as it comes from outside: checked before anything is done."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_xeonperf.alerts import AS_IT_IS, AlertState, Triage
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange.addresses import is_web_address
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = {"assignee": 200, "note": 4000, "issue_url": 2000}
"""Characters of each text."""

FIELDS = ("state", *LONGEST)
"""What there is to decide."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def triage_from(said: Mapping[str, object]) -> Triage:
    """A decision from what was said under the names of `FIELDS`; what is not said stays as it is.

    Raises:
        DataError: Says which field cannot be meant, and what can.
    """
    for name in said:
        if name not in FIELDS:
            raise DataError(f"{name[:50]!r} is nothing to decide", remedy=f"say any of {', '.join(FIELDS)}")
    if not said:
        raise DataError("nothing is to be changed", remedy=f"say any of {', '.join(FIELDS)}")
    return Triage(
        state=_state(said["state"]) if "state" in said else AS_IT_IS,
        assignee=_text("assignee", said),
        note=_text("note", said),
        issue_url=_address(_text("issue_url", said)),
    )


def is_address(text: str) -> bool:
    """Whether a link may lead there: http or https, of a host, without a user or blanks."""
    return is_web_address(text) and "@" not in urlsplit(text).netloc and not re.search(r"[\s\x00-\x1f\x7f\\]", text)


def _state(said: object) -> AlertState:
    try:
        return AlertState(str(said))
    except ValueError:
        raise DataError(
            f"{str(said)[:50]!r} is no state of an alert", where="state", remedy=f"say one of {', '.join(AlertState)}"
        ) from None


def _text(name: str, said: Mapping[str, object]) -> str | Unknown:
    if name not in said:
        return AS_IT_IS
    text = said[name]
    if not isinstance(text, str):
        raise DataError(f"{type(text).__name__} is no text", where=name, remedy='an empty text "" takes it away')
    text = text.strip().replace("\r\n", "\n")
    if len(text) > LONGEST[name]:
        raise DataError(f"{len(text)} characters", where=name, remedy=f"say it in {LONGEST[name]} at most")
    if _UNPRINTABLE.search(text):
        raise DataError("a character that cannot be shown", where=name, remedy="leave control characters out")
    return text


def _address(text: str | Unknown) -> str | Unknown:
    if isinstance(text, Unknown) or not text or is_address(text):
        return text
    raise DataError(
        f"{text[:80]!r} is no address of an issue", where="issue_url", remedy="say https://host/... without a user"
    )
