"""Which operators explain that a call takes longer."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_xeonperf.judge.operators import Dispatch, Fate, dispatch, explain
from pytest_xeonperf.records import OTHER_OPERATORS, OUTSIDE_OPERATORS, Operator, Unknown


def operators(**times_ns):
    return tuple(Operator(name=name, self_ns=self_ns, calls=1) for name, self_ns in times_ns.items())


@pytest.fixture
def side(measured):
    """Makes a measurement from its latency and the times of its operators."""

    def make(median_ns, items_per_call=1, kernels=("mm",), **times_ns):
        evidence = {"operators": operators(**times_ns), "kernels": kernels}
        return measured(candidate_median_ns=median_ns, items_per_call=items_per_call, evidence=evidence)

    return make


def test_the_operator_that_became_slower_explains_the_call(side):
    found = explain(side(1_000_000, mm=600, gelu=400), side(1_500_000, mm=600, gelu=900), tolerance=0.05)
    first, second = found.contributions
    assert (first.name, first.fate, round(first.difference_ns)) == ("gelu", Fate.SLOWER, 500_000)
    assert round(second.difference_ns) == 0
    assert found.leading == (first,)
    assert found.share_of(first) == pytest.approx(1.0)


def test_times_are_shares_of_the_timed_call_however_slow_the_profiler_was(side):
    found = explain(side(1_000_000, mm=600, gelu=400), side(1_500_000, mm=6000, gelu=9000), tolerance=0.05)
    assert {each.name: round(each.after_ns) for each in found.contributions} == {"mm": 600_000, "gelu": 900_000}


def test_a_call_of_several_items_is_explained_whole(side):
    found = explain(side(1_000, items_per_call=8, mm=1), side(2_000, items_per_call=8, mm=1), tolerance=0.05)
    assert (found.before_ns, found.after_ns, found.difference_ns) == (8_000, 16_000, 8_000)


def test_one_operator_in_place_of_another_appeared_and_the_other_vanished(side):
    before, after = side(1_000_000, kernels=("fused",), fused=1), side(3_000_000, kernels=("plain",), plain=1)
    found = explain(before, after, tolerance=0.05)
    assert {each.name: each.fate for each in found.contributions} == {"plain": Fate.APPEARED, "fused": Fate.VANISHED}
    assert [each.name for each in found.leading] == ["plain"]


def test_an_operator_that_ran_but_was_too_short_to_be_kept_has_not_vanished(side):
    before = side(1_000_000, kernels=("mm", "add"), mm=900, add=100)
    after = side(1_500_000, kernels=("mm", "add"), mm=1400, **{OTHER_OPERATORS: 100})
    fates = {each.name: each.fate for each in explain(before, after, tolerance=0.05).contributions}
    assert fates["add"] is Fate.FASTER
    assert fates[OTHER_OPERATORS] is Fate.SLOWER


def test_a_change_within_the_tolerance_is_not_explained(side):
    found = explain(side(1_000_000, mm=1), side(1_040_000, mm=1), tolerance=0.05)
    assert found == Unknown(reason="the call takes +4.0 % time, which is within noise")


@pytest.mark.parametrize("which", ["base", "head"])
def test_where_one_side_has_no_operators_there_is_a_reason_in_place_of_an_explanation(side, which):
    sides = {"base": side(1_000_000, mm=1), "head": side(2_000_000, mm=1)}
    without = replace(sides[which].evidence, operators=Unknown(reason="not recorded"))
    sides[which] = replace(sides[which], evidence=without)
    found = explain(sides["base"], sides["head"], tolerance=0.05)
    assert found == Unknown(reason=f"the operators of {which} are unknown: not recorded")


def test_operators_that_took_no_time_and_calls_too_short_explain_nothing(side):
    nothing = explain(side(1_000_000, mm=0), side(2_000_000, mm=1), tolerance=0.05)
    assert nothing == Unknown(reason="the operators of base are unknown: they took no time")
    assert isinstance(explain(side(0, mm=1), side(1, mm=1), tolerance=0.05), Unknown)


_NAMES = st.sampled_from(["a", "b", "c", "d", OTHER_OPERATORS, OUTSIDE_OPERATORS])
_OPERATORS = st.lists(st.builds(Operator, name=_NAMES, self_ns=st.integers(0, 10**12), calls=st.integers(0, 9))).filter(
    lambda found: any(each.self_ns for each in found)
)
_MEDIANS_NS = st.integers(1, 10**12)


def whole(measured, median_ns, found):
    return measured(candidate_median_ns=median_ns, evidence={"operators": tuple(found), "kernels": ("a", "b")})


@given(_MEDIANS_NS, _OPERATORS, _MEDIANS_NS, _OPERATORS)
def test_contributions_add_up_to_the_difference_and_shares_to_one(any_measured, before_ns, before, after_ns, after):
    found = explain(whole(any_measured, before_ns, before), whole(any_measured, after_ns, after), tolerance=1e-3)
    assume(not isinstance(found, Unknown))
    total = sum(each.difference_ns for each in found.contributions)
    assert total == pytest.approx(after_ns - before_ns, abs=1e-9 * (before_ns + after_ns))
    assert found.share_of(*found.contributions) == pytest.approx(1.0, rel=1e-5)
    assert [abs(each.difference_ns) for each in found.contributions] == sorted(
        (abs(each.difference_ns) for each in found.contributions), reverse=True
    )


_MIRRORED = {Fate.APPEARED: Fate.VANISHED, Fate.VANISHED: Fate.APPEARED, Fate.SLOWER: Fate.FASTER,
             Fate.FASTER: Fate.SLOWER, Fate.SAME: Fate.SAME}  # fmt: skip


@given(_MEDIANS_NS, _OPERATORS, _MEDIANS_NS, _OPERATORS)
def test_exchanging_the_runs_turns_every_contribution_round(any_measured, before_ns, before, after_ns, after):
    sides = whole(any_measured, before_ns, before), whole(any_measured, after_ns, after)
    there, back = explain(*sides, tolerance=0.05), explain(*reversed(sides), tolerance=0.05)
    assert isinstance(there, Unknown) is isinstance(back, Unknown)
    assume(not isinstance(there, Unknown))
    assert [(each.name, _MIRRORED[each.fate], -each.difference_ns) for each in there.contributions] == [
        (each.name, each.fate, each.difference_ns) for each in back.contributions
    ]
    assert [there.share_of(each) for each in there.contributions] == [
        back.share_of(each) for each in back.contributions
    ]


def test_kernels_that_appear_and_vanish_are_named_whatever_the_times_say(side):
    before = side(1_000_000, kernels=("aten::mm", "onednn::matmul:brg_matmul:avx10_1_512_amx"), mm=1)
    after = side(1_000_000, kernels=("aten::mm", "onednn::matmul:brg_matmul:avx512_core_bf16"), mm=1)
    assert dispatch(before.evidence, after.evidence) == Dispatch(
        appeared=("onednn::matmul:brg_matmul:avx512_core_bf16",),
        vanished=("onednn::matmul:brg_matmul:avx10_1_512_amx",),
    )


def test_another_compilation_of_the_same_kernels_is_no_change(side):
    before = side(1, kernels=("graph_0_cpp_fused_add_1", "Torch-Compiled Region: 0/0"), mm=1)
    after = side(1, kernels=("graph_3_cpp_fused_add_0", "Torch-Compiled Region: 1/0"), mm=1)
    assert dispatch(before.evidence, after.evidence) == Dispatch(appeared=(), vanished=())


def test_without_kernels_nothing_is_said_of_them(side):
    assert dispatch(side(1, kernels=(), mm=1).evidence, side(1, mm=1).evidence) == Unknown(
        reason="no kernels were recorded of base"
    )
