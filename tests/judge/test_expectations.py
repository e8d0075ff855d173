from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.judge.expectations import DEFAULT_FIDELITY, FIDELITY_NAMES, Promises, Threshold, threshold_here
from pytest_xeonperf.records import Isa, Unknown

ISAS = st.sampled_from(list(Isa))


@given(st.lists(ISAS, min_size=1), ISAS)
def test_the_floor_of_the_most_capable_instruction_set_that_is_usable_applies(given_for, usable):
    floors = tuple(Threshold(ratio=1.0 + place, isa=isa) for place, isa in enumerate(given_for))
    found = threshold_here(floors, usable)
    within_reach = [isa for isa in given_for if isa.rank <= usable.rank]
    if within_reach:
        assert found.isa is max(within_reach, key=lambda isa: isa.rank)
    else:
        assert isinstance(found, Unknown)


def test_of_two_floors_for_one_instruction_set_the_one_given_first_applies():
    closest, farther = Threshold(ratio=2.0), Threshold(ratio=3.0)
    assert threshold_here((closest, farther), Isa.AMX_BF16) is closest


def test_where_no_floor_applies_the_reason_names_what_they_are_given_for_and_what_is_usable():
    found = threshold_here(
        (Threshold(ratio=2.0, isa=Isa.AMX_BF16), Threshold(ratio=1.5, isa=Isa.AVX512_BF16)), Isa.AVX2
    )
    assert found == Unknown(reason="promised for amx_bf16, avx512_bf16; usable here is avx2")


def test_no_floor_at_all_is_said():
    assert threshold_here((), Isa.AMX_BF16) == Unknown(reason="no floor given")


@pytest.mark.parametrize("ratio", [0, -1.5, nan, inf])
def test_a_floor_that_is_no_ratio_is_refused(ratio):
    with pytest.raises(UsageError, match=r"is not a positive number"):
        Threshold(ratio=ratio)


def test_an_unknown_figure_of_fidelity_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refused:
        Promises(fidelity=(("cosin", 0.9),))
    assert all(name in str(refused.value) for name in ("cosin", *FIDELITY_NAMES))


@pytest.mark.parametrize("bound", [nan, inf])
def test_a_bound_that_is_no_number_is_refused(bound):
    with pytest.raises(UsageError, match="cosine="):
        Promises(fidelity=(("cosine", bound),))


def test_a_test_that_says_nothing_still_promises_a_cosine():
    assert Promises().fidelity == DEFAULT_FIDELITY
