"""Measures tests once more, in a process that has held nothing else: to confirm a red, or as one of several."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.native import result_from_plain
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child, ChildDiedError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Result


def look_afresh(wanted: protocol.WantsFreshLook, start: protocol.Start, folder: Path) -> tuple[Result, ...] | Unknown:
    """What a fresh process makes of these tests, or why it makes nothing of them.

    Args:
        wanted: The tests.
        start: What the session tells its measuring child.
        folder: Takes what the process prints, as ``fresh-look.log``.
    """
    alone = replace(start, purpose=protocol.Purpose.LOOK_AFRESH, selected=wanted.node_ids)
    try:
        child = Child.start(alone, folder / "fresh-look.log")
    except (OSError, ChildDiedError) as error:
        return Unknown(reason=f"it did not start: {error}")
    found: list[Result] = []
    try:
        child.hear_ready()
        for node_id, next_node_id in pairwise((*wanted.node_ids, "")):
            child.tell(protocol.RunTest(node_id=node_id, next_node_id=next_node_id))
            while not isinstance(message := child.hear(), protocol.TestDone):
                if isinstance(message, protocol.Report):
                    found += map(result_from_plain, message.data.get("xeonperf_results", ()))
    except ChildDiedError as error:
        return Unknown(reason=f"it {error.death.how}")
    finally:
        child.end()
    return tuple(found)
