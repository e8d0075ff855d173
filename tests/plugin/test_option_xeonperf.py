import pytest

SUITE = """
import pytest

@pytest.mark.min_speedup(1.5)
def test_measures(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

def test_ordinary():
    assert True
"""


def test_without_it_perf_tests_are_skipped_with_a_reason_and_ordinary_ones_run(pytester):
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*measures performance: run with --xeonperf"])
    assert result.ret == pytest.ExitCode.OK


def test_without_it_nothing_is_written_and_the_session_looks_as_always(pytester):
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess()
    result.stdout.no_fnmatch_line("*xeonperf:*")
    assert not list(pytester.path.glob("*.db"))
    assert not (pytester.path / "reports").exists()


def test_the_environment_can_switch_it_on_and_zero_leaves_it_off(pytester, monkeypatch):
    pytester.makepyfile(SUITE.replace("1.5", "-1"))
    monkeypatch.setenv("XEONPERF", "1")
    assert pytester.runpytest_inprocess().ret == pytest.ExitCode.USAGE_ERROR
    monkeypatch.setenv("XEONPERF", "0")
    pytester.runpytest_inprocess().assert_outcomes(passed=1, skipped=1)


def test_a_suite_of_ordinary_tests_runs_as_always_with_it(pytester):
    pytester.makepyfile("def test_ordinary(tmp_path): assert tmp_path.exists()")
    result = pytester.runpytest_inprocess("--xeonperf", "--xeonperf-report=off")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
    assert not list(pytester.path.glob("*.db"))


@pytest.mark.parametrize("arguments", [("--help",), ("--markers",), ("--fixtures", "-v")])
def test_help_says_what_there_is(pytester, arguments):
    result = pytester.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.OK
    shown = result.stdout.str()
    expected = {
        "--help": ("--xeonperf-preset=PRESET", "--xeonperf-resume", "xeonperf_budget"),
        "--markers": ("@pytest.mark.min_speedup(ratio, over=", "@pytest.mark.uses_kernel("),
        "--fixtures": ("compiled_bf16", "A handle on the variant woq_int4", "Override it to bring your own"),
    }
    assert all(text in shown for text in expected[arguments[0]])
