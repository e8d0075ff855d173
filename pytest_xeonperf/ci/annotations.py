"""What GitHub Actions shows beside the lines of a pull request: workflow commands on stdout.

Format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePath

    from pytest_xeonperf.judge.comparison import Comparison

_MOST = 10
"""GitHub shows no more of a kind for a step."""


def workflow_commands(comparison: Comparison, folder: PurePath) -> list[str]:
    """A line for each red case, at its test, and for each undecided one a warning; the worst first.

    Args:
        comparison: What to tell.
        folder: Of the tests' paths, relative to the root of the repository, as GitHub wants them.
    """
    lines: dict[str, list[str]] = {"error": [], "warning": []}
    for each in comparison.worst_first:
        if not (each.outcome.red or each.outcome.undecided):
            continue
        path, _colon, line = each.location.rpartition(":")
        place = f"file={_property(str(folder / path))},line={line}," if path and line.isdigit() else ""
        title = _property(f"{each.outcome}: {each.label}")
        kind = "error" if each.outcome.red else "warning"
        lines[kind].append(f"::{kind} {place}title={title}::{_message(each.reason)}")
    return [*lines["error"][:_MOST], *lines["warning"][:_MOST]]


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
