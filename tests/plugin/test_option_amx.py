import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.host.amx import AmxMode, decide
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.probe import probe
from pytest_xeonperf.records import Measurement

SUITE = "def test_ordinary(): pass"
MEASURES = """
def test_bf16(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""
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


@pytest.mark.parametrize("mode", [AmxMode.CAP, AmxMode.REPAIR])
def test_a_case_is_measured_in_that_mode_and_the_history_knows_it(suite, run, mode):
    if mode is AmxMode.REPAIR and not (probe().plain.used_amx or probe().repaired.used_amx):
        pytest.skip("this machine has no AMX that works, repaired or not")
    session = run(suite({"test_it.py": MEASURES}), f"--xeonperf-amx={mode}")
    assert session.code == ExitCode.OK
    assert isinstance(session.results["test_bf16"].measurement, Measurement)
    assert session.runs[-1].machine.amx.remedy is decide(mode, probe()).remedy
    assert dict(session.runs[-1].options)["amx"] == mode
