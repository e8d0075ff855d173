from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.report import links


def test_an_ordinary_id_can_be_read_in_the_name_of_its_page():
    assert links.run_page("0196c4a0-0000-7000-8000-000000000001") == "run-0196c4a0-0000-7000-8000-000000000001.html"
    assert links.case_page("3f9a1c0b77de") == "case-3f9a1c0b77de.html"


@given(st.text())
def test_no_id_leads_out_of_the_folder_or_breaks_a_link(identity):
    for name in (links.run_page(identity), links.case_page(identity)):
        assert name.removesuffix(".html").replace("-", "").replace("_", "").isascii()
        assert not set(name) & set("/\\:%#?&\"'<> \x00")
        assert len(name) < 100


def test_ids_that_cannot_be_names_still_have_different_pages():
    assert links.run_page("../a") != links.run_page("../b")


def test_a_comparison_names_its_runs_however_they_are_called():
    assert links.comparison("a", "b&c=d") == "compare.html?base=a&head=b%26c%3Dd"


def test_a_trend_is_that_of_a_class_of_machines():
    assert links.trend_href("3f9a", "b935") == "case-3f9a.html#class-b935"
