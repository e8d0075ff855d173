"""What the driver of a gate and its two workers say to each other, beside `protocol`: pickled records over a socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.records import Case, Unknown

VERSION = 2
"""Of these messages: a worker may run another release of this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A model that a worker can serve.

    Attributes:
        label: What it is called in both trees: ``sam-vit-b/encode [quick]``, or a test that compares two callables.
        node_id: Of the first test that measures it.
        locations: ``path:line`` of the test of each variant, by the variant's name.
        cases: How many verdicts there will be: one for each variant over each of its baselines, one for each mere
            baseline.
    """

    label: str
    node_id: str
    locations: Mapping[str, str]
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Worker to driver, once: what was collected, and code that comes from the other tree.

    Attributes:
        errors: What could not be collected.
        foreign: Modules that were imported from there, with their files.
    """

    version: int
    models: tuple[Offered, ...]
    errors: tuple[str, ...]
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Worker to driver, before it builds a model: memory in bytes for all of its variants."""

    memory_bytes: int | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Driver to worker: go on, without variants that have killed a worker."""

    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Worker to driver: what is ready to take turns.

    Attributes:
        cases: Every variant that is there, with the baselines that tests hold it against; none for a mere baseline.
        refused: Variants that do not go with this model or are not installed, and why: a session would skip them.
        lacking: Variants that this machine or its memory lacks something for, and what.
        raised: Variants whose code raised, and what.
        item: What one unit of work is.
        items_per_call: Units of work in a call.
        foreign: As in `Offer`, now that models were built.
        compiled: Files of its own tree that it runs compiled code of.
    """

    cases: Mapping[str, tuple[Case, ...]]
    refused: Mapping[str, str]
    lacking: Mapping[str, str]
    raised: Mapping[str, str]
    item: str
    items_per_call: int
    foreign: tuple[str, ...]
    compiled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Driver to worker: call this variant once."""

    variant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Worker to driver: how long the call took, and whether something was compiled in it."""

    duration_ns: int
    compiled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """Worker to driver: the call raised."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sing:
    """Driver to worker: run the canary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sang:
    """Worker to driver: whether the machine was as usual."""

    healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """Driver to worker: let go of this model."""
