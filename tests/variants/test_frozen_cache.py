"""Frozen graphs in Inductor's cache on disk: found again, and never taken for one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from pytest_xeonperf.variants import compiled
from pytest_xeonperf.variants.frozen_cache import packed_weights_by_shape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("cpp_compiler")


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty cache on disk, and what is in memory forgotten."""
    from torch._inductor.utils import fresh_cache

    monkeypatch.delenv("TORCHINDUCTOR_FORCE_DISABLE_CACHES", raising=False)
    with fresh_cache(dir=str(tmp_path)):
        yield


def model(seed: int, width: int = 32) -> nn.Module:
    """A convolution and a linear layer, both of which oneDNN packs in BF16."""
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Conv2d(16, width, 3, padding=1), nn.ReLU(), nn.Flatten(2), nn.Linear(64, width))
    return layers.to(torch.bfloat16).eval().requires_grad_(requires_grad=False)


X = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)  # (N, C, H, W)


def compiled_frozen(module: nn.Module) -> tuple[torch.Tensor, int, int]:
    """What it computes as a new process would: with Dynamo's memory gone. Hits and misses of the cache on disk."""
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with torch.no_grad():
        out = compiled.compiler(freeze=True)(module)(X)
    counted = torch._dynamo.utils.counters["inductor"]
    return out, counted["fxgraph_cache_hit"], counted["fxgraph_cache_miss"]


def test_a_frozen_graph_is_compiled_once_and_found_again():
    first, *counted_first = compiled_frozen(model(1))
    again, *counted_again = compiled_frozen(model(1))
    assert (counted_first, counted_again) == ([0, 1], [1, 0])
    assert torch.equal(first, again)


def test_other_weights_of_the_same_shape_use_its_code_with_their_own_values():
    compiled_frozen(model(1))
    other = model(2)
    got, hits, _misses = compiled_frozen(other)
    assert hits == 1
    torch.testing.assert_close(got, other(X), rtol=2e-2, atol=2e-2)
    assert not torch.allclose(got, model(1)(X), rtol=2e-2, atol=2e-2)


def test_other_widths_are_other_code():
    compiled_frozen(model(1))
    _out, hits, misses = compiled_frozen(model(1, width=48))
    assert (hits, misses) == (0, 1)


def test_torch_is_left_as_it_was():
    from torch._inductor import codecache

    def patched() -> tuple[object, object]:
        return codecache.FxGraphCachePickler._reduce_tensor, codecache.CacheabilityValidator.check_tensor

    before = patched()
    with packed_weights_by_shape():
        assert not any(now is then for now, then in zip(patched(), before, strict=True))
    assert patched() == before


def test_without_it_torch_still_refuses():
    """The day this fails, the module under test can go."""
    torch._dynamo.utils.counters.clear()
    with torch.no_grad(), torch._inductor.config.patch(freezing=True):
        torch.compile(model(1).float())(X.float())  # FP32: packed on any x86
    assert torch._dynamo.utils.counters["inductor"]["fxgraph_cache_bypass"] == 1
