import pytest

from pytest_xeonperf.host.cpu import read_cpu

SUITE = "def test_ordinary(): pass"
HAS_AMX = "amx_bf16" in read_cpu().flags


@pytest.mark.skipif(HAS_AMX, reason="this machine has AMX")
def test_a_repair_of_what_is_not_there_is_a_usage_error(pytester):
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("--xeonperf", "--xeonperf-amx=repair")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--xeonperf-amx=repair cannot work: this processor does not advertise AMX*"])


@pytest.mark.parametrize("mode", ["auto", "cap", "off"])
def test_every_other_mode_works_on_every_machine(pytester, mode):
    pytester.makepyfile(SUITE)
    pytester.runpytest_inprocess("--xeonperf", f"--xeonperf-amx={mode}").assert_outcomes(passed=1)


@pytest.mark.skipif(not HAS_AMX, reason="this machine has no AMX")
def test_without_amx_the_header_says_so(pytester):
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("--xeonperf", "--xeonperf-amx=off")
    result.stdout.fnmatch_lines(["xeonperf: *, avx512*(AMX: cap), *"])
