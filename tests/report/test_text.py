import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.report.text import LONGEST, legible


def test_ordinary_text_is_left_alone():
    assert legible("aten::mm, K = 4096\n→ ok é 漢字") == "aten::mm, K = 4096\n→ ok é 漢字"


def test_a_character_that_turns_the_direction_of_writing_is_spelled_out():
    assert legible("gpj.\u202eexe") == "gpj.\\u202eexe"


def test_half_a_surrogate_pair_can_be_written_as_utf_8():
    assert legible("\ud800").encode() == b"\\ud800"


def test_a_megabyte_of_name_says_how_long_it_is_instead():
    assert legible("x" * 1_000_000).endswith("… (1000000 characters)")


@given(st.text(alphabet=st.characters(), max_size=LONGEST))
def test_whatever_comes_out_can_be_written_and_holds_no_control_character(text):
    shown = legible(text)
    shown.encode()
    json.dumps(shown)
    assert all(character in "\t\n" or ord(character) >= 32 for character in shown)
