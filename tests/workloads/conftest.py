"""A cache of seeded weights that the tests of a session share, and what compiling and comparing need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

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
def capture() -> Iterator[Callable[..., object]]:
    """Compiles as one graph without generating code: what Dynamo cannot hold in one graph raises."""
    torch._dynamo.reset()
    yield lambda call: torch.compile(call, fullgraph=True, dynamic=False, backend="eager")
    torch._dynamo.reset()
