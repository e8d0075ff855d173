"""Which test is which rung of which ladder: known at collection, from markers and fixture names alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

import pytest

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.shell import markers
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.variants.named import lookup as lookup_variant
from pytest_xeonperf.workloads.catalog import lookup as lookup_workload
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.shell.settings import Settings
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Phase, Workload

_DEFAULT_OVER = "eager_fp32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A workload of the catalogue, with the options its marker passes on."""

    name: str
    options: tuple[tuple[str, object], ...]

    @property
    def label(self) -> str:
        """Name and options: ``llama-2-7b(batch=4)``."""
        options = ", ".join(f"{option}={value}" for option, value in self.options)
        return f"{self.name}({options})" if options else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A workload that a `workload` fixture of the user's makes: known by where it is defined and its parameters."""

    defined_in: str
    parameters: str

    @property
    def name(self) -> str:
        """For the plan, before the fixture has run."""
        return f"{self.defined_in or 'workload'}{self.parameters}"

    @property
    def label(self) -> str:
        """The same: there is no more to tell it from others."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderKey:
    """What rungs share that are held against one baseline. `phase` is empty where the workload has only one."""

    source: Shipped | Own
    phase: str
    preset: Preset
    over: str

    def phase_of(self, workload: Workload) -> Phase:
        """The phase of the workload that this ladder measures."""
        return workload.phase(self.phase) if self.phase else workload.phases[0]

    @property
    def label(self) -> str:
        """For people: ``sam-vit-b/encode [quick] over eager_fp32``."""
        return f"{self.model} over {self.over}"

    @property
    def model(self) -> str:
        """What is measured, for people and for the journal: ``sam-vit-b/encode [quick]``; ladders may share it."""
        phase = f"/{self.phase}" if self.phase else ""
        return f"{self.source.label}{phase} [{self.preset}]"

    def is_of_same_model(self, other: LadderKey) -> bool:
        """Whether two ladders differ in their baseline alone."""
        return (self.source, self.phase, self.preset) == (other.source, other.phase, other.preset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One test's variant on one ladder, with what the test promises."""

    node_id: str
    location: str
    ladder: LadderKey
    variant: Variant
    promises: Promises


def measures(item: pytest.Item) -> TypeGuard[pytest.Function]:
    """Whether a test is one of ours: it uses the fixture ``xeonperf``."""
    return isinstance(item, pytest.Function) and "xeonperf" in item.fixturenames


def rungs_of(item: pytest.Function, settings: Settings) -> tuple[Rung, ...]:
    """The rungs of a test: each variant it asks for, over each baseline its floors name.

    Raises:
        UsageError: A marker or name cannot be meant; says where.
    """
    for mark in item.iter_markers():
        if mark.name in markers.MARKERS:
            markers.check(mark)
    _require_fixtures(item)
    variants = markers.variants_of(item)
    if not variants:
        markers.promises_of(item, markers.ANY_BASELINE)  # a test that compares two callables: checked all the same
        return ()
    thresholds = [*markers.thresholds_of(item, "min_speedup"), *markers.thresholds_of(item, "max_speedup")]
    overs = dict.fromkeys(threshold.over for threshold in thresholds) or [_DEFAULT_OVER]
    source, phase, preset = _model(item, settings)
    made = []
    for variant in variants:
        for over in overs:
            if variant == lookup_variant(over):
                raise UsageError(
                    f"{variant.name} over itself", remedy="leave the test out: every row shows its baseline"
                )
            made.append(
                Rung(
                    node_id=item.nodeid,
                    location=place_of(item),
                    ladder=LadderKey(source=source, phase=phase, preset=preset, over=over),
                    variant=variant,
                    promises=markers.promises_of(item, over),
                )
            )
    return tuple(made)


def _require_fixtures(item: pytest.Function) -> None:
    """A misspelt variant is found before hours of measuring, rather than when its test is set up."""
    info = item._fixtureinfo  # noqa: SLF001 - pytest has no public way
    parameters = item.callspec.params if hasattr(item, "callspec") else ()
    for name in info.argnames:
        if name not in info.name2fixturedefs and name not in parameters and name != "request":
            raise UsageError(f"unknown fixture {name!r}", remedy=f"variants are {', '.join([*NAMED, 'variant'])}")


def place_of(item: pytest.Item) -> str:
    """``path:line`` of a test, for annotations."""
    path, line, _ = item.location
    return f"{path}:{(line or 0) + 1}"


def by_ladder(rungs: Iterable[Rung]) -> Mapping[LadderKey, tuple[Rung, ...]]:
    """Rungs grouped into ladders, in the order of the tests."""
    ladders: dict[LadderKey, list[Rung]] = {}
    for rung in rungs:
        ladders.setdefault(rung.ladder, []).append(rung)
    return {key: tuple(members) for key, members in ladders.items()}


def _model(item: pytest.Function, settings: Settings) -> tuple[Shipped | Own, str, Preset]:
    """The workload, phase and preset of a test."""
    name, phase, preset = "", "", settings.preset
    options: dict[str, object] = {}
    for mark in reversed(list(item.iter_markers("workload"))):
        given = {**dict(zip(("name",), mark.args, strict=False)), **mark.kwargs}
        name, phase = given.pop("name", name), given.pop("phase", phase)
        preset = Preset(given.pop("preset", preset))
        options |= given
    own = _own_fixture(item)
    if own:
        return own, phase, preset
    if not name:
        raise UsageError(
            "no workload", remedy='mark it with @pytest.mark.workload("sam-vit-b"), or define a fixture called workload'
        )
    entry = lookup_workload(name)
    if not phase:
        raise UsageError(f"no phase of {name}", remedy=f"add phase= to the marker, one of: {', '.join(entry.phases)}")
    configured = dict(settings.weights)
    if name in configured:
        options.setdefault("checkpoint", configured[name])
    return Shipped(name=name, options=tuple(sorted(options.items()))), phase, preset


def _own_fixture(item: pytest.Function) -> Own | tuple[()]:
    """The user's own `workload` fixture, if it overrides ours."""
    definitions = item._fixtureinfo.name2fixturedefs.get("workload", ())  # noqa: SLF001 - pytest has no public way
    if not definitions or definitions[-1].func.__module__.startswith("pytest_xeonperf."):
        return ()
    callspec = getattr(item, "callspec", None)
    return Own(
        defined_in=definitions[-1].baseid or definitions[-1].func.__module__,
        parameters=f"[{callspec.id}]" if callspec is not None else "",
    )
