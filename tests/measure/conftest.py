"""Small models, a machine that is never disturbed, and what a session lends to a ladder."""

import shutil
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from pytest_xeonperf.judge.betting import estimate, log_ratios
from pytest_xeonperf.measure.bench import Bench
from pytest_xeonperf.measure.canary import Canary
from pytest_xeonperf.measure.ladder import Ladder
from pytest_xeonperf.measure.pace import Effort
from pytest_xeonperf.records import Amx, Remedy, Unknown
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.workloads.protocol import Inputs, Workload


@dataclass
class ScriptedCanary(Canary):
    """Says what it was told to say, then that all is well."""

    sing: object = None
    script: list[bool] = field(default_factory=list)

    def healthy(self):
        return self.script.pop(0) if self.script else True


@dataclass
class Witness:
    """A watcher that remembers."""

    entered: list[tuple[str, str]] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    voided: list[int] = field(default_factory=list)
    begun: list[tuple[int, int]] = field(default_factory=list)

    def entering(self, variant, stage):
        self.entered.append((variant, stage))

    def timing_begins(self, budget_ns, min_rounds):
        self.begun.append((budget_ns, min_rounds))

    def round_done(self, index, pairs):
        self.rounds.append(index)

    def round_voided(self, index):
        self.voided.append(index)


@pytest.fixture
def make_canary():
    """Makes a canary that answers by script, and is well after that."""
    return lambda *script: ScriptedCanary(script=list(script))


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
def bench(make_canary, witness):
    """A session's bench: three rounds, every rung settled by then."""
    return Bench(
        amx=Amx(advertised=False, usable_by_onednn=False, usable_by_inductor=False, remedy=Remedy.NONE, detail=""),
        limits=Unknown(reason="not measured"),
        effort=Effort(min_rounds=3, max_rounds=6),
        seed=5,
        canary=make_canary(),
        settled=lambda _name, _samples: True,
        summarise=lambda samples: estimate(log_ratios(samples), alpha=0.05),
        watcher=witness,
        references={},
    )


@pytest.fixture
def make_ladder():
    """Makes a ladder of named variants over `baseline` for whatever `build` returns."""

    def make(build, *rungs, baseline="eager_fp32", inputs=None, **fields):
        fed = inputs or (lambda: Inputs(args=(torch.linspace(-1, 1, 64).reshape(2, 32),)))  # [2, 32] fp32
        workload = Workload(name="tiny", build=build, inputs=fed, **fields)
        return Ladder(
            workload=workload,
            phase=workload.phases[0],
            preset="smoke",
            baseline=NAMED[baseline],
            rungs=tuple(NAMED[name] for name in rungs or ("eager_bf16",)),
        )

    return make


@pytest.fixture
def linear():
    """Builds a model that nobody seeds."""
    return lambda: nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 8))


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Skip where Inductor has no compiler; compile into a folder of this test, and forget all of it afterwards."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("no C++ compiler")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    from pytest_xeonperf.variants.compiled import compiler as make_compiler

    make_compiler()  # imports Inductor, whose import warns, where those warnings are known
    torch.compiler.reset()
    yield make_compiler()
    torch.compiler.reset()
