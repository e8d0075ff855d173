"""A file is replaced in one step, or not at all."""

import pytest

from pytest_xeonperf.report.drafts import drafted


def test_a_file_is_what_it_was_until_all_is_written(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("old")
    with drafted(page) as draft:
        draft.write_text("new")
        assert page.read_text() == "old"
    assert (page.read_text(), list(tmp_path.iterdir())) == ("new", [page])


def test_what_fails_half_way_leaves_the_file_and_no_draft(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("old")
    with pytest.raises(UnicodeEncodeError), drafted(page) as draft:  # noqa: PT012 - it fails half way
        draft.write_text("half")
        draft.write_text("\ud800", encoding="utf-8")
    assert (page.read_text(), list(tmp_path.iterdir())) == ("old", [page])


def test_nothing_written_replaces_nothing(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("old")
    with drafted(page):
        pass
    assert page.read_text() == "old"
