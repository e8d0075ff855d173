"""The command that measures a case again as it was measured: with every option that was not its default."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.records import Case

DEFAULTS: Mapping[str, str] = {
    "amx": "auto",
    "threads": "0",
    "supervise": "on",
    "budget": "240",
    "pairs": "6:40",
    "processes": "1",
    "alpha": "0.05",
}
"""Of the options that change what is measured, in the order of ``pytest --help``; the preset is the case's own."""


def command(case: Case, node_id: str, options: Sequence[tuple[str, str]]) -> str:
    """The command of one case, safe to paste into a shell.

    Args:
        case: Which was measured.
        node_id: Of its test.
        options: Of its run, as they were recorded; of an option that was not recorded its default is meant.
    """
    if case.alone:
        return shlex.join(["pytest", "--xeonperf", node_id])
    given = _given(dict(options))
    changed = [f"--xeonperf-{name}={given[name]}" for name, default in DEFAULTS.items() if given[name] != default]
    return shlex.join(["pytest", "--xeonperf", f"--xeonperf-preset={case.preset}", *changed, node_id])


def _given(recorded: Mapping[str, str]) -> dict[str, str]:
    """Every option as the command line has it: two of them are kept in other words."""
    said = {name: recorded.get(name, default) for name, default in DEFAULTS.items()}
    if "budget_s" in recorded:
        said["budget"] = recorded["budget_s"].removesuffix(".0")
    if "min_pairs" in recorded and "max_pairs" in recorded:
        said["pairs"] = f"{recorded['min_pairs']}:{recorded['max_pairs']}"
    return said
