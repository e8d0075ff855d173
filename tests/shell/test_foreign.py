"""A gate that compares a tree with itself is found out."""

import importlib
import json
import sys

import pytest

from pytest_xeonperf.shell import foreign
from pytest_xeonperf.shell.foreign import compiled_files, foreign_modules


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Imports a module of a name that nothing else has from a folder."""

    def load(folder, name="a_module_of_a_gate_test"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text("")
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
        return name

    return load


def test_code_of_the_other_tree_is_named_with_its_file(imported, tmp_path):
    name = imported(tmp_path / "other" / "lib")
    (found,) = foreign_modules(str(tmp_path / "own"), (str(tmp_path / "other"),), str(tmp_path / "home"))
    assert found == f"{name} from {tmp_path}/other/lib/{name}.py"


def test_code_of_the_own_tree_and_packages_in_an_environment_within_the_other_are_fine(imported, tmp_path):
    imported(tmp_path / "own")
    imported(tmp_path / "other" / ".venv" / "lib" / "site-packages", "another_module_of_a_gate_test")
    assert foreign_modules(str(tmp_path / "own"), (str(tmp_path / "other"),), str(tmp_path / "home")) == ()


def test_a_link_does_not_hide_where_code_is(imported, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    imported(tmp_path / "link" / "lib")
    assert len(foreign_modules(str(tmp_path / "own"), (str(tmp_path / "other"),), str(tmp_path / "home"))) == 1


@pytest.mark.parametrize(("origin", "copies"), [("home", 1), ("elsewhere", 0)])
def test_a_copy_that_pip_has_installed_out_of_the_users_tree_is_shared_by_both_sides(
    imported, tmp_path, origin, copies
):
    installed = tmp_path / "env" / "site-packages"
    name = imported(installed)
    about = installed / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "top_level.txt").write_text(name)
    (about / "direct_url.json").write_text(json.dumps({"url": f"file://{tmp_path / origin}", "dir_info": {}}))
    found = foreign_modules(str(tmp_path / "own"), (str(tmp_path / "other"),), str(tmp_path / "home"))
    assert len(found) == copies
    assert all("installed from" in each for each in found)


def test_sides_that_share_a_tree_have_nothing_foreign(imported, tmp_path):
    imported(tmp_path / "home")
    assert foreign_modules(str(tmp_path / "home"), (), str(tmp_path / "home")) == ()


def test_two_trees_beside_the_users_shall_not_import_that_one(imported, tmp_path):
    imported(tmp_path / "home")
    roots = (str(tmp_path / "other"), str(tmp_path / "home"))
    assert len(foreign_modules(str(tmp_path / "own"), roots, str(tmp_path / "home"))) == 1


def test_a_tree_within_the_users_is_its_own(imported, tmp_path):
    imported(tmp_path / "home" / "cache" / "own")
    own, home = str(tmp_path / "home" / "cache" / "own"), str(tmp_path / "home")
    assert foreign_modules(own, (home,), home) == ()


@pytest.fixture
def maps(tmp_path, monkeypatch):
    """Has this process map files, as far as the kernel says."""

    def write(*paths):
        lines = [f"7f00-7f01 r-xp 00000000 08:01 42    {path}\n" for path in paths]
        (tmp_path / "maps").write_text("".join(("7ffc-7ffd rw-p 00000000 00:00 0 \n", *lines)))
        monkeypatch.setattr(foreign, "_MAPS", tmp_path / "maps")

    return write


def test_compiled_code_of_the_tree_is_found_and_what_torch_compiles_there_is_none_of_it(maps, tmp_path, monkeypatch):
    own = tmp_path / "own"
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(own / "cache"))
    maps(own / "a b/fast.so", own / "a b/fast.so", own / "cache/x.so", own / "weights.bin", tmp_path / "owner/c.so")
    assert compiled_files(str(own)) == ("a b/fast.so",)


def test_this_process_maps_nothing_of_an_empty_tree(tmp_path):
    assert compiled_files(str(tmp_path)) == ()
