"""Sessions on processors that are not here: a suite's conftest says what they advertise."""

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Isa, Measurement, Outcome, Remedy

SUITE = """
import pytest

@pytest.mark.min_speedup(1.5)
def test_bf16(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.variant(dtype="fp32")
@pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
def test_by_isa(xeonperf, variant):
    xeonperf.check(variant)

@pytest.mark.only_isa("avx2", "avx512")
@pytest.mark.variant(dtype="fp32", attention="plain", channels_last=True)
def test_only_without(xeonperf, variant):
    xeonperf.check(variant)
"""

SAYS = """
from pytest_xeonperf.host.probe import Finish, Probe, Trial
from pytest_xeonperf.records import Isa
from pytest_xeonperf.shell import begin

_NOT_TRIED = Trial(finish=Finish.NOT_TRIED, detail="")
_WORKED = Trial(
    finish=Finish.WORKED, detail="", kernels=("matmul:brg_matmul:avx512_core_bf16",), bf16_over_fp32=2.0
)
_DIED = Trial(finish=Finish.DIED, detail="SIGILL")
_PROBES = {
    "avx2": Probe(
        advertised=Isa.AVX2, plain=_NOT_TRIED, repaired=_NOT_TRIED, capped=_NOT_TRIED, inductor=_NOT_TRIED
    ),
    "slow_bf16": Probe(
        advertised=Isa.AVX512_BF16, plain=Trial(finish=Finish.WORKED, detail="", bf16_over_fp32=0.5),
        repaired=_NOT_TRIED, capped=_NOT_TRIED, inductor=_NOT_TRIED
    ),
    "broken_amx": Probe(advertised=Isa.AMX_BF16, plain=_DIED, repaired=_DIED, capped=_WORKED, inductor=_NOT_TRIED),
}
begin.probe = lambda: _PROBES["WHICH"]
"""


@pytest.fixture(scope="module")
def on(suite, run):
    """Runs the suite on a processor of that kind."""

    def run_on(which, *arguments, **changes):
        folder = suite({"test_it.py": SUITE})
        conftest = folder / "conftest.py"
        conftest.write_text(conftest.read_text(encoding="utf-8") + SAYS.replace("WHICH", which), encoding="utf-8")
        return run(folder, *arguments, **changes)

    return run_on


def test_without_avx512_a_floor_is_undecided_and_says_what_is_missing(on):
    base = ("--xeonperf", "--xeonperf-threads=1", "--xeonperf-report=off")
    session = on("avx2", "--xeonperf-supervise=off", "--xeonperf-preset=quick", base=base)
    assert session.code == ExitCode.UNDECIDED
    verdict = session.results["test_bf16"].verdict
    assert verdict.outcome is Outcome.OTHER_MACHINE
    assert verdict.reason == "BF16 is emulated without AVX-512; usable here is avx2"
    assert session.runs[-1].machine.isa is Isa.AVX2
    session.lines.fnmatch_lines(["xeonperf: *, avx2, 1 threads", "*OTHER_MACHINE*", "*usable here is avx2*"])


@pytest.mark.parametrize(
    ("which", "isa", "variants"),
    [
        ("slow_bf16", Isa.AVX512, {"test_by_isa": "fp32-sdpa", "test_only_without": "fp32-plain-nhwc"}),
        ("broken_amx", Isa.AVX512_BF16, {"test_by_isa": "bf16-sdpa"}),
    ],
)
def test_a_recipe_is_that_of_the_usable_instruction_set(on, which, isa, variants):
    session = on(which, "-k", "test_by_isa or test_only_without", "-rs")
    assert session.code == ExitCode.OK
    assert session.runs[-1].machine.isa is isa
    assert {name: result.case.variant for name, result in session.results.items()} == variants
    if "test_only_without" not in variants:
        session.lines.fnmatch_lines(["SKIPPED*only for avx2, avx512; usable here is avx512_bf16"])


def test_amx_that_kills_is_capped_for_the_measurement_and_the_history_knows_it(on):
    session = on("broken_amx", "--xeonperf-amx=cap")
    run = session.runs[-1]
    assert session.code == ExitCode.OK
    assert isinstance(session.results["test_bf16"].measurement, Measurement)
    assert run.machine.amx.remedy is Remedy.CAP
    assert dict(run.machine.facts)["env.ONEDNN_MAX_CPU_ISA"] == "AVX512_CORE_FP16"
    assert dict(run.options)["amx"] == "cap"
