"""The fixtures: `xeonperf`, `workload`, a handle for every named variant, and `variant` for any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import NotApplicableError, UsageError, XeonPerfError
from pytest_xeonperf.records import Case, Metric
from pytest_xeonperf.shell.markers import ANY_BASELINE, promises_of, variants_of
from pytest_xeonperf.shell.rungs import place_of
from pytest_xeonperf.shell.state import JUDGEMENT, ONLY_LOOKING, RESULTS, RUNGS, SETTINGS
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.workloads.catalog import load
from pytest_xeonperf.workloads.protocol import Inputs, Phase, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.records import Result
    from pytest_xeonperf.variants.spec import Variant


@dataclass(frozen=True, slots=True)
class Handle:
    """Stands for a variant of the test's workload; nothing is built until a ladder needs it."""

    variant: Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A test that compares two callables."""

    node_id: str
    location: str
    promises: Promises


@dataclass(frozen=True, slots=True)
class XeonPerf:
    """What the fixture `xeonperf` gives a test."""

    request: pytest.FixtureRequest
    workload: Workload

    def check(self, handle: Handle) -> tuple[Result, ...]:
        """Measure a variant with its ladder and hold it to what the test's markers promise.

        Returns:
            One result for each baseline that a floor names, all of them green.

        Raises:
            pytest.fail.Exception: A promise was broken, the variant crashed, or its data cannot be read.
            pytest.skip.Exception: No verdict could be reached, or the variant cannot run here.
        """
        item = self.request.node
        rungs = [rung for rung in item.stash[RUNGS] if rung.variant == handle.variant]
        if not rungs:
            raise UsageError(f"{handle!r} is no variant of this test", remedy="pass a fixture that the test asks for")
        judgement = item.config.stash[JUDGEMENT]
        results: list[Result] = []
        refusals: list[XeonPerfError] = []
        for rung in rungs:  # what one baseline came to is kept also where another cannot be had
            try:
                results.append(judgement.result(rung, self.workload))
            except XeonPerfError as error:
                refusals.append(error)
        item.stash.setdefault(RESULTS, []).extend(results)
        errors = [str(error) for error in refusals if not isinstance(error, NotApplicableError)]
        if errors:
            pytest.fail("\n".join(errors), pytrace=False)
        _conclude(item, results)
        if refusals:
            pytest.skip("\n".join(map(str, refusals)))
        return tuple(results)

    def compare(
        self, candidate: Callable[[], object], baseline: Callable[[], object], *, name: str = "candidate"
    ) -> Result:
        """Measure any callable in pairs with another, and hold it to what the test's markers promise.

        Their outputs are compared with each other; floors apply whatever their `over` says.

        Args:
            candidate: Called without arguments, under ``torch.no_grad()``.
            baseline: What it is held against.
            name: Identity of the candidate in the history, within this test.

        Returns:
            The result, green.

        Raises:
            pytest.fail.Exception: A promise was broken.
            pytest.skip.Exception: No verdict could be reached.
        """
        item = self.request.node
        settings = item.config.stash[SETTINGS]
        test = Compared(node_id=item.nodeid, location=place_of(item), promises=promises_of(item, over=ANY_BASELINE))
        case = Case(
            workload=item.nodeid,
            phase="call",
            preset=settings.preset.value,
            variant=name,
            metric=Metric.LATENCY,
            over="baseline",
        )
        result: Result = item.config.stash[JUDGEMENT].compare(test, case, candidate, baseline)
        item.stash.setdefault(RESULTS, []).append(result)
        _conclude(item, [result])
        return result


@pytest.fixture
def xeonperf(request: pytest.FixtureRequest, workload: Workload) -> XeonPerf:
    """Measures: ``xeonperf.check(compiled_bf16)`` holds a variant to the test's markers."""
    return XeonPerf(request, workload)


@pytest.fixture
def workload(request: pytest.FixtureRequest) -> Workload:
    """The model of the test's `workload` marker. Override it to bring your own: return a `Workload`."""
    rungs = request.node.stash.get(RUNGS, ())
    if not rungs:  # a test that only compares callables
        return Workload(name=request.node.name, phases=(Phase(name="call", build=_no_model, inputs=Inputs),))
    ladder = rungs[0].ladder
    try:
        model = load(ladder.source.name, ladder.preset, dict(ladder.source.options))
        return named_by_size(model, dict(ladder.source.options))
    except NotApplicableError as error:
        pytest.skip(str(error))
    except XeonPerfError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def variant(request: pytest.FixtureRequest) -> Handle:
    """A handle on the variant that ``@pytest.mark.variant(...)`` describes."""
    return Handle(variants_of(request.node)[-1])


def _named(name: str) -> Callable[[], Handle]:
    def handle() -> Handle:
        return Handle(NAMED[name])

    handle.__doc__ = f"A handle on the variant {name}: {_describe(NAMED[name])}."
    return pytest.fixture(name=name)(handle)


def _describe(variant: Variant) -> str:
    parts = [variant.dtype.upper(), f"{variant.attention} attention", "compiled" if variant.compile else "eager"]
    return ", ".join(parts + ([f"weights in {variant.woq}"] if variant.woq != "none" else []))


eager_fp32 = _named("eager_fp32")
eager_bf16 = _named("eager_bf16")
sdpa_bf16 = _named("sdpa_bf16")
compiled_bf16 = _named("compiled_bf16")
woq_int8 = _named("woq_int8")
woq_int4 = _named("woq_int4")


def named_by_size(model: Workload, options: Mapping[str, object]) -> Workload:
    """The workload under a name that tells ``batch=4`` from ``batch=1``: they are two series in the history.

    What is fed does not change the name: a checkpoint has changed it already, and photographs are all of one size.
    """
    sizes = [f"{option}={value}" for option, value in sorted(options.items()) if option not in {"checkpoint", "images"}]
    if not sizes:
        return model
    return Workload(name=f"{model.name}({', '.join(sizes)})", phases=model.phases, attention=model.attention)


def _no_model() -> nn.Module:
    raise UsageError("this test names no workload", remedy="mark it with @pytest.mark.workload(...)")


def _conclude(item: pytest.Item, results: Sequence[Result]) -> None:
    """The same, but where another process only wants to know: what a test checks further on is wanted too."""
    if not item.config.stash.get(ONLY_LOOKING, False):
        conclude(results)


def conclude(results: Sequence[Result]) -> None:
    """Fail on anything red, skip on anything undecided, say nothing otherwise."""
    red = [result for result in results if result.verdict.outcome.red]
    undecided = [result for result in results if result.verdict.outcome.undecided]
    text = "\n".join(
        f"{result.verdict.outcome}: {result.case.label}: {result.verdict.reason}" for result in red or undecided
    )
    if red:
        pytest.fail(text, pytrace=False)
    if undecided:
        pytest.skip(text)
