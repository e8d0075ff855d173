"""A history as asv would have it: a repository with a commit for every run, and its result files (format 2)."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import RunMark

_COLUMNS = ["result", "params", "version"]
_VERSION = "1"
_ENVIRONMENT = "existing-py_python"


def write_asv(history: Path, folder: Path, *, newest_only: bool = False) -> None:
    """Write repository, configuration and results; of a folder that has them, only what the newest run adds."""
    folder.mkdir(exist_ok=True)
    with open_store(str(history), readonly=True) as store:
        marks = store.marks(until=store.extent().newest_id)
        shas = _commits(folder / "repo", marks)
        _settings(folder, store, marks)
        values = _values(store, marks, newest_only=newest_only)
    for place, of_run in values.items():
        _result(folder, marks[place], shas[place], of_run)


def _commits(repository: Path, marks: Sequence[RunMark]) -> list[str]:
    """One commit a run, all on one branch; their shas in order."""
    if not repository.exists():
        subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
    parts = []
    for number, mark in enumerate(marks):
        seconds = int(datetime.fromisoformat(mark.started_at).timestamp())
        subject = f"change {number}"
        parts.append(
            f"commit refs/heads/main\ncommitter A <a@example.org> {seconds} +0000\ndata {len(subject)}\n{subject}\n"
            + ("deleteall\n" if number == 0 else "")
            + f"M 644 inline a\ndata {len(str(number))}\n{number}\n"
        )
    git = ["git", "-C", str(repository)]
    subprocess.run([*git, "fast-import", "--quiet", "--force"], input="".join(parts).encode(), check=True)
    listed = subprocess.run([*git, "rev-list", "--reverse", "main"], check=True, capture_output=True, text=True)
    return listed.stdout.split()


def _settings(folder: Path, store: Store, marks: Sequence[RunMark]) -> None:
    settings = {
        "version": 1,
        "project": "scale",
        "repo": "repo",
        "branches": ["main"],
        "environment_type": "existing",
        "results_dir": "results",
        "html_dir": "html",
    }
    (folder / "asv.conf.json").write_text(json.dumps(settings))
    results = folder / "results"
    results.mkdir(exist_ok=True)
    benchmarks: dict[str, object] = {
        _name(case.id): {
            "code": "",
            "name": _name(case.id),
            "param_names": [],
            "params": [],
            "timeout": 60,
            "type": "time",
            "unit": "seconds",
            "version": _VERSION,
        }
        for case in store.cases()
    }
    (results / "benchmarks.json").write_text(json.dumps({**benchmarks, "version": 2}))
    for machine in {mark.comparability_class for mark in marks}:
        (results / machine).mkdir(exist_ok=True)
        (results / machine / "machine.json").write_text(json.dumps({**_machine(machine), "version": 1}))


def _machine(name: str) -> dict[str, str]:
    return {"machine": name, "arch": "x86_64", "cpu": "Xeon", "num_cpu": "32", "os": "Linux", "ram": "128"}


def _name(case_id: str) -> str:
    return f"suite.time_{case_id}"


def _values(store: Store, marks: Sequence[RunMark], *, newest_only: bool) -> dict[int, dict[str, float | None]]:
    """By run, the latency of every case in seconds."""
    found: dict[int, dict[str, float | None]] = {}
    extent = store.extent()
    first = len(marks) - 1 if newest_only else 0
    after = extent.newest_id - len(store.cases()) if newest_only else 0
    for case in store.cases():
        points = store.numbered_points(marks, case_id=case.id, after=after, until=extent.newest_id)
        for place, _id, point in points.get(case.id, []):
            if place >= first:
                latency_ns = point.candidate_median_ns
                value = None if isinstance(latency_ns, Unknown) else latency_ns / 1e9
                found.setdefault(place, {})[_name(case.id)] = value
    return found


def _result(folder: Path, mark: RunMark, sha: str, values: dict[str, float | None]) -> None:
    told = {
        "commit_hash": sha,
        "env_name": _ENVIRONMENT,
        "date": int(datetime.fromisoformat(mark.started_at).timestamp() * 1000),
        "params": {**_machine(mark.comparability_class), "python": "3.11"},
        "python": "3.11",
        "requirements": {},
        "env_vars": {},
        "result_columns": _COLUMNS,
        "results": {name: [[value], [], _VERSION] for name, value in values.items()},
        "durations": {},
        "version": 2,
    }
    path = folder / "results" / mark.comparability_class / f"{sha[:8]}-{_ENVIRONMENT}.json"
    path.write_text(json.dumps(told))
