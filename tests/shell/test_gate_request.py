"""What a gate is asked: arguments and imports as both trees have them."""

import sys

import pytest

from pytest_xeonperf.ci.checkout import Tree
from pytest_xeonperf.records import Commit
from pytest_xeonperf.shell.gate_request import Side, place_of, split, within

COMMIT = Commit(sha="a" * 40, branch="main", dirty=False, committed_at="2026-09-01T08:00:00+00:00", subject="One")


def tree(root):
    return Tree(root=root, directory=root, commit=COMMIT)


@pytest.fixture
def trees(tmp_path):
    for name in ("home", "base"):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "suites").mkdir()
        (tmp_path / name / "lib" / "models").mkdir(parents=True)
    return tmp_path / "home", tmp_path / "base"


def test_a_path_into_the_users_tree_is_the_same_path_in_both(trees):
    home, _base = trees
    given = (f"{home}/suites/test_a.py::test_x", "-k", "int4", "suites", "/elsewhere")
    assert within(given, home, home) == ("suites/test_a.py::test_x", "-k", "int4", "suites", "/elsewhere")
    assert within((f"{home}/suites",), home / "src", home) == ("../suites",)


def test_each_side_imports_its_own_tree_first(trees):
    home, base = trees
    place = place_of(Side.BASE, tree(base), "", tree(home))
    assert place.import_path == (str(base), str(base / "src"))
    assert place.python == sys.executable


def test_what_this_interpreter_imports_from_the_users_tree_comes_from_the_same_place_in_the_other(trees, monkeypatch):
    home, base = trees
    monkeypatch.syspath_prepend(home / "lib")
    place = place_of(Side.BASE, tree(base), "/opt/python", tree(home))
    assert place.import_path == (str(base), str(base / "src"), str(base / "lib"))
    assert place.python == "/opt/python"


def test_packages_of_an_editable_finder_are_found_too(trees, monkeypatch):
    home, base = trees
    finder = type("Finder", (), {"__module__": "_editable_finder_of_a_test"})
    module = type(sys)("_editable_finder_of_a_test")
    module.MAPPING = {"models": str(home / "lib" / "models")}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    assert str(base / "lib") in place_of(Side.BASE, tree(base), "", tree(home)).import_path


def test_suites_that_the_other_tree_lacks_are_told_from_those_it_has(trees):
    home, base = trees
    (home / "new").mkdir()
    assert split(("suites", "new", "-k", "x"), home, base) == (("suites", "-k", "x"), ("new",), True)
    assert split(("new", "-k", "suites"), home, base)[1:] == (("new",), False)  # the value of -k is no path
    assert split(("new",), home, base) == ((), ("new",), False)
    assert split((), home, base) == ((), (), True)
