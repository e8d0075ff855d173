import pytest

MARKED = """
import pytest

{decorators}
def test_it(xeonperf, {fixture}):
    xeonperf.check({fixture})
"""
WORKLOAD = '@pytest.mark.workload("sam-vit-b", phase="encode")\n'


@pytest.fixture
def collect(pytester):
    """Collects one test with these decorators; a complaint costs a second, and nothing is measured."""

    def run(decorators, fixture="eager_bf16"):
        pytester.makepyfile(MARKED.format(decorators=decorators, fixture=fixture))
        return pytester.runpytest_inprocess("--xeonperf", "--collect-only")

    return run


@pytest.mark.parametrize(
    ("decorator", "words"),
    [
        ("min_speedup()", ["missing", "'ratio'", "min_speedup(ratio, over="]),
        ("min_speedup(2, ovr='eager_fp32')", ["'ovr'", "over="]),
        ("min_speedup('3.8')", ["'3.8' is not a number"]),
        ("min_speedup(-1)", ["-1.0 is not a positive number"]),
        ("min_speedup(2, over='eagr')", ["unknown variant 'eagr'", "eager_fp32", "woq_int4"]),
        ("min_speedup(2, isa='amx')", ["isa='amx'", "amx_bf16", "avx512", "generic"]),
        ("min_speedup(2, metric='speed')", ["metric='speed'", "latency"]),
        ("max_latency()", ["ns=", "us=", "ms=", "s="]),
        ("max_latency(5)", ["max_latency(ms=)"]),
        ("max_latency(minutes=5)", ["minutes", "ms="]),
        ("max_latency(ms=1, s=1)", ["exactly one of"]),
        ("max_latency(ms=0)", ["ms=0 is not positive"]),
        ("max_latency(ms=float('nan'))", ["ms=nan"]),
        ("max_memory(gb=3)", ["gb", "gib="]),
        ("max_memory(gib='2')", ["gib='2' is not a number"]),
        ("min_fidelity()", ["no figure given", "cosine=0.99"]),
        ("min_fidelity(cosin=0.9)", ["'cosin'", "cosine", "psnr_db", "top1", "kl", "iou"]),
        ("min_fidelity(0.9)", ["min_fidelity(cosine=0.99)"]),
        ("max_graph_breaks(-1)", ["-1 is not a count"]),
        ("max_graph_breaks(1.5)", ["1.5 is not a count"]),
        ("max_graph_breaks()", ["max_graph_breaks(n)"]),
        ("max_recompiles(True)", ["True is not a count"]),
        ("max_recompiles(1, 2)", ["max_recompiles(n)"]),
        ("uses_kernel()", ["names of operators"]),
        ("uses_kernel(5)", ["names of operators"]),
        ("min_roofline(2)", ["2 is not a share"]),
        ("min_roofline('half')", ["not a number"]),
        ("min_roofline(share=0.5)", ["min_roofline(fraction)"]),
        ("variant(dtyp='bf16')", ["'dtyp'", "dtype", "attention", "compile", "woq", "group_size"]),
        ("variant(dtype='fp16')", ["dtype='fp16'", "fp32", "bf16"]),
        ("variant(attention='flash')", ["attention='flash'", "plain", "sdpa"]),
        ("variant(woq='int2')", ["woq='int2'", "int8", "int4"]),
        ("variant(woq='int4', group_size=48)", ["48", "32, 64, 128"]),
        ("variant(compile='yes')", ["compile='yes'"]),
        ("variant(woq='int8', dtype='fp32')", ["fp32", "bf16"]),
        ("variant('bf16')", ["variant(dtype=, attention="]),
    ],
)
def test_what_a_marker_cannot_mean_is_an_error_at_collection_that_names_what_it_can(collect, decorator, words):
    fixture = "variant" if decorator.startswith("variant") else "eager_bf16"
    result = collect(f"{WORKLOAD}@pytest.mark.{decorator}", fixture)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str()
    assert all(word in said for word in words), said
    assert f"marker {decorator.partition('(')[0]}" in said or "variant" in said
    assert "::test_it" in said


@pytest.mark.parametrize(
    ("decorator", "words"),
    [
        ("workload('sam-vit-x', phase='encode')", ["unknown workload 'sam-vit-x'", "sam-vit-b", "sdxl", "override"]),
        ("workload('sam-vit-b', phase='prefill')", ["unknown phase 'prefill'", "encode, decode"]),
        ("workload('sam-vit-b')", ["no phase of sam-vit-b", "encode, decode"]),
        ("workload('sam-vit-b', phase='encode', preset='huge')", ["preset='huge'", "smoke, quick, full"]),
        ("workload('sam-vit-b', phase='encode', weights='x')", ["no option 'weights'", "checkpoint, images, batch"]),
        ("workload('sam-vit-b', 'encode')", ["workload(name, phase="]),
        ("workload(7, phase='encode')", ["7"]),
        ("max_graph_breaks(0)", ["no workload", "define a fixture called workload"]),
    ],
)
def test_a_workload_that_cannot_be_meant_is_an_error_at_collection(collect, decorator, words):
    result = collect(f"@pytest.mark.{decorator}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert all(word in result.stderr.str() for word in words), result.stderr.str()


def test_a_variant_over_itself_is_an_error(collect):
    result = collect(WORKLOAD, "eager_fp32")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*eager_fp32 over itself*"])


def test_the_fixture_variant_without_its_marker_and_the_marker_without_the_fixture_are_errors(collect):
    without_marker = collect(WORKLOAD, "variant")
    without_marker.stderr.fnmatch_lines(["*needs @pytest.mark.variant*"])
    without_fixture = collect(f"{WORKLOAD}@pytest.mark.variant(dtype='bf16')", "eager_bf16")
    without_fixture.stderr.fnmatch_lines(["*without the fixture variant*"])
    assert without_marker.ret == without_fixture.ret == pytest.ExitCode.USAGE_ERROR


def test_all_complaints_are_made_at_once(pytester):
    bad = MARKED.format(decorators="@pytest.mark.min_speedup()", fixture="eager_bf16")
    pytester.makepyfile(test_one=bad, test_two=bad)
    result = pytester.runpytest_inprocess("--xeonperf", "--collect-only")
    assert all(f"{name}.py::test_it" in result.stderr.str() for name in ("test_one", "test_two"))


def test_a_complaint_is_no_traceback(collect):
    result = collect("@pytest.mark.min_speedup()")
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_the_database_is_not_even_made(collect, pytester):
    collect("@pytest.mark.min_speedup()")
    assert not list(pytester.path.glob("*.db"))


def test_without_xeonperf_a_test_that_is_only_skipped_is_not_checked(pytester):
    pytester.makepyfile(MARKED.format(decorators="@pytest.mark.min_speedup()", fixture="eager_bf16"))
    pytester.runpytest_inprocess().assert_outcomes(skipped=1)
