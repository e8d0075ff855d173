import json
from array import array
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.report.columns import Figures, Words, pack_integers, unpack_integers


@given(st.lists(st.text(max_size=3), max_size=600), st.integers(0, 600))
def test_words_come_back_and_go_on_as_if_they_had_never_been_packed(words, cut):
    whole, first = Words(), Words()
    whole.add(words)
    first.add(words[:cut])
    back = Words.unpacked(json.loads(json.dumps(first.packed())), len(words[:cut]))
    back.add(words[cut:])
    assert back.packed() == whole.packed()
    assert [back[index] for index in range(len(back))] == words


def test_more_words_than_a_byte_can_number():
    column = Words()
    column.add([str(number) for number in range(257)])
    assert Words.unpacked(column.packed(), 257)[256] == "256"


@given(st.lists(st.floats(width=32), max_size=50))
def test_figures_come_back(values):
    column = Figures()
    column.add(values)
    back = Figures.unpacked(column.packed(), len(values))
    assert back.values.tobytes() == column.values.tobytes()
    assert all(isnan(found) == isnan(value) for found, value in zip(back.values, values, strict=True))


def test_a_figure_that_is_too_large_is_the_largest():
    column = Figures()
    column.add([1e300, -1e300, nan])
    assert column.values[0] == -column.values[1] == pytest.approx(3e38)


@pytest.mark.parametrize("spoilt", [[["a", "b"], "AAA="], [["a", "b"], "AAAF"], [["a", "b"], "?"], [[], ""], ["a"]])
def test_a_column_that_is_spoilt_is_an_error(spoilt):
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        Words.unpacked(spoilt, 3)


def test_numbers_come_back():
    numbers = array("I", [0, 1, 2**32 - 1])
    assert unpack_integers(pack_integers(numbers), 3) == numbers
    with pytest.raises(ValueError, match="not of 2"):
        unpack_integers(pack_integers(numbers), 2)
