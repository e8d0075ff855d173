import signal
import sys

import pytest

from pytest_xeonperf.host import child


def run(code, timeout_s=30.0, **environment):
    return child.run([sys.executable, "-c", code], environment, timeout_s)


def test_a_child_that_ends_well_has_no_complaint():
    ending = run("import os; print(os.environ['XEONPERF_WORD'])", XEONPERF_WORD="hello")
    assert (ending.complaint, ending.stdout) == ("", "hello\n")


@pytest.mark.parametrize("name", ["SIGILL", "SIGSEGV", "SIGKILL"])
def test_a_child_that_dies_of_a_signal_is_named_after_it(name):
    ending = run(f"import os; os.kill(os.getpid(), {int(signal.Signals[name])})")
    assert ending.signal_name == name
    assert ending.complaint == name


def test_a_child_that_fails_is_quoted_by_its_last_line():
    assert run("raise SystemExit('no such thing')").complaint == "no such thing"


def test_a_child_that_hangs_is_stopped():
    ending = run("import time; time.sleep(60)", timeout_s=0.2)
    assert ending.timed_out
    assert ending.complaint == "took too long"


def test_our_modules_run_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise RuntimeError('hidden by the working directory')", encoding="utf-8")
    ending = child.run_module("pytest_xeonperf", "--version", environment={}, timeout_s=60)
    assert "hidden" not in ending.stderr
    assert "No module named" not in ending.stderr
