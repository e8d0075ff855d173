import pytest

from pytest_xeonperf.judge.expectations import DEFAULT_FIDELITY, Threshold
from pytest_xeonperf.records import Isa
from pytest_xeonperf.shell.markers import MARKERS, check, promises_of, variants_of
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.variants.spec import Variant


@pytest.mark.parametrize(
    ("mark", "value"),
    [
        (pytest.mark.min_speedup(2), Threshold(ratio=2.0)),
        (pytest.mark.max_speedup(9, over="eager_bf16"), Threshold(ratio=9.0, over="eager_bf16")),
        (
            pytest.mark.min_speedup(2.5, over="eager_bf16", metric="latency", isa="amx_bf16"),
            Threshold(ratio=2.5, over="eager_bf16", isa=Isa.AMX_BF16),
        ),
        (pytest.mark.max_latency(ms=1.5), 1_500_000),
        (pytest.mark.max_latency(s=2), 2_000_000_000),
        (pytest.mark.max_latency(us=3), 3_000),
        (pytest.mark.max_latency(ns=7), 7),
        (pytest.mark.max_memory(gib=2), 2 << 30),
        (pytest.mark.max_memory(mib=3), 3 << 20),
        (pytest.mark.max_memory(bytes=5), 5),
        (pytest.mark.min_fidelity(cosine=0.99, psnr_db=40), (("cosine", 0.99), ("psnr_db", 40.0))),
        (pytest.mark.max_graph_breaks(0), 0),
        (pytest.mark.max_recompiles(3), 3),
        (pytest.mark.uses_kernel("a", "b"), ("a", "b")),
        (pytest.mark.min_roofline(0.5), 0.5),
        (pytest.mark.only_isa("avx512", "avx512_bf16"), {Isa.AVX512, Isa.AVX512_BF16}),
        (pytest.mark.workload("sam-vit-b", phase="encode", preset="smoke", batch=2), None),
        (pytest.mark.variant(dtype="bf16", attention="sdpa", compile=True, woq="int4", group_size=32), None),
    ],
    ids=lambda value: str(getattr(value, "mark", ""))[:60],
)
def test_a_marker_comes_to_what_it_says(mark, value):
    assert check(mark.mark) == value


def test_every_marker_is_tried_above():
    tried = next(mark for mark in test_a_marker_comes_to_what_it_says.pytestmark if mark.name == "parametrize")
    assert {case[0].mark.name for case in tried.args[1]} == set(MARKERS)


def test_a_test_without_markers_promises_the_default_fidelity_and_no_recompiles(marked):
    promises = promises_of(marked(), "eager_fp32")
    assert (promises.floors, promises.fidelity, promises.max_recompiles) == ((), DEFAULT_FIDELITY, 0)
    assert promises.max_latency_ns == promises.max_memory_bytes == promises.max_graph_breaks == float("inf")


def test_the_marker_closest_to_the_test_wins(marked):
    item = marked("@pytest.mark.max_latency(ms=1)", "@pytest.mark.max_latency(ms=9)\n@pytest.mark.max_graph_breaks(2)")
    promises = promises_of(item, "eager_fp32")
    assert (promises.max_latency_ns, promises.max_graph_breaks) == (1_000_000, 2)


def test_kernels_of_class_and_test_are_all_promised(marked):
    item = marked("@pytest.mark.uses_kernel('a')", "@pytest.mark.uses_kernel('b', 'c')")
    assert set(promises_of(item, "eager_fp32").kernels) == {"a", "b", "c"}


def test_floors_are_those_over_the_asked_baseline_closest_first(marked):
    item = marked(
        "@pytest.mark.min_speedup(2)\n@pytest.mark.min_speedup(4, over='eager_bf16')", "@pytest.mark.min_speedup(9)"
    )
    assert [floor.ratio for floor in promises_of(item, "eager_fp32").floors] == [2, 9]
    assert [floor.ratio for floor in promises_of(item, "eager_bf16").floors] == [4]


def test_the_fixtures_of_a_test_are_its_variants(marked):
    assert variants_of(marked(fixtures="xeonperf, woq_int4, eager_bf16")) == (NAMED["eager_bf16"], NAMED["woq_int4"])


def test_the_keywords_of_class_and_test_make_one_variant_and_the_test_s_win(marked):
    item = marked(
        "@pytest.mark.variant(group_size=32)", "@pytest.mark.variant(woq='int4', group_size=64)", "xeonperf, variant"
    )
    (made,) = variants_of(item)
    assert isinstance(made, Variant)
    assert (made.woq, made.group_size, made.name) == ("int4", 32, "bf16-sdpa-int4-g32")
