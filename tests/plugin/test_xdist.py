import pytest

pytest.importorskip("xdist")

SUITE = "def test_ordinary(): pass"


@pytest.mark.parametrize("arguments", [("-n4",), ("-n1",), ("--tx=popen", "--dist=load")], ids=" ".join)
def test_workers_are_a_usage_error_before_any_is_started(pytester, arguments):
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("--xeonperf", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*xdist's workers would share the cores it measures with; use -n0*"])
    result.stdout.no_fnmatch_line("*gw0*")


@pytest.mark.parametrize("arguments", [("-n0",), ("-p", "no:xdist")], ids=" ".join)
def test_without_workers_all_is_well(pytester, arguments):
    pytester.makepyfile(SUITE)
    pytester.runpytest_inprocess("--xeonperf", *arguments).assert_outcomes(passed=1)


def test_without_xeonperf_workers_are_fine_and_skip_what_measures(pytester):
    pytester.makepyfile("def test_measures(xeonperf, eager_bf16): xeonperf.check(eager_bf16)\ndef test_plain(): pass")
    pytester.runpytest_subprocess("-n2").assert_outcomes(passed=1, skipped=1)
