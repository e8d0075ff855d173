"""Which ladders are climbed together: those of one model, where memory has room for all their variants at once.

A floor over eager BF16 and one over FP32 then come from the same rounds, and each variant is built once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.measure import plan
from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.measure.rebase import rebased
from pytest_xeonperf.variants.named import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.records import Estimate, Measurement, Sample, Unknown
    from pytest_xeonperf.shell.admission import Admission
    from pytest_xeonperf.shell.rungs import LadderKey
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Footprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """What is built at once and measured in the same rounds.

    Attributes:
        baseline: In every pair that the rounds give.
        rungs: Everybody else, the baselines of further ladders among them.
        ladders: Whose results are read out of these rounds.
    """

    baseline: Variant
    rungs: tuple[Variant, ...]
    ladders: tuple[LadderKey, ...]


def climbs(
    admitted: Mapping[LadderKey, Admission], footprint: Footprint | Unknown, available_bytes: int
) -> tuple[Climb, ...]:
    """Ladders of one model in as few climbs as memory allows: one for all of them, or one for each of their groups."""
    together = _together(admitted, footprint, available_bytes)
    return together or tuple(
        Climb(baseline=admission.baseline, rungs=group, ladders=(key,))
        for key, admission in admitted.items()
        for group in admission.groups
    )


def climb_with(
    key: LadderKey,
    admitted: Mapping[LadderKey, Admission],
    footprint: Footprint | Unknown,
    available_bytes: int,
    climb: Callable[[Climb], Mapping[LadderKey, Mapping[str, Measurement | Failure]]],
) -> dict[LadderKey, dict[str, Measurement | Failure]]:
    """What a ladder and those that are climbed with it come to, each by variant.

    It is climbed once more, alone, where the others' climb lost a baseline that is not its own and so left it out.
    """
    own = [each for each in climbs(admitted, footprint, available_bytes) if key in each.ladders]
    found: dict[LadderKey, dict[str, Measurement | Failure]] = {}
    for each in own:
        for ladder, came_to in climb(each).items():
            found.setdefault(ladder, {}).update(came_to)
    if own and key not in found:
        return found | climb_with(key, {key: admitted[key]}, footprint, available_bytes, climb)
    return {key: {}} | found


def read_out(
    found: Mapping[str, Measurement | Failure],
    climb: Climb,
    admitted: Mapping[LadderKey, Admission],
    summarise: Callable[[Sequence[Sample]], Estimate],
) -> Mapping[LadderKey, Mapping[str, Measurement | Failure]]:
    """What each ladder of a climb comes to over its own baseline, by variant.

    Where the baseline of the climb failed, ladders that have another are left out: they can still be climbed alone.

    Args:
        found: By variant, over the baseline of the climb.
        climb: Whose rounds these were.
        admitted: The rungs and the baseline of each ladder.
        summarise: From pairs to a ratio with its interval.
    """
    lost = all(isinstance(each, Failure) and each.kind is FailureKind.NO_BASELINE for each in found.values())
    came_to: dict[LadderKey, Mapping[str, Measurement | Failure]] = {}
    for key in climb.ladders:
        own = {rung.name: found[rung.name] for rung in climb.rungs if rung in admitted[key].able}
        over = admitted[key].baseline
        if over == climb.baseline:
            came_to[key] = own
        elif not lost:
            came_to[key] = {name: rebased(each, found[over.name], over.name, summarise) for name, each in own.items()}
    return came_to


def _together(
    admitted: Mapping[LadderKey, Admission], footprint: Footprint | Unknown, available_bytes: int
) -> tuple[Climb, ...]:
    """The one climb for several ladders; nothing where there is only one, or no room."""
    able = {key: admission for key, admission in admitted.items() if admission.groups}
    baselines = list(dict.fromkeys(admission.baseline for admission in able.values()))
    if len(able) < 2:  # noqa: PLR2004 - one has nobody to share with
        return ()
    foot = REFERENCE if REFERENCE in baselines else baselines[0]
    rungs = dict.fromkeys(rung for admission in able.values() for rung in admission.able)
    beside = tuple(rungs | dict.fromkeys(baseline for baseline in baselines if baseline != foot))
    if foot in beside or len(plan.groups(footprint, foot, beside, available_bytes)) > 1:
        return ()
    return (Climb(baseline=foot, rungs=beside, ladders=tuple(able)),)
