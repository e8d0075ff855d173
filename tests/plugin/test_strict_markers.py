import pytest

from pytest_xeonperf.shell.markers import MARKERS


def test_every_marker_is_registered(pytester):
    lines = "\n".join(f"@pytest.mark.{name}" for name in MARKERS)
    pytester.makepyfile(f"import pytest\n\n{lines}\ndef test_ordinary(): pass")
    pytester.runpytest_inprocess("--strict-markers").assert_outcomes(passed=1)


def test_a_marker_that_is_misspelt_is_an_error_of_pytest_s(pytester):
    pytester.makepyfile("import pytest\n\n@pytest.mark.min_speedupp(2)\ndef test_ordinary(): pass")
    result = pytester.runpytest_inprocess("--strict-markers")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*'min_speedupp' not found in `markers`*"])


@pytest.mark.parametrize("name", MARKERS)
def test_every_marker_says_what_it_takes_and_what_it_is_for(pytester, name):
    result = pytester.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines([f"@pytest.mark.{name}(*): *"])
