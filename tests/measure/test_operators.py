"""Operators of a profiled call: what is kept of them, and under which names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.measure.operators import MOST_OPERATORS, Seen, operators_of, stable_name
from pytest_xeonperf.records import OTHER_OPERATORS, OUTSIDE_OPERATORS, Operator, Unknown


@pytest.mark.parametrize(
    ("one", "other", "stable"),
    [
        ("## Call CompiledFxGraph fxtxu3kq2dtlk5xqz ##", "## Call CompiledFxGraph None ##", "CompiledFxGraph"),
        ("Torch-Compiled Region: 0/0", "Torch-Compiled Region: 12/3", "Torch-Compiled Region"),
        ("graph_0_cpp_fused_gelu_1", "graph_12_cpp_fused_gelu_30", "cpp_fused_gelu"),
        ("cpp_fused_native_layer_norm_4", "graph_2_cpp_fused_native_layer_norm_2", "cpp_fused_native_layer_norm"),
        ("ProfilerStep#3", "ProfilerStep#14", "ProfilerStep"),
    ],
)
def test_what_compilation_counts_is_left_out_of_a_name(one, other, stable):
    assert stable_name(one) == stable_name(other) == stable


@pytest.mark.parametrize(
    "name",
    [
        "aten::mm",
        "aten::_weight_int4pack_mm_for_cpu",
        "mkldnn::_linear_pointwise",
        "onednn::matmul:brg_matmul:avx10_1_512_amx",
        "TorchDynamo Cache Lookup",
        "xeonperf::stream_int8_2",
        "graph_0",
        "",
    ],
)
def test_names_of_operators_and_of_oned_nn_stay_as_they_are(name):
    assert stable_name(name) == name


@given(st.one_of(st.text(max_size=300), st.from_regex(r"(graph_\d+_)?cpp_[a-z_0-9]{0,250}", fullmatch=True)))
def test_a_stable_name_is_stable(name):
    assert stable_name(stable_name(name)) == stable_name(name)


def seen(**times_ns):
    return [Seen(name=name, self_ns=self_ns, calls=2) for name, self_ns in times_ns.items()]


def test_the_time_outside_of_operators_is_told_apart():
    assert operators_of(seen(mm=600, add=300), 1000) == (
        Operator(name="mm", self_ns=600, calls=2),
        Operator(name="add", self_ns=300, calls=2),
        Operator(name=OUTSIDE_OPERATORS, self_ns=100, calls=0),
    )


def test_kernels_of_one_meaning_are_one_operator():
    graphs = [Seen(name=f"graph_{number}_cpp_fused_add_{number}", self_ns=10, calls=1) for number in range(3)]
    assert operators_of(graphs, 30) == (Operator(name="cpp_fused_add", self_ns=30, calls=3),)


def test_a_call_in_which_nothing_was_seen_has_no_operators():
    assert operators_of([], 1000) == Unknown(reason="the profiler saw no operator")


@given(st.lists(st.integers(-5, 10**12), min_size=1, max_size=60), st.integers(0, 10**14))
def test_few_operators_are_kept_and_all_of_them_add_up_to_the_call(times_ns, call_ns):
    kept = operators_of(seen(**{f"op{number}": time_ns for number, time_ns in enumerate(times_ns)}), call_ns)
    assert len(kept) <= MOST_OPERATORS + 2
    within_ns = sum(max(time_ns, 0) for time_ns in times_ns)
    assert sum(each.self_ns for each in kept) == max(call_ns, within_ns)
    named = [each.self_ns for each in kept if each.name not in {OTHER_OPERATORS, OUTSIDE_OPERATORS}]
    assert named == sorted(named, reverse=True)
