"""What the fixtures give, without a session around them."""

import pytest
from torch import nn

from pytest_xeonperf.shell.fixtures import named_by_size
from pytest_xeonperf.workloads.protocol import Workload

MODEL = Workload(name="sam-vit-b", build=nn.Identity)


@pytest.mark.parametrize("options", [{}, {"checkpoint": "/tmp/sam.pth"}, {"images": "/tmp/photographs"}])  # noqa: S108
def test_what_is_fed_leaves_the_name_as_it_is(options):
    assert named_by_size(MODEL, options) is MODEL


def test_another_size_of_the_same_model_is_another_series():
    named = named_by_size(MODEL, {"steps": 3, "images": "/tmp/photographs", "batch": 4})  # noqa: S108
    assert named.name == "sam-vit-b(batch=4, steps=3)"
    assert (named.phases, named.attention) == (MODEL.phases, MODEL.attention)
