"""All mistakes are made in one session: a complaint costs a second, and all are made at once."""

import re

import pytest

WORKLOAD = '@pytest.mark.workload("sam-vit-b", phase="encode")\n'
IN_MARKERS = [
    ("min_speedup()", ["missing", "'ratio'", "min_speedup(ratio, over="]),
    ("min_speedup(2, ovr='eager_fp32')", ["'ovr'", "over="]),
    ("min_speedup('3.8')", ["'3.8' is not a number"]),
    ("min_speedup(-1)", ["-1.0 is not a positive number"]),
    ("min_speedup(2, over='eagr')", ["unknown variant 'eagr'", "eager_fp32", "woq_int4"]),
    ("min_speedup(2, isa='amx')", ["isa='amx'", "amx_bf16", "avx512", "generic"]),
    ("min_speedup(2, metric='speed')", ["metric='speed'", "latency"]),
    ("max_speedup('20')", ["'20' is not a number"]),
    ("max_speedup(2, over='eagr')", ["unknown variant 'eagr'", "eager_fp32", "woq_int4"]),
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
    ("uses_kernel('a', isa='amx')", ["isa='amx'", "amx_bf16"]),
    ("only_isa()", ["takes one or more ISAs"]),
    ("only_isa('amx')", ["isa='amx'", "amx_bf16", "avx512"]),
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
    ("variant(dtype='bf16', isa='amx')", ["isa='amx'", "amx_bf16", "avx512"]),
    ("variant(woq='int8', dtype='fp32', isa='amx_bf16')", ["fp32", "bf16"]),
    ("variant('bf16')", ["variant(dtype=, attention="]),
]
IN_WORKLOADS = [
    ("workload('sam-vit-x', phase='encode')", ["unknown workload 'sam-vit-x'", "sam-vit-b", "sdxl", "override"]),
    ("workload('sam-vit-b', phase='prefill')", ["unknown phase 'prefill'", "encode, decode"]),
    ("workload('sam-vit-b')", ["no phase of sam-vit-b", "encode, decode"]),
    ("workload('sam-vit-b', phase='encode', preset='huge')", ["preset='huge'", "smoke, quick, full"]),
    ("workload('sam-vit-b', phase='encode', weights='x')", ["no option 'weights'", "checkpoint, images, batch"]),
    ("workload('sam-vit-b', 'encode')", ["workload(name, phase="]),
    ("workload(7, phase='encode')", ["7"]),
    ("max_graph_breaks(0)", ["no workload", "define a fixture called workload"]),
]
IN_FIXTURES = [
    (WORKLOAD, "eager_fp32", "eager_fp32 over itself"),
    (WORKLOAD, "variant", "needs @pytest.mark.variant"),
    (f"{WORKLOAD}@pytest.mark.variant(dtype='bf16')\n", "eager_bf16", "without the fixture variant"),
    (WORKLOAD, "compiled_bf61", "unknown fixture 'compiled_bf61'\n  what to do: variants are eager_fp32, eager_bf16"),
]


def _test(name, decorators, fixture):
    return f"{decorators}def {name}(xeonperf, {fixture}):\n    xeonperf.check({fixture})\n\n"


def _fixture(decorator):
    return "variant" if decorator.startswith("variant") else "eager_bf16"


@pytest.fixture(scope="module")
def session(suite, run):
    """One session that collects every mistake."""
    tests = ["import pytest\n\n"]
    for place, (decorator, _) in enumerate(IN_MARKERS):
        tests.append(_test(f"test_marker_{place}", f"{WORKLOAD}@pytest.mark.{decorator}\n", _fixture(decorator)))
    for place, (decorator, _) in enumerate(IN_WORKLOADS):
        tests.append(_test(f"test_workload_{place}", f"@pytest.mark.{decorator}\n", "eager_bf16"))
    for place, (decorators, fixture, _) in enumerate(IN_FIXTURES):
        tests.append(_test(f"test_fixture_{place}", decorators, fixture))
    return run(suite({"test_bad.py": "".join(tests)}, conftest=""), "--collect-only")


@pytest.fixture(scope="module")
def complaints(session):
    """What was said about each test, by its name."""
    parts = re.split(r"test_bad\.py::(\w+): ", session.out)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_mistakes_are_a_usage_error_and_no_traceback(session):
    assert session.code == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in session.out
    assert "INTERNALERROR" not in session.out


def test_no_database_is_made_for_a_suite_that_cannot_be_meant(session):
    assert not list(session.folder.glob("*.db"))


@pytest.mark.parametrize("place", range(len(IN_MARKERS)), ids=[decorator for decorator, _ in IN_MARKERS])
def test_what_a_marker_cannot_mean_is_said_with_what_it_can(complaints, place):
    decorator, words = IN_MARKERS[place]
    said = complaints[f"test_marker_{place}"]
    assert all(word in said for word in words), said
    assert f"marker {decorator.partition('(')[0]}" in said or "variant" in said


@pytest.mark.parametrize("place", range(len(IN_WORKLOADS)), ids=[decorator for decorator, _ in IN_WORKLOADS])
def test_a_workload_that_cannot_be_meant_is_said_with_those_there_are(complaints, place):
    said = complaints[f"test_workload_{place}"]
    assert all(word in said for word in IN_WORKLOADS[place][1]), said


@pytest.mark.parametrize("place", range(len(IN_FIXTURES)), ids=[words for _, _, words in IN_FIXTURES])
def test_fixtures_that_do_not_go_with_the_markers_are_said(complaints, place):
    assert IN_FIXTURES[place][2] in complaints[f"test_fixture_{place}"]


def test_without_xeonperf_a_test_that_is_only_skipped_is_not_checked(pytester):
    pytester.makepyfile("import pytest\n\n" + _test("test_it", "@pytest.mark.min_speedup()\n", "eager_bf16"))
    pytester.runpytest_inprocess().assert_outcomes(skipped=1)
