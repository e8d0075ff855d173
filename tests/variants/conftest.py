"""Small models and what compiled variants need."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cpp_compiler() -> Iterator[None]:
    """Skip where Inductor has no compiler; forget what was compiled."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("no C++ compiler")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit.script_method`", category=DeprecationWarning)
        import torch._inductor.compile_fx
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


@pytest.fixture(autouse=True)
def seeded_draws() -> None:
    """The same random tensors in every test."""
    torch.manual_seed(0)
