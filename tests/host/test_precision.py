import pytest

torch = pytest.importorskip("torch")

from pytest_xeonperf.host.precision import highest_fp32_precision  # noqa: E402 - torch may be missing


@pytest.fixture(autouse=True)
def _as_it_was():
    mkldnn = torch.backends.mkldnn
    yield
    torch.set_float32_matmul_precision("highest")
    for operation in (mkldnn.matmul, mkldnn.conv, mkldnn.rnn):
        operation.fp32_precision = "none"


def test_inside_fp32_is_fp32_and_torch_can_be_asked():
    torch.set_float32_matmul_precision("medium")
    with highest_fp32_precision():
        assert torch.get_float32_matmul_precision() == "highest"
        assert torch.backends.mkldnn.matmul.fp32_precision == "ieee"
        assert torch.backends.mkldnn.conv.fp32_precision == "ieee"


def test_what_the_user_had_set_is_put_back():
    torch.set_float32_matmul_precision("medium")
    torch.backends.mkldnn.conv.fp32_precision = "bf16"
    with pytest.raises(RuntimeError, match="in the middle"), highest_fp32_precision():
        raise RuntimeError("in the middle")
    assert torch.get_float32_matmul_precision() == "medium"
    assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
    assert torch.backends.mkldnn.conv.fp32_precision == "bf16"


def test_switches_that_disagree_are_put_back_too():
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    with highest_fp32_precision():
        assert torch.get_float32_matmul_precision() == "highest"
    assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
