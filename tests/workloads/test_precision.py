"""The mark on modules that keep their dtype."""

from torch import nn

from pytest_xeonperf.workloads.precision import keep_dtype, keeps_dtype


def test_only_a_marked_module_keeps_its_dtype_and_not_its_children():
    module = nn.Sequential(nn.Linear(1, 1))
    assert not keeps_dtype(module)
    keep_dtype(module)
    assert keeps_dtype(module)
    assert not keeps_dtype(module[0])
