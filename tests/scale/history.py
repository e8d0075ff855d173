"""A history as large as years of one: ``python -m tests.scale.history --cases 200 --runs 5000 FILE``.

Three machines of three classes whose torch and kernel change now and then, branches, levels that change, noise, gaps,
one case in twenty timed alone. Raw pairs are kept for the newest runs only, which are the ones whose pages show them.
The same arguments give the same history.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_xeonperf.records import (
    OVER_NOTHING,
    UNGROUPED,
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
from pytest_xeonperf.store import schema, to_rows
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.location import locate

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

RUNS_WITH_PAIRS = 60
FLOOR = 2.0
_FIRST = datetime(2024, 1, 8, 6, tzinfo=UTC)
_APART = timedelta(hours=4, minutes=23)
_VARIANTS = ("sdpa_bf16", "compiled_bf16", "woq_int8", "woq_int4", "bf16-sdpa-compiled-stream")
_PHASES = ("prefill", "decode", "encode", "unet_step")
_NOISE = 0.012
_MACHINES = (("Intel(R) Xeon(R) Platinum 8581C", 32, 0.7), ("Intel(R) Xeon(R) 6980P", 64, 0.2), ("a guest", 2, 0.1))
_CRASH = Unknown(reason="its process died by SIGKILL (out of memory?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What a case came to in every run: nanoseconds [run], and where nothing was measured [run]."""

    case: Case
    baseline_ns: np.ndarray
    candidate_ns: np.ndarray
    gap: np.ndarray


def series(number: int, machine_of: np.ndarray, cases: int) -> Series:
    """One case: levels that change about three times, each machine with its own speed, noise, one gap in a hundred."""
    draw = np.random.default_rng([number, len(machine_of)])
    runs = len(machine_of)
    level = np.zeros(runs)
    for at in draw.integers(0, max(runs, 1), 3):
        level[at:] += draw.normal(0, 0.08)
    baseline_ns = 10 ** draw.uniform(7, 9.5)
    speed = np.array([1.0, 0.6, 2.2])[machine_of] * np.exp(draw.normal(0, _NOISE, runs))
    ratio = draw.uniform(1.9, 6) * np.exp(level + draw.normal(0, _NOISE / 2, runs))
    return Series(
        case=_case(number, alone=number >= cases - cases // 20),
        baseline_ns=np.maximum(baseline_ns * speed, 1).astype(np.int64),
        candidate_ns=np.maximum(baseline_ns * speed / ratio, 1).astype(np.int64),
        gap=draw.random(runs) < 0.01,
    )


def _case(number: int, *, alone: bool) -> Case:
    if alone:
        test = f"tests/test_speed.py::test_{number}"
        return Case(
            workload=test, phase="benchmark", preset="-", variant=UNGROUPED, metric=Metric.LATENCY, over=OVER_NOTHING
        )
    of_model, variant = divmod(number, len(_VARIANTS))
    model, phase = divmod(of_model, len(_PHASES))
    return Case(
        workload=f"model-{model}",
        phase=_PHASES[phase],
        preset="quick",
        variant=_VARIANTS[variant],
        metric=Metric.LATENCY,
        over="eager_fp32",
    )


def machines(runs: int) -> tuple[np.ndarray, list[Machine]]:
    """The number of its class for every run, and its machine with the torch and the kernel of its time."""
    draw = np.random.default_rng([runs, 7])
    machine_of = draw.choice(3, runs, p=[share for _name, _threads, share in _MACHINES])
    made = []
    for run, kind in enumerate(machine_of):
        age = 12 * run // max(runs, 1)
        made.append(_machine(int(kind), (("kernel", f"6.{1 + age // 4}.0"), ("torch", f"2.{2 + age}.0"))))
    return machine_of, made


def _machine(kind: int, facts: tuple[tuple[str, str], ...]) -> Machine:
    model, threads, _share = _MACHINES[kind]
    return Machine(
        architecture="x86_64",
        cpu_model=model,
        isa=Isa.AMX_BF16,
        amx=Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail=""),
        threads=threads,
        physical_cores=threads,
        memory_bytes=threads << 32,
        facts=facts,
        limits=Limits(read_bytes_per_s=2.1e10, fp32_flop_per_s=1.5e11, bf16_flop_per_s=2.2e12, int8_op_per_s=4.1e12),
    )


def run_at(number: int, machine: Machine) -> Run:
    """A run without its results."""
    started = _FIRST + number * _APART
    branch = "main" if number % 5 < 3 else f"feature/{number // 25}"
    return Run(
        id=f"{int(started.timestamp() * 1000):012x}"[:8] + f"-{number:04x}-7000-8000-{number:012x}",
        state=RunState.FINISHED,
        started_at=started.isoformat(),
        finished_at=(started + timedelta(minutes=34)).isoformat(),
        command="pytest --xeonperf suites/",
        options=(("preset", "quick"),),
        machine=machine,
        commit=Commit(
            sha=f"{number * 2654435761 % 2**32:08x}" + f"{number:032x}",
            branch=branch,
            dirty=False,
            committed_at=(started - timedelta(minutes=10)).isoformat(),
            subject=f"Fuse the projections of layer {number % 97} and keep its cache in BF16 (#{number})",
        ),
        results=(),
    )


def result_of(of: Series, number: int, measured_at: str) -> Result:
    """What the case came to in one run, pairs included."""
    case, baseline_ns, candidate_ns = of.case, int(of.baseline_ns[number]), int(of.candidate_ns[number])
    node = case.workload if case.alone else f"suites/test_{case.workload}.py::test_{case.variant}[{case.phase}]"
    measured: Measurement | Timing | Unknown = _measurement(case, baseline_ns, candidate_ns)
    if case.alone:
        durations_ns = tuple(candidate_ns + step for step in range(-4, 5))
        measured = Timing(item="call", rounds=9, durations_ns=durations_ns, median_ns=candidate_ns)
    if of.gap[number]:
        measured = _CRASH
    return Result(
        node_id=node,
        location="suites/test_model.py:12",
        case=case,
        measured_at=measured_at,
        measurement=measured,
        verdict=_verdict(case, baseline_ns / candidate_ns, gap=bool(of.gap[number])),
    )


def _measurement(case: Case, baseline_ns: int, candidate_ns: int) -> Measurement:
    ratio = baseline_ns / candidate_ns
    return Measurement(
        case=case,
        item="token",
        items_per_call=1,
        samples=tuple(
            Sample(
                process=0,
                round_index=index,
                baseline_ns=max(1, round(baseline_ns * (1 + 0.002 * (index - 3)))),
                candidate_ns=candidate_ns,
                baseline_position=index % 2,
                candidate_position=1 - index % 2,
            )
            for index in range(8)
        ),
        voided_rounds=0,
        contention=Contention(elapsed_ns=10**9, cores=2, stolen_ns=10**7, others_ns=10**7, throttled_ns=0),
        seed=20240108,
        speedup=Estimate(ratio=ratio, low_ratio=ratio * 0.987, high_ratio=ratio * 1.012, confidence=0.95),
        baseline_median_ns=baseline_ns,
        candidate_median_ns=candidate_ns,
        fidelity=(Score(name="cosine", value=0.99971),),
        roofline=Roofline(fraction=0.71, bound=Bound.BANDWIDTH, flop=742_000_000_000, weight_bytes=180 << 20),
        evidence=Evidence(
            compile_ns=41_000_000_000,
            graph_breaks=0,
            first_break="",
            recompiles=0,
            kernels=("mkldnn::_linear_pointwise", "aten::_scaled_dot_product_flash_attention_for_cpu"),
            weight_bytes=180 << 20,
            peak_rss_bytes=2 << 30,
            left_in_bf16=(),
        ),
    )


def _verdict(case: Case, ratio: float, *, gap: bool) -> Verdict:
    if gap:
        return Verdict(outcome=Outcome.CRASHED, reason=_CRASH.reason, floor_ratio=FLOOR, expectations=())
    if case.alone:
        no_floor = Unknown(reason="no floor given")
        return Verdict(outcome=Outcome.PASS, reason="", floor_ratio=no_floor, expectations=())
    held = ratio >= FLOOR
    promise = Expectation(
        name="min_speedup", required=f"{FLOOR}x", found=f"{ratio:.2f}x", held=held, isa=Isa.AMX_BF16.value
    )
    return Verdict(
        outcome=Outcome.PASS if held else Outcome.BELOW_FLOOR,
        reason="clears its floor" if held else "below its floor: all of 8 pairs",
        floor_ratio=FLOOR,
        expectations=(promise,),
    )


def write_history(path: Path, *, cases: int, runs: int) -> None:
    """Make the file, in bulk and in one transaction."""
    with open_store(str(path)):
        pass
    engine = connect(locate(str(path)))
    machine_of, on = machines(runs)
    all_series = [series(number, machine_of, cases) for number in range(cases)]
    with engine.begin() as connection:
        _insert(connection, schema.machine, (to_rows.machine_row(each) for each in dict.fromkeys(on)))
        _insert(connection, schema.case, (to_rows.case_row(each.case) for each in all_series))
        for number, machine in enumerate(on):
            run = run_at(number, machine)
            assert isinstance(run.commit, Commit)
            _insert(connection, schema.commit, [to_rows.commit_row(run.commit)])
            _insert(connection, schema.run, [to_rows.run_row(run)])
            first = number * cases + 1
            _add_results(connection, run, all_series, number, first, pairs=number >= runs - RUNS_WITH_PAIRS)
    engine.dispose()


def _add_results(
    connection: Connection, run: Run, all_series: list[Series], number: int, first: int, *, pairs: bool
) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("result", "verdict", "measurement", "timing", "sample")
    }
    for result_id, of in enumerate(all_series, first):
        if pairs:
            _whole(rows, result_id, run, result_of(of, number, run.started_at))
        else:
            _figures(rows, result_id, run, of, number)
    for name, of_table in rows.items():
        _insert(connection, schema.metadata.tables[name], of_table)


def _whole(rows: dict[str, list[dict[str, Any]]], result_id: int, run: Run, result: Result) -> None:
    rows["result"].append({"id": result_id, **to_rows.result_row(run.id, result)})
    rows["verdict"].append(to_rows.verdict_row(result_id, result.verdict))
    if isinstance(result.measurement, Measurement):
        rows["measurement"].append(to_rows.measurement_row(result_id, result.measurement))
        rows["sample"] += to_rows.sample_rows(result_id, result.measurement.samples)
    elif isinstance(result.measurement, Timing):
        rows["timing"].append(to_rows.timing_row(result_id, result.measurement))


def _figures(rows: dict[str, list[dict[str, Any]]], result_id: int, run: Run, of: Series, number: int) -> None:
    """The same without pairs, out of the rows of the case's first measurement: records would take minutes."""
    baseline_ns, candidate_ns = int(of.baseline_ns[number]), int(of.candidate_ns[number])
    ratio, gap = baseline_ns / candidate_ns, bool(of.gap[number])
    result, measured = _like(of)
    unknown = _CRASH.reason if gap else None
    rows["result"].append(
        {**result, "id": result_id, "run_id": run.id, "measured_at": run.started_at, "measurement_unknown": unknown}
    )
    rows["verdict"].append(to_rows.verdict_row(result_id, _verdict(of.case, ratio, gap=gap)))
    if gap:
        return
    if of.case.alone:
        rows["timing"].append({**measured, "result_id": result_id, "median_ns": candidate_ns})
        return
    figures = {"speedup_ratio": ratio, "low_ratio": ratio * 0.987, "high_ratio": ratio * 1.012}
    medians = {"baseline_median_ns": baseline_ns, "candidate_median_ns": candidate_ns}
    rows["measurement"].append({**measured, "result_id": result_id, **figures, **medians})


_ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}


def _like(of: Series) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of `result` and of what was measured, of a case."""
    if of.case.id not in _ROWS:
        result = result_of(of, int(of.gap.argmin()), "")
        measured = result.measurement
        row = to_rows.timing_row(0, measured) if isinstance(measured, Timing) else {}
        row = to_rows.measurement_row(0, measured) if isinstance(measured, Measurement) else row
        _ROWS[of.case.id] = to_rows.result_row("", result), row
    return _ROWS[of.case.id]


def _insert(connection: Connection, table: Table, rows: Any) -> None:
    """Past SQLAlchemy's types, which would take most of the time: what they do is done here."""
    names = [column.name for column in table.columns]
    marks = ", ".join("?" * len(names))
    values = [tuple(_stored(row[name]) for name in names) for row in rows]
    if values:
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names of our schema
        connection.exec_driver_sql(statement, values)


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else str(value) if value == 20240108 else value


def next_run(path: Path, *, cases: int) -> Run:
    """The run that comes after the newest, whole."""
    with open_store(str(path), readonly=True) as store:
        runs = len(store.runs(limit=1_000_000))
    machine_of, on = machines(runs + 1)
    run = run_at(runs, on[-1])
    found = [result_of(series(number, machine_of, cases), runs, run.started_at) for number in range(cases)]
    return replace(run, results=tuple(found))


def main() -> None:
    """Make a history where there is none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    write_history(given.file, cases=given.cases, runs=given.runs)


if __name__ == "__main__":
    main()
