"""Made-up records that look like real ones, to be varied by the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Any

import pytest

from pytest_xeonperf.alerts import Alert, AlertSource, AlertState, Direction
from pytest_xeonperf.records import (
    OVER_NOTHING,
    TIMED_ALONE,
    Amx,
    Bound,
    Case,
    Commit,
    Contention,
    Estimate,
    Evidence,
    Expectation,
    Isa,
    Limits,
    Machine,
    Measurement,
    Metric,
    Operator,
    Outcome,
    Remedy,
    Result,
    Roofline,
    Run,
    RunState,
    Sample,
    Score,
    Timing,
    Unknown,
    Verdict,
)
from pytest_xeonperf.report.columns import Figures, Words
from pytest_xeonperf.store.summaries import RunSummary, TrendPoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.report.chart import Chart

HOSTILE = "<script>alert('1')</script>\"&amp;\u202e{{ 7*7 }}</style>]]>\x00"
"""A name that tries everything."""


class Maker:
    """Each method gives one plausible record; keywords replace its fields."""

    def machine(self, **changes) -> Machine:
        limits = Limits(read_bytes_per_s=21e9, fp32_flop_per_s=180e9, bf16_flop_per_s=2.1e12, int8_op_per_s=4e12)
        amx = Amx(
            advertised=True, usable_by_onednn=True, usable_by_inductor=False, remedy=Remedy.REPAIR, detail="palette 0"
        )
        made = Machine(
            architecture="x86_64",
            cpu_model="INTEL(R) XEON(R) PLATINUM 8581C",
            isa=Isa.AMX_BF16,
            amx=amx,
            threads=2,
            physical_cores=2,
            memory_bytes=32 << 30,
            facts=(("kernel", "6.1.0"), ("torch", "2.13.0")),
            limits=limits,
        )
        return replace(made, **changes)

    def commit(self, **changes) -> Commit:
        made = Commit(
            sha="3f9a1c0b77deadbeef",
            branch="main",
            dirty=False,
            committed_at="2026-05-12T13:00:00+00:00",
            subject="Fuse",
        )
        return replace(made, **changes)

    def case(self, **changes) -> Case:
        made = Case(
            workload="sam-vit-b",
            phase="encode",
            preset="quick",
            variant="compiled_bf16",
            metric=Metric.LATENCY,
            over="eager_fp32",
        )
        return replace(made, **changes)

    def evidence(self, **changes) -> Evidence:
        made = Evidence(
            compile_ns=41_000_000_000,
            graph_breaks=0,
            first_break="",
            recompiles=0,
            kernels=("mkldnn::_linear_pointwise", "aten::_scaled_dot_product_flash_attention_for_cpu"),
            weight_bytes=180 << 20,
            peak_rss_bytes=2 << 30,
            left_in_bf16=(),
        )
        return replace(made, **changes)

    def operators(self, *names, **times_ns) -> tuple[Operator, ...]:
        """Operators by name, a microsecond each unless their times are given."""
        times_ns = dict.fromkeys(names, 1000) | times_ns
        return tuple(Operator(name=name, self_ns=self_ns, calls=1) for name, self_ns in times_ns.items())

    def measurement(self, ratio: float = 3.95, **changes) -> Measurement:
        samples = tuple(
            Sample(
                process=0,
                round_index=index,
                baseline_ns=1_600_000_000,
                candidate_ns=round(1_600_000_000 / (ratio * (1 + 0.004 * (index % 5 - 2)))),
                baseline_position=index % 2,
                candidate_position=1 - index % 2,
            )
            for index in range(9)
        )
        made = Measurement(
            case=self.case(),
            item="image",
            items_per_call=1,
            samples=samples,
            voided_rounds=1,
            contention=Contention(
                elapsed_ns=1_000_000_000, cores=2, stolen_ns=20_000_000, others_ns=40_000_000, throttled_ns=0
            ),
            seed=7,
            speedup=Estimate(ratio=ratio, low_ratio=ratio * 0.985, high_ratio=ratio * 1.015, confidence=0.95),
            baseline_median_ns=1_600_000_000,
            candidate_median_ns=round(1_600_000_000 / ratio),
            fidelity=(Score(name="cosine", value=0.99971),),
            roofline=Roofline(fraction=0.71, bound=Bound.COMPUTE, flop=742_000_000_000, weight_bytes=180 << 20),
            evidence=self.evidence(),
        )
        return replace(made, **changes)

    def alone(self, **changes) -> Result:
        """A result of what is timed alone."""
        made = self.result(
            case=self.case(
                workload="tests/test_fft.py::test_fft",
                phase="benchmark",
                preset="-",
                variant="fft",
                over=OVER_NOTHING,
            ),
            node_id="tests/test_fft.py::test_fft",
            measurement=self.timing(),
            verdict=Verdict(
                outcome=Outcome.PASS, reason="", floor_ratio=Unknown(reason="no floor given"), expectations=()
            ),
        )
        return replace(made, **changes)

    def timing(self, **changes) -> Timing:
        made = Timing(
            item="call", rounds=4, durations_ns=(1_240_000, 1_250_000, 1_260_000, 1_900_000), median_ns=1_255_000
        )
        return replace(made, **changes)

    def verdict(self, outcome: Outcome = Outcome.PASS, **changes) -> Verdict:
        held = Expectation(name="min_speedup", required="2.91", found="3.95", held=not outcome.red, isa="amx_bf16")
        made = Verdict(outcome=outcome, reason="clears its floor", floor_ratio=2.91, expectations=(held,))
        return replace(made, **changes)

    def result(self, outcome: Outcome = Outcome.PASS, **changes) -> Result:
        made = Result(
            node_id="suites/test_sam.py::test_compiled",
            location="suites/test_sam.py:12",
            case=self.case(),
            measured_at="2026-05-12T14:05:00+00:00",
            measurement=self.measurement(),
            verdict=self.verdict(outcome),
        )
        return replace(made, **changes)

    def run(self, *results: Result, **changes) -> Run:
        made = Run(
            id="0196c4a0-0000-7000-8000-000000000001",
            state=RunState.FINISHED,
            started_at="2026-05-12T14:03:11+00:00",
            finished_at="2026-05-12T14:25:40+00:00",
            command="pytest --xeonperf suites/",
            options=(("preset", "quick"),),
            machine=self.machine(),
            commit=self.commit(),
            results=results,
        )
        return replace(made, **changes)

    def summary(self, **changes) -> RunSummary:
        machine = self.machine()
        made = RunSummary(
            id=self.run().id,
            state=RunState.FINISHED,
            started_at="2026-05-12T14:03:11+00:00",
            finished_at="2026-05-12T14:25:40+00:00",
            comparability_class=machine.comparability_class,
            cpu_model=machine.cpu_model,
            isa=machine.isa,
            facts=machine.facts,
            sha="3f9a1c0b77deadbeef",
            branch="main",
            outcomes=((Outcome.PASS, 1),),
        )
        return replace(made, **changes)

    def point(self, ratio: float = 3.95, day: int = 1, **changes) -> TrendPoint:
        machine = self.machine()
        made = TrendPoint(
            run_id=f"run-{day:02d}",
            started_at=f"2026-05-{day:02d}T14:03:11+00:00",
            measured_at=f"2026-05-{day:02d}T14:05:00+00:00",
            sha=f"{day:02d}9a1c0b77deadbeef",
            branch="main",
            subject="Fuse",
            author="Ann",
            speedup=Estimate(ratio=ratio, low_ratio=ratio * 0.98, high_ratio=ratio * 1.02, confidence=0.95),
            baseline_median_ns=1_600_000_000,
            candidate_median_ns=round(1_600_000_000 / ratio),
            outcome=Outcome.PASS,
            reason="clears its floor",
            floor_ratio=2.91,
            comparability_class=machine.comparability_class,
            fingerprint=machine.fingerprint,
            facts=machine.facts,
        )
        return replace(made, **changes)

    def alone_point(self, median_ns: int = 1_255_000, day: int = 1, **changes) -> TrendPoint:
        made = self.point(
            day=day, speedup=TIMED_ALONE, baseline_median_ns=TIMED_ALONE, candidate_median_ns=median_ns, reason=""
        )
        return replace(made, floor_ratio=Unknown(reason="no floor given"), **changes)

    def alert(self, **changes) -> Alert:
        point, machine = self.point(), self.machine()
        made = Alert(
            id="3f9a1c0b77de",
            case=self.case(),
            comparability_class=machine.comparability_class,
            source=AlertSource.CHANGE_POINT,
            direction=Direction.SLOWER,
            latency_ratio=1.1,
            speed=Unknown(reason="a level that changed has no interval"),
            before_ns=20_000_000,
            after_ns=22_000_000,
            run_id=point.run_id,
            fingerprint=machine.fingerprint,
            since=point.started_at,
            sha_before="a" * 40,
            sha_after="b" * 40,
            raised_at="2026-05-12T15:00:00+00:00",
            state=AlertState.NEW,
            assignee="",
            note="",
            issue_url="",
            recovered_run_id=Unknown(reason="the latency is not back"),
        )
        return replace(made, **changes)

    def gap(self, day: int, reason: str) -> TrendPoint:
        nothing = Unknown(reason=reason)
        return self.point(
            day=day,
            speedup=nothing,
            baseline_median_ns=nothing,
            candidate_median_ns=nothing,
            outcome=Outcome.CRASHED,
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as ``trend/columns.js`` unpacks it: a dictionary for every run, and the lines of every panel."""

    chart: Chart
    spots: list[dict[str, Any]]
    lines: dict[str, list[list[float | None]]]


def _draw(chart: Chart) -> Drawn:
    data = json.loads(json.dumps(chart.data, allow_nan=False))
    trend, count = data["trend"], data["trend"]["count"]
    words = {name: Words.unpacked(packed, count) for name, packed in trend["words"].items()}
    figures = {
        name: [None if isnan(value) else value for value in Figures.unpacked(packed, count).values]
        for name, packed in trend["figures"].items()
    }
    spots = []
    for index, (sha, date, branch, subject, author) in enumerate(json.loads(str(chart.moments))):
        own = {name: column[index] for name, column in words.items()}
        estimate = " ".join(filter(None, (own.pop("speedup"), own.pop("low"), own.pop("high"))))
        said = {
            "sha": sha,
            "date": f"{date} UTC",
            "branch": branch,
            "subject": subject,
            "author": author,
            "speedup": estimate,
        }
        changes = own.pop("changes")
        href = data["hrefs"].get(str(index), "")
        level = trend["levels"].get(str(index), "")
        found = {"href": href, "level": level, "alerts": data["alerts"].get(str(index), [])}
        spots.append({**own, **said, "changes": changes.split("\n") if changes else [], **found})
    _, high = chart.speedup.span
    lines = {
        "speedup": [
            figures["ratio"],
            figures["low_ratio"],
            [value if value is None else min(value, high) for value in figures["high_ratio"]],
            figures["floor_ratio"],
        ]
    }
    for side in ("candidate", "baseline"):
        scale = getattr(chart, side).scale
        lines[side] = [[value if value is None else value / scale for value in figures[f"{side}_ns"]]]
    return Drawn(chart, spots, lines)


@pytest.fixture(scope="session")
def draw() -> Callable[[Chart], Drawn]:
    """Unpacks a chart."""
    return _draw


@pytest.fixture(scope="session")
def make() -> Maker:
    return Maker()


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE
