"""A cache of seeded weights that the tests of a session share, and what compiling and comparing need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("xeonperf-cache")


@pytest.fixture
def seeded_cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seeded weights are looked for, and made, in a folder of this session."""
    monkeypatch.setenv("XEONPERF_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture
def cosine() -> Callable[[torch.Tensor, torch.Tensor], float]:
    def between(left: torch.Tensor, right: torch.Tensor) -> float:
        return torch.cosine_similarity(left.double().flatten(), right.double().flatten(), dim=0).item()

    return between


@pytest.fixture
def kernel_calls() -> Callable[..., tuple[Any, list[int]]]:
    """Makes a call, and gives its result and how often it went through each of some kernels of our own."""

    def counted(call: Callable[[], Any], *kernels: str) -> tuple[Any, list[int]]:
        with torch.no_grad(), profile(activities=[ProfilerActivity.CPU]) as seen:
            result = call()
        names = [event.name for event in seen.events()]
        return result, [names.count(f"xeonperf::{kernel}") for kernel in kernels]

    return counted


@pytest.fixture
def capture() -> Iterator[Callable[..., object]]:
    """Compiles as one graph without generating code: what Dynamo cannot hold in one graph raises."""
    torch._dynamo.reset()
    yield lambda call: torch.compile(call, fullgraph=True, dynamic=False, backend="eager")
    torch._dynamo.reset()
