"""Measures tests once more, in a process that has held nothing else: to confirm a red, or as one of several."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.native import result_from_plain
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child, ChildDiedError
from pytest_xeonperf.shell.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Result

_PATIENCE_S = 900.0
"""The test of the first process is still under way: what it holds alone, the second may wait for in vain."""


def look_afresh(wanted: protocol.WantsFreshLook, start: protocol.Start, folder: Path) -> protocol.FreshLook:
    """What a fresh process makes of these tests, as far as it gets.

    Args:
        wanted: The tests.
        start: What the session tells its measuring child.
        folder: Takes what the process prints, as ``fresh-look.log``.
    """
    alone = replace(start, purpose=protocol.Purpose.LOOK_AFRESH, selected=wanted.node_ids)
    try:
        child = Child.start(alone, folder / "fresh-look.log")
    except (OSError, ChildDiedError) as error:
        return protocol.FreshLook(results=(), problem=f"it did not start: {error}")
    patience = Patience(least_s=_PATIENCE_S)
    found: list[Result] = []
    try:
        patience.wait(child, "")
        child.hear_ready()
        for node_id, next_node_id in pairwise((*wanted.node_ids, "")):
            child.tell(protocol.RunTest(node_id=node_id, next_node_id=next_node_id))
            while not isinstance(message := _heard(child, patience), protocol.TestDone):
                if isinstance(message, protocol.Report):
                    found += map(result_from_plain, message.data.get("xeonperf_results", ()))
    except ChildDiedError as error:
        return protocol.FreshLook(results=tuple(found), problem=f"it {error.death.how}")
    finally:
        child.end()
    return protocol.FreshLook(results=tuple(found))


def _heard(child: Child, patience: Patience) -> object:
    patience.wait(child, "")
    return child.hear()
