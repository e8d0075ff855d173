import os
import sqlite3

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.store.schema import REVISION_TABLE

SUITE = """
import pytest
from pytest_xeonperf import Workload

@pytest.fixture
def workload():
    return Workload(name="never-built", build=lambda: 1 / 0)

def test_bf16(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""


@pytest.fixture
def run_on(pytester):
    """Runs a measuring suite on a database that cannot be used: it ends before anything is measured."""
    pytester.makepyfile(SUITE)
    return lambda url: pytester.runpytest_inprocess("--xeonperf", f"--xeonperf-db={url}")


def _assert_refused(result, *words, code=ExitCode.USAGE):
    assert result.ret == code
    said = result.stderr.str() + result.stdout.str()
    assert all(word in said for word in words), said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said


def test_a_file_that_is_no_database_is_refused_by_name(run_on, pytester):
    path = pytester.path / "notes.txt"
    path.write_text("shopping list" * 100)
    _assert_refused(run_on(path), "notes.txt", "not a SQLite database", "what to do")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_database_is_refused(run_on, pytester):
    path = pytester.path / "mine.db"
    path.touch(mode=0o400)
    _assert_refused(run_on(path), "mine.db", "read-only")


def test_a_database_in_a_folder_that_is_not_there_is_refused(run_on, pytester):
    _assert_refused(run_on(pytester.path / "nowhere" / "x.db"), "nowhere", "does not exist")


def test_a_database_newer_than_the_code_is_refused_and_says_how_to_go_on(run_on, pytester):
    path = pytester.path / "newer.db"
    with sqlite3.connect(path) as newer:
        newer.execute(f"CREATE TABLE {REVISION_TABLE} (version_num TEXT)")
        newer.execute(f"INSERT INTO {REVISION_TABLE} VALUES ('9999')")  # noqa: S608 - our own name
    newer.close()
    _assert_refused(run_on(path), "9999", "upgrade")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "://"])
def test_a_url_that_cannot_be_meant_is_refused(run_on, url):
    _assert_refused(run_on(url))


def test_a_server_that_is_not_there_is_an_infrastructure_error(run_on):
    pytest.importorskip("psycopg")
    _assert_refused(run_on("postgresql://nobody@127.0.0.1:1/none"), "127.0.0.1", code=ExitCode.INFRASTRUCTURE)


def test_the_password_of_a_server_is_not_shown(run_on):
    pytest.importorskip("psycopg")
    result = run_on("postgresql://nobody:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in result.stdout.str() + result.stderr.str()
