"""Small models, the same in every test."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded_draws() -> None:
    """The same random tensors in every test."""
    torch.manual_seed(0)
