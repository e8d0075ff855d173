"""``xeonperf compare``, on a real repository and a history of its commits."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.judge.betting import estimate, log_ratios
from pytest_xeonperf.records import Commit, Measurement, Sample
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.identity import new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_xeonperf.records import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A repository, the shas of its commits, and a way to add runs of them to its history."""

    folder: Path
    shas: tuple[str, ...]
    recorded: Run

    def add(self, commit: int, speedup: float, *, day: int, **changes: object) -> str:
        """Add a run of a commit with one case; the run's id."""
        result = self.recorded.results[0]
        measured = result.measurement
        assert isinstance(measured, Measurement)
        samples = tuple(
            Sample(
                process=0,
                round_index=number,
                baseline_ns=round(speedup * 1e7),
                candidate_ns=10_000_000,
                baseline_position=0,
                candidate_position=1,
            )
            for number in range(12)
        )
        measured = replace(
            measured,
            samples=samples,
            speedup=estimate(log_ratios(samples), alpha=0.05),
            baseline_median_ns=35_000_000,
            candidate_median_ns=round(35_000_000 / speedup),
        )
        assert isinstance(self.recorded.commit, Commit)
        run = replace(
            self.recorded,
            id=new_run_id(),
            started_at=f"2026-09-{day:02}T10:00:00+00:00",
            commit=replace(self.recorded.commit, sha=self.shas[commit], **changes),
            results=(replace(result, measurement=measured),),
        )
        with open_store(str(self.folder / "xeonperf.db")) as store:
            store.add_run(run)
        return run.id


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Callable[..., str], recorded_run: Run) -> Past:
    """Three commits in the current folder, the last one tagged v2, and no run yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    shas = []
    for number in range(3):
        git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", f"Change {number}")
        shas.append(git(tmp_path, "rev-parse", "HEAD"))
    git(tmp_path, "tag", "v0", shas[0])
    return Past(folder=tmp_path, shas=tuple(shas), recorded=recorded_run)


def test_without_a_base_the_nearest_earlier_commit_is_it(command_line: Callable, past: Past) -> None:
    past.add(0, 5.0, day=1)
    near = past.add(1, 3.5, day=2)
    past.add(1, 9.0, day=3, dirty=True)
    head = past.add(2, 3.5, day=4)
    said = command_line("compare")
    assert (said.exit_code, said.err) == (0, "")
    base_line, head_line, _, titles, case, verdict = said.out.splitlines()
    assert base_line.startswith(f"base {near}")
    assert head_line.startswith(f"head {head}")
    assert titles.split()[-1] == "verdict"
    assert case.split()[-1] == verdict == "PASS"


def test_a_release_as_base_catches_what_crept_in(command_line: Callable, past: Past) -> None:
    past.add(0, 4.0, day=1)
    past.add(1, 3.7, day=2)
    past.add(2, 3.4, day=3)
    said = command_line("compare", "v0", "latest")
    assert said.exit_code == 1
    assert "REGRESSION sam-vit-b/encode" in said.out
    assert "the speed-up changed by −15.0 %; the variant moved, its baseline did not" in said.out  # noqa: RUF001


def test_an_accepted_change_is_the_base_from_then_on(command_line: Callable, past: Past) -> None:
    past.add(0, 4.0, day=1)
    accepted = past.add(1, 3.4, day=2)
    said = command_line("compare", "v0", "--accept", "scales stay in FP32")
    assert said.exit_code == 1
    assert "accepted: sam-vit-b/encode" in said.err
    past.add(2, 3.4, day=3)
    later = command_line("compare", "v0", "latest")
    assert later.exit_code == 0
    assert f"in run {accepted}: scales stay in FP32" in later.out
    past.add(2, 3.0, day=4)
    assert command_line("compare", "v0").exit_code == 1
    assert "nothing was accepted" in command_line("compare", past.shas[1], "latest~1", "--accept", "fine").err


def test_the_json_is_all_that_is_on_stdout(command_line: Callable, past: Past) -> None:
    past.add(0, 4.0, day=1)
    past.add(1, 3.4, day=2)
    said = command_line("compare", "v0", "--json")
    document = json.loads(said.out)
    assert (said.exit_code, said.err) == (1, "")
    assert (document["schema"], document["verdict"]) == ("xeonperf-compare/1", "REGRESSION")
    (case,) = document["cases"]
    assert case["change"]["ratio"] == pytest.approx(0.85)
    assert (case["moved"], case["session_spread"]) == ("candidate", None)
    assert case["unknown"] == {
        "session_spread": "1 earlier sessions; 8 show how much they differ",
        "proposed_floor_ratio": "2 runs under this floor, 5 are needed",
        "operators": "the operators of base are unknown: not recorded",
    }


def test_a_long_history_says_how_much_sessions_differ_and_which_floor_it_has_outgrown(
    command_line: Callable, past: Past
) -> None:
    for day, speedup in enumerate((4.0, 4.4, 3.9, 4.3, 4.1, 4.5, 4.0, 4.4, 4.2), start=1):
        past.add(0, speedup, day=day)
    past.add(1, 3.9, day=20)
    said = command_line("compare", past.shas[0])
    assert said.exit_code == 6
    assert "the speed-up changed by −7.1 %; sessions differ by" in said.out  # noqa: RUF001
    assert "a floor of 3.70x, not 2.91x, would have held in the last 10 runs (lowest 3.90x)" in said.out


def test_a_page_is_written_where_it_is_asked_for(command_line: Callable, past: Past) -> None:
    past.add(0, 4.0, day=1)
    past.add(1, 3.4, day=2)
    assert command_line("compare", "v0", "--html", "page.html").exit_code == 1
    page = (past.folder / "page.html").read_text(encoding="utf-8")
    assert "<!doctype html>" in page
    assert "sam-vit-b/encode compiled_bf16" in page
    refused = command_line("compare", "v0", "--html", "nowhere/page.html")
    assert refused.exit_code == 3
    assert "nowhere/page.html: cannot be written" in refused.err


@pytest.mark.parametrize(
    ("words", "exit_code", "complaint"),
    [
        (("v0", "latest", "more"), 4, "3 revisions"),
        (("nonsense",), 4, "no run, commit or branch 'nonsense'"),
        (("latest", "latest"), 4, "base and head are both run"),
        (("--tolerance", "0"), 4, "Invalid value for '--tolerance'"),
        ((), 6, "no earlier commit has a finished run"),
    ],
)
def test_what_cannot_be_compared_says_why(
    command_line: Callable, past: Past, words: tuple[str, ...], exit_code: int, complaint: str
) -> None:
    past.add(0, 4.0, day=1)
    said = command_line("compare", *words)
    assert (said.exit_code, said.out) == (exit_code, "")
    assert complaint in said.err


def test_outside_a_repository_a_base_must_be_named(
    command_line: Callable, past: Past, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.add(0, 4.0, day=1)
    past.add(1, 4.0, day=2)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    said = command_line("compare", "--db", str(past.folder / "xeonperf.db"))
    assert (said.exit_code, said.out) == (6, "")
    assert "name a base: xeonperf compare BASE" in said.err
    assert command_line("compare", "latest~1", "--db", str(past.folder / "xeonperf.db")).exit_code == 0
