from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.store.batches import batches


@given(st.integers(0, 1600))
def test_every_value_is_in_one_batch_in_its_order_and_none_is_too_large(count):
    found = [list(each) for each in batches(range(count))]
    assert [value for each in found for value in each] == list(range(count))
    assert all(0 < len(each) <= 500 for each in found)
