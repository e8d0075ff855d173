"""What the user asked for, resolved once: command line, then ``XEONPERF_*``, then ini, then default."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from pytest_xeonperf.host.amx import AmxMode
from pytest_xeonperf.measure.pace import Effort
from pytest_xeonperf.shell.options import OPTIONS, Supervision, resolve
from pytest_xeonperf.workloads.presets import Preset

_OFF = {"", "0"}
"""What a switch in the environment is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Resolved settings; picklable, so that the measuring child works with the same.

    Attributes:
        db: An SQLAlchemy URL or a path, never empty.
        threads: 0 for the physical cores.
        report: Directory of the HTML report; empty for none.
        push: Address of a service; empty for none.
        release: A commit that every run is compared with; empty for none.
        budget_s: For the rounds of one ladder.
        min_pairs: Of a case, before anything is decided; six are the fewest that bound a median at 95 %.
        max_pairs: Of a case, however much of the budget is left.
        processes: That measure each case, one after another.
        resume: Whether to take finished tests from the newest unfinished run.
        weights: Checkpoints by workload name, from the ini key ``xeonperf_weights``.
    """

    enabled: bool
    db: str
    preset: Preset
    amx: AmxMode
    threads: int
    supervise: Supervision
    report: str
    push: str
    release: str
    budget_s: float
    min_pairs: int
    max_pairs: int
    processes: int
    alpha: float
    resume: bool
    weights: tuple[tuple[str, str], ...]

    @classmethod
    def from_pytest(cls, config: pytest.Config) -> Settings:
        """Resolve the settings of a session.

        Raises:
            pytest.UsageError: A value cannot be meant; names the option and the valid values.
        """
        values = {option.name: resolve(config, option, os.environ) for option in OPTIONS}
        supervise = values["supervise"]
        if config.getoption("usepdb", default=False) or config.getoption("trace", default=False):
            supervise = Supervision.OFF
        report = str(values["report"])
        min_pairs, max_pairs = cast("tuple[int, int]", values["pairs"])
        return cls(
            enabled=bool(config.getoption("xeonperf")) or os.environ.get("XEONPERF", "") not in _OFF,
            db=str(values["db"]) or str(config.rootpath / "xeonperf.db"),
            preset=Preset(str(values["preset"])),
            amx=AmxMode(str(values["amx"])),
            threads=int(str(values["threads"])),
            supervise=Supervision(str(supervise)),
            report="" if report == "off" else str(config.rootpath / report),
            push=str(values["push"]),
            release=str(values["release"]),
            budget_s=float(str(values["budget"])),
            min_pairs=min_pairs,
            max_pairs=max_pairs,
            processes=int(str(values["processes"])),
            alpha=float(str(values["alpha"])),
            resume=bool(config.getoption("xeonperf_resume")) or os.environ.get("XEONPERF_RESUME", "") not in _OFF,
            weights=_weights(config),
        )

    @property
    def effort(self) -> Effort:
        """How much measuring a ladder may take."""
        return Effort(
            min_rounds=self.min_pairs, max_rounds=self.max_pairs, budget_ns=round(self.budget_s * 1_000_000_000)
        )

    def as_pairs(self) -> tuple[tuple[str, str], ...]:
        """For the record of a run."""
        names = ("preset", "amx", "threads", "supervise", "budget_s", "min_pairs", "max_pairs", "processes", "alpha")
        return tuple((name, str(getattr(self, name))) for name in names)


def _weights(config: pytest.Config) -> tuple[tuple[str, str], ...]:
    pairs = []
    for line in config.getini("xeonperf_weights"):
        name, equals, path = (part.strip() for part in line.partition("="))
        if not (name and equals and path):
            raise pytest.UsageError(f"ini key xeonperf_weights: {line!r} is not of the form `workload = path`")
        pairs.append((name, str(config.rootpath / Path(path).expanduser())))
    return tuple(pairs)
