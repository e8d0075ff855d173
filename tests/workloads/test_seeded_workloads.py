"""Seeded weights of the shipped models: with a zero among them, leaving that parameter out could pass unseen."""

from __future__ import annotations

import pytest

from pytest_xeonperf.workloads.catalog import CATALOG, load
from pytest_xeonperf.workloads.presets import Preset

WITH_WEIGHTS_OF_THEIR_OWN = {"llm", "smollm2-135m"}


@pytest.mark.usefixtures("seeded_cache")
@pytest.mark.parametrize(
    ("name", "phase"),
    [(name, phase) for name in CATALOG if name not in WITH_WEIGHTS_OF_THEIR_OWN for phase in CATALOG[name].phases],
)
def test_every_parameter_of_a_shipped_model_is_nonzero_everywhere(name, phase):
    module = load(name, Preset.SMOKE, {}).phase(phase).build()
    parameters = dict(module.named_parameters())
    assert parameters
    assert not [each for each, parameter in parameters.items() if not (parameter != 0).all()]
