"""What the session and its measuring child say to each other: pickled records over a local socket pair."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.records import Limits, Machine, Result, Sample, Unknown
    from pytest_xeonperf.shell.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """A variant that killed a child: it does not get onto any ladder of its model again."""

    model: str
    variant: str
    reason: str


class Purpose(Enum):
    """What a child is started for."""

    MEASURE = "measure"
    WEIGH = "weigh"
    LOOK_AFRESH = "look afresh"
    SERVE = "serve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Session to child, once: how to become a pytest session of its own.

    Attributes:
        arguments: The user's own command line.
        selected: Node ids of the tests that are still to be run, in order: they make the ladders.
        cases: Rungs with a floor in the whole run, those that are finished included: they share its chance of error.
        temporary: The session's ``--basetemp``, in which every child has a folder of its own; empty without one.
        machine: As known so far; limits that an earlier child measured are not measured again.
        own_root: For a worker of a gate: its own tree; else empty.
        foreign_roots: For a worker of a gate: trees whose code it must not import.
        home_root: For a worker of a gate: the user's tree; what was installed from there is a copy that both sides
            would share.
    """

    purpose: Purpose
    arguments: tuple[str, ...]
    directory: str
    temporary: str = ""
    settings: Settings
    selected: tuple[str, ...]
    cases: int
    barred: tuple[Barred, ...]
    machine: Machine
    own_root: str = ""
    foreign_roots: tuple[str, ...] = ()
    home_root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTest:
    """Session to child: run this test; `next_node_id` is empty for the last one."""

    node_id: str
    next_node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weigh:
    """Session to a fresh child: run only this variant of this test, and say what memory it took."""

    node_id: str
    variant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    """Session to child: no more tests. Child to session: I am leaving on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Child to session: collected and prepared."""

    machine: Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Child to session: what the workload and phase of a model are called, which only the user's fixture knows."""

    model: str
    workload: str
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """Child to session: from now on it is this variant's fault."""

    model: str
    variant: str
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Child to session: no variant is running any more; what happens now is the test's own doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingBegins:
    """Child to session: rounds begin, at least `min_rounds`, and no new one after the budget is spent."""

    model: str
    budget_ns: int
    min_rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundVoided:
    """Child to session: a round was thrown away, because the machine was disturbed."""

    model: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDone:
    """Child to session: the new pairs of a round, by variant."""

    model: str
    index: int
    pairs: Mapping[str, Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsRaised:
    """Child to session: the machine can do more than it could when its limits were first measured."""

    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Child to session: a serialised test report."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDone:
    """Child to session: all reports of this test were sent."""

    __test__ = False  # pytest: this is no test class

    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Fresh child to session: the answer to `Weigh`."""

    peak_rss_bytes: int | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsWeights:
    """Child to session: please weigh these, each in a fresh process; I am waiting for the `Weights`.

    Attributes:
        at_once: Processes that memory and cores have room for.
    """

    wanted: tuple[Weigh, ...]
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsFreshLook:
    """Child to session: please measure these tests in a fresh process too; I am waiting for the `FreshLook`.

    Attributes:
        why: For people: ``red for its times``, ``process 2 of 3``.
    """

    node_ids: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshLook:
    """Session to child: the answer to `WantsFreshLook`.

    Attributes:
        results: Of the tests, as far as the process got.
        problem: Why it got no further; empty if it got to the end.
    """

    results: tuple[Result, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Session to child: the answer to `WantsWeights`, by variant."""

    peak_rss_bytes: Mapping[str, int | Unknown]
