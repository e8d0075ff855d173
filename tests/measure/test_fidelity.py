from collections import OrderedDict
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.modeling_outputs import BaseModelOutputWithPooling

from pytest_xeonperf.measure.fidelity import PERFECT_DB, generic_scores, keep, tensors_of

WORST = {"cosine": -1.0, "psnr_db": 0.0}


def _scores(reference, output):
    return {score.name: score.value for score in generic_scores(reference, output)}


@dataclass
class ForeignOutput:
    """As a model might return it: torch has never heard of this class."""

    hidden: torch.Tensor

    def to_tuple(self):
        return (self.hidden,)


def test_an_output_is_perfectly_like_itself():
    output = torch.linspace(-1, 1, 12).reshape(3, 4)  # [3, 4] fp32
    assert _scores(output, output) == {"cosine": pytest.approx(1.0), "psnr_db": PERFECT_DB}


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=8), st.floats(0.1, 10))
def test_the_cosine_does_not_see_a_scale_and_the_psnr_does(values, scale):
    reference = torch.tensor(values)
    found = _scores(reference, reference * scale)
    if float(reference.abs().max()) > 1e-3:
        assert found["cosine"] == pytest.approx(1.0, abs=1e-5)
    assert -1.0 <= found["cosine"] <= 1.0
    assert 0.0 <= found["psnr_db"] <= PERFECT_DB


def test_the_psnr_is_in_decibels_of_the_reference_s_peak():
    reference = torch.tensor([10.0, 0.0])
    assert _scores(reference, reference + 0.1)["psnr_db"] == pytest.approx(40.0, abs=0.01)


def test_a_sign_turned_round_is_the_opposite():
    reference = torch.tensor([1.0, -2.0, 3.0])
    assert _scores(reference, -reference)["cosine"] == pytest.approx(-1.0)


def test_bf16_is_close_to_fp32_and_the_fourth_digit_survives_a_million_elements():
    reference = torch.randn(1_000_000, generator=torch.Generator().manual_seed(1))
    found = _scores(reference, reference.bfloat16())
    assert 0.999990 < found["cosine"] < 0.999999


def test_the_worst_tensor_of_an_output_counts():
    good, bad = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert _scores((good, good), (good, bad))["cosine"] == pytest.approx(0.0)


@pytest.mark.parametrize(
    "output",
    [torch.ones(3), torch.ones(2, 1), (torch.ones(2), torch.ones(2)), (), "no tensor", torch.ones(2, dtype=torch.int)],
)
def test_another_shape_or_number_of_tensors_is_the_worst(output):
    assert _scores(torch.ones(2), output) == WORST


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_an_output_that_is_not_finite_is_the_worst(value):
    assert _scores(torch.ones(2), torch.tensor([1.0, value])) == WORST


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_reference_that_is_not_finite_proves_nothing(value):
    assert _scores(torch.tensor([1.0, value]), torch.ones(2)) == WORST


def test_a_reference_of_zeros_is_only_like_zeros():
    zeros = torch.zeros(3)
    assert _scores(zeros, zeros) == {"cosine": 1.0, "psnr_db": PERFECT_DB}
    assert _scores(zeros, torch.ones(3)) == {"cosine": 0.0, "psnr_db": 0.0}


@pytest.mark.parametrize(
    ("reference", "output", "equal"),
    [
        (torch.arange(4), torch.arange(4), True),
        (torch.arange(4), torch.arange(4) + 1, False),
        ((torch.arange(2), "text"), (torch.arange(2), "text"), True),
        ((torch.arange(2), "text"), (torch.arange(2), "another"), False),
        (torch.arange(2), torch.arange(3), False),
        (None, None, True),
        ({"a": 1}, {"a": 1}, True),
        (3, 4, False),
    ],
    ids=str,
)
def test_outputs_without_floating_point_tensors_are_alike_only_if_they_are_equal(reference, output, equal):
    assert _scores(reference, output) == ({"cosine": 1.0, "psnr_db": PERFECT_DB} if equal else WORST)


def test_tensors_are_found_in_tuples_dicts_and_lists_in_a_fixed_order():
    first, second, third = torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([3.0])
    nested = (first, {"b": [third], "a": second}, "text", 5, torch.arange(2))
    assert sorted(float(tensor) for tensor in tensors_of(nested)) == [1.0, 2.0, 3.0]
    assert [float(t) for t in tensors_of(OrderedDict(x=first, y=second))] == [1.0, 2.0]


def test_tensors_are_found_in_a_model_output():
    output = BaseModelOutputWithPooling(last_hidden_state=torch.ones(2), pooler_output=torch.zeros(1))
    assert [tensor.shape for tensor in tensors_of(output)] == [(2,), (1,)]
    assert _scores(output, output)["cosine"] == pytest.approx(1.0)


def test_tensors_are_found_in_an_output_class_that_torch_does_not_know():
    assert [float(t) for t in tensors_of(ForeignOutput(hidden=torch.tensor([4.0])))] == [4.0]


@pytest.mark.parametrize(
    "wrap",
    [lambda t: t, lambda t: (t, {"x": t}), lambda t: ForeignOutput(hidden=t)],
    ids=["tensor", "nested", "unknown class"],
)
def test_a_kept_output_survives_a_later_call_that_writes_into_its_buffer(wrap):
    buffer = torch.ones(3)
    kept = keep(wrap(buffer))
    buffer.zero_()
    assert all(bool((tensor == 1).all()) for tensor in tensors_of(kept))
