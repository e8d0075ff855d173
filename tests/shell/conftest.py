"""Rungs, results and machines that cost nothing."""

import subprocess
import sys
from dataclasses import replace
from multiprocessing.connection import Pipe

import pytest

from pytest_xeonperf.host.amx import AmxMode
from pytest_xeonperf.judge.expectations import Promises
from pytest_xeonperf.records import (
    Amx,
    Case,
    Estimate,
    Evidence,
    Isa,
    Machine,
    Measurement,
    Metric,
    Outcome,
    Remedy,
    Result,
    Sample,
    Score,
    Unknown,
    Verdict,
)
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child
from pytest_xeonperf.shell.options import Supervision
from pytest_xeonperf.shell.rungs import LadderKey, Own, Rung
from pytest_xeonperf.shell.settings import Settings
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.workloads.presets import Preset

MACHINE = Machine(
    architecture="x86_64",
    cpu_model="Intel(R) Xeon(R)",
    isa=Isa.AVX512_BF16,
    amx=Amx(
        advertised=False, usable_by_onednn=False, usable_by_inductor=False, remedy=Remedy.NONE, detail="not advertised"
    ),
    threads=2,
    physical_cores=2,
    memory_bytes=16 << 30,
    facts=(("torch", "2.13.0"),),
    limits=Unknown(reason="not measured"),
)


@pytest.fixture
def machine():
    return MACHINE


@pytest.fixture
def settings(tmp_path):
    """Settings as a session has them: smoke, one thread, a history of this test's own."""
    return Settings(
        enabled=True,
        db=str(tmp_path / "xeonperf.db"),
        preset=Preset.SMOKE,
        amx=AmxMode.AUTO,
        threads=1,
        supervise=Supervision.ON,
        report="",
        push="",
        release="",
        budget_s=10.0,
        min_pairs=6,
        max_pairs=40,
        processes=1,
        alpha=0.05,
        resume=False,
        weights=(),
    )


@pytest.fixture
def make_rung():
    """Makes a rung of a ladder of the user's own."""

    def make(variant="eager_bf16", *, over="eager_fp32", node_id="", phase="", preset=Preset.SMOKE, promises=None):
        return Rung(
            node_id=node_id or f"test_it.py::test_{variant}",
            location="test_it.py:3",
            ladder=LadderKey(source=Own(defined_in="test_it.py", parameters=""), phase=phase, preset=preset, over=over),
            variant=NAMED[variant],
            promises=promises or Promises(),
        )

    return make


@pytest.fixture
def make_result():
    """Makes a result with three pairs at 2.0; other fields by name."""

    def make(variant="eager_bf16", outcome=Outcome.PASS, reason="", **changes):
        case = Case(
            workload="tiny",
            phase="forward",
            preset="smoke",
            variant=variant,
            metric=Metric.LATENCY,
            over="eager_fp32",
        )
        measurement = Measurement(
            case=case,
            item="call",
            items_per_call=1,
            samples=tuple(
                Sample(
                    process=0,
                    round_index=index,
                    baseline_ns=2000,
                    candidate_ns=1000,
                    baseline_position=0,
                    candidate_position=1,
                )
                for index in range(3)
            ),
            voided_rounds=0,
            contention=Unknown(reason="not counted here"),
            seed=1,
            speedup=Estimate(ratio=2.0, low_ratio=0.0, high_ratio=1e9, confidence=0.95),
            baseline_median_ns=2000,
            candidate_median_ns=1000,
            fidelity=(Score(name="cosine", value=0.9999),),
            roofline=Unknown(reason="no limits"),
            evidence=Evidence(
                compile_ns=1,
                graph_breaks=0,
                first_break="",
                recompiles=0,
                kernels=("aten::mm",),
                weight_bytes=1,
                peak_rss_bytes=Unknown(reason="not weighed"),
                left_in_bf16=(),
            ),
        )
        result = Result(
            node_id=f"test_it.py::test_{variant}",
            location="test_it.py:3",
            case=case,
            measured_at="2026-09-01T10:00:00.000000+00:00",
            measurement=measurement,
            verdict=Verdict(
                outcome=outcome, reason=reason, floor_ratio=Unknown(reason="no floor given"), expectations=()
            ),
        )
        return replace(result, **changes)

    return make


@pytest.fixture
def make_child(tmp_path):
    """Makes a child of any program, and the far end of its channel."""
    started = []

    def make(program):
        ours, theirs = Pipe()
        process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        started.append((process, ours, theirs))
        return Child(process=process, channel=ours, log=tmp_path / "child.log"), theirs

    yield make
    for process, *channels in started:
        process.kill()
        process.wait()
        for channel in channels:
            channel.close()


@pytest.fixture
def start(settings, machine, tmp_path):
    """What children are told: two tests are to be run."""
    return protocol.Start(
        purpose=protocol.Purpose.MEASURE, arguments=(), directory=str(tmp_path), settings=settings,
        selected=("a", "b"), cases=2, barred=(), machine=machine,
    )  # fmt: skip


@pytest.fixture
def marked(pytester):
    """A collected test with these decorators, in a class with those."""

    def make(decorators="", class_decorators="", fixtures="xeonperf, eager_bf16"):
        lines = [*class_decorators.splitlines(), "class TestIt:"]
        lines += [f"    {line}" for line in (*decorators.splitlines(), f"def test_it(self, {fixtures}): ...")]
        return pytester.getitem("import pytest\n\n" + "\n".join(lines) + "\n", "test_it")

    return make
