import ctypes
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.store.schema import REVISION_TABLE

_PRCTL = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1

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


@pytest.fixture
def run_as_others(pytester, environment):
    """Runs the suite in a process that file permissions stop, whoever runs the tests."""

    def run_it(url):
        pytester.makepyfile(SUITE)
        command = [sys.executable, "-m", "pytest", "--xeonperf", f"--xeonperf-db={url}", "--xeonperf-report=off"]
        return subprocess.run(
            command,
            cwd=pytester.path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=_give_up_what_root_may,
        )

    return run_it


def _give_up_what_root_may():
    """Root loses the right to write where modes say no, with the next program that is started."""
    if os.geteuid() == 0 and _PRCTL(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "root cannot be stopped from writing here")


def test_a_history_that_is_read_only_is_refused_and_left_alone(run_as_others, make_history):
    path = Path(make_history("sqlite"))
    path.chmod(0o400)
    before = path.read_bytes()
    done = run_as_others(path)
    said = done.stdout + done.stderr
    assert done.returncode == ExitCode.USAGE, said
    assert f"{path.name}: the database is read-only" in said
    assert "what to do" in said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert path.read_bytes() == before


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
