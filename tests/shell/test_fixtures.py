"""What the fixtures give, without a session around them."""

import pytest
import torch
from torch import nn

from pytest_xeonperf.shell.fixtures import named_by_size
from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Workload

MODEL = Workload(name="sam-vit-b", build=nn.Identity)


@pytest.mark.parametrize("options", [{}, {"images": "/tmp/photographs"}])  # noqa: S108
def test_what_is_fed_leaves_the_name_as_it_is(options):
    assert named_by_size(MODEL, options) is MODEL


@pytest.mark.parametrize("size", [{}, {"batch": 4}])
def test_a_checkpoint_is_another_series_than_the_seeded_model(tmp_path, size):
    torch.save({}, tmp_path / "sam.pth")
    options = {"checkpoint": str(tmp_path / "sam.pth"), **size}
    named = named_by_size(catalog.load("sam-vit-b", Preset.QUICK, options), options)
    assert named.name == ("sam-vit-b:sam.pth(batch=4)" if size else "sam-vit-b:sam.pth")


def test_another_size_of_the_same_model_is_another_series():
    named = named_by_size(MODEL, {"steps": 3, "images": "/tmp/photographs", "batch": 4})  # noqa: S108
    assert named.name == "sam-vit-b(batch=4, steps=3)"
    assert (named.phases, named.attention) == (MODEL.phases, MODEL.attention)
