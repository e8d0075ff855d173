import pytest
import torch
from torch import nn

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.weighing import Scale
from pytest_xeonperf.workloads.protocol import Inputs, Workload

WORKLOAD = Workload(name="tiny", build=lambda: nn.Linear(8, 8), inputs=lambda: Inputs(args=(torch.ones(1, 8),)))


def test_the_variant_that_was_asked_for_is_run_and_weighed_and_the_test_left(make_rung):
    scale = Scale(variant="eager_bf16")
    with pytest.raises(pytest.skip.Exception):
        scale.result(make_rung("eager_bf16"), WORKLOAD)
    assert isinstance(scale.peak_rss_bytes, int)
    assert scale.peak_rss_bytes > 10 << 20  # torch alone is more


def test_other_variants_are_passed_over(make_rung):
    scale = Scale(variant="eager_bf16")
    with pytest.raises(pytest.skip.Exception):
        scale.result(make_rung("sdpa_bf16"), WORKLOAD)
    assert isinstance(scale.peak_rss_bytes, Unknown)


def test_callables_are_not_weighed():
    scale = Scale(variant="candidate")
    with pytest.raises(pytest.skip.Exception):
        scale.compare()
    assert isinstance(scale.peak_rss_bytes, Unknown)
