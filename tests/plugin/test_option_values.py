import pytest

from pytest_xeonperf.shell.options import OPTIONS

BAD = {
    "preset": ("huge", ("smoke", "quick", "full")),
    "amx": ("maybe", ("auto", "repair", "cap", "off")),
    "threads": ("-2", ("whole number",)),
    "supervise": ("sometimes", ("on", "off")),
    "budget": ("0", ("positive number of seconds",)),
    "alpha": ("0.9", ("0.5",)),
    "pairs": ("40:6", ("6:40",)),
    "push": ("nonsense", ("https://perf.example",)),
    "processes": ("0", ("from 1",)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_on_the_command_line_names_the_option_and_the_valid_ones(pytester, name):
    value, valid = BAD[name]
    result = pytester.runpytest_inprocess(f"--xeonperf-{name}={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str()
    assert f"--xeonperf-{name}: {value!r}" in said
    assert all(word in said for word in valid)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_in_the_environment_names_the_variable(pytester, monkeypatch, name):
    value, valid = BAD[name]
    monkeypatch.setenv(f"XEONPERF_{name.upper()}", value)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"XEONPERF_{name.upper()}: {value!r}" in result.stderr.str()
    assert all(word in result.stderr.str() for word in valid)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_in_the_ini_file_names_the_key(pytester, name):
    value, valid = BAD[name]
    pytester.makeini(f"[pytest]\nxeonperf_{name} = {value}\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ini key xeonperf_{name}: {value!r}" in result.stderr.str()
    assert all(word in result.stderr.str() for word in valid)


def test_every_option_with_a_closed_set_of_values_is_tried_above():
    assert {option.name for option in OPTIONS} - set(BAD) == {"db", "report", "release"}


def test_a_line_of_weights_that_is_none_is_refused(pytester):
    pytester.makeini("[pytest]\nxeonperf_weights =\n    sam-vit-b\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*xeonperf_weights: 'sam-vit-b' is not of the form `workload = path`*"])


def test_a_number_in_a_toml_file_is_written_as_text_and_pytest_says_so(pytester):
    pytester.makepyprojecttoml("[tool.pytest]\nxeonperf_threads = 2\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'xeonperf_threads' expects a string*"])
    pytester.makepyprojecttoml('[tool.pytest]\nxeonperf_threads = "2"\n')
    assert pytester.runpytest_inprocess().ret == pytest.ExitCode.NO_TESTS_COLLECTED
