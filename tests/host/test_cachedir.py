import os

import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host import cachedir


def test_the_cache_is_where_xdg_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cachedir.cache_dir("probe")
    assert folder == tmp_path / "xeonperf/probe"
    assert folder.is_dir()


def test_without_a_usable_home_there_is_a_private_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(cachedir.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = cachedir.cache_dir("shim")
    assert folder == tmp_path / f"xeonperf-{os.getuid()}/shim"
    assert (folder.parent.stat().st_mode & 0o077) == 0


def test_a_folder_that_somebody_else_made_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(cachedir.tempfile, "gettempdir", lambda: str(tmp_path))
    stranger = os.getuid() + 1
    (tmp_path / f"xeonperf-{stranger}").mkdir()
    monkeypatch.setattr(cachedir.os, "getuid", lambda: stranger)
    with pytest.raises(InfrastructureError, match="another user"):
        cachedir.cache_dir("shim")


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path):
    cachedir.write_atomically(tmp_path / "facts", b"one")
    cachedir.write_atomically(tmp_path / "facts", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["facts"]
    assert (tmp_path / "facts").read_bytes() == b"two"
