"""Measures one test once more, in a process that has held nothing else: for a red that hangs on times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.native import result_from_plain
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child, ChildDiedError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Result


def look_again(wanted: protocol.WantsSecondLook, start: protocol.Start, folder: Path) -> Result | Unknown:
    """What a fresh process makes of a case, or why it makes nothing of it.

    Args:
        wanted: The test and its case.
        start: What the session tells its measuring child.
        folder: Takes what the process prints, as ``second-look.log``.
    """
    alone = replace(start, purpose=protocol.Purpose.LOOK_AGAIN, selected=(wanted.node_id,))
    try:
        child = Child.start(alone, folder / "second-look.log")
    except (OSError, ChildDiedError) as error:
        return Unknown(reason=f"it did not start: {error}")
    try:
        child.hear_ready()
        child.tell(protocol.RunTest(node_id=wanted.node_id, next_node_id=""))
        found: Result | Unknown = Unknown(reason="the test did not get as far as its check")
        while not isinstance(message := child.hear(), protocol.TestDone):
            if isinstance(message, protocol.Report):
                results = map(result_from_plain, message.data.get("xeonperf_results", ()))
                found = next((each for each in results if each.case.id == wanted.case_id), found)
    except ChildDiedError as error:
        return Unknown(reason=f"it {error.death.how}")
    finally:
        child.end()
    return found
