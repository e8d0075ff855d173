import pytest

from pytest_xeonperf.errors import ExitCode


def test_the_child_measures_with_so_many_threads_on_as_many_cores_whatever_the_environment_says(plain_session):
    assert plain_session.code == ExitCode.OK, "the test looks at its own process"


def test_the_machine_of_the_run_has_so_many_threads(plain_session):
    assert plain_session.runs[-1].machine.threads == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_the_header_says_how_many(pytester, threads):
    pytester.makepyfile("def test_ordinary(): pass")
    result = pytester.runpytest_inprocess("--xeonperf", f"--xeonperf-threads={threads}")
    result.stdout.fnmatch_lines([f"xeonperf: *, {threads} threads"])
