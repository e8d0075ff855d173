import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf import records
from pytest_xeonperf.records import Amx, Case, Isa, Limits, Machine, Metric, Outcome, Remedy, Unknown

CASE = Case(
    workload="sam-vit-b",
    phase="encode",
    preset="quick",
    variant="compiled_bf16",
    metric=Metric.LATENCY,
    over="eager_fp32",
)
MACHINE = Machine(
    architecture="x86_64",
    cpu_model="Intel(R) Xeon(R)",
    isa=Isa.AMX_BF16,
    amx=Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=False, remedy=Remedy.REPAIR, detail="repaired"),
    threads=2,
    physical_cores=2,
    memory_bytes=16 << 30,
    facts=(("kernel", "6.1"), ("torch", "2.13.0")),
    limits=Unknown(reason="not measured"),
)
TEXT = st.text(max_size=8)
CASES = st.builds(Case, workload=TEXT, phase=TEXT, preset=TEXT, variant=TEXT, metric=st.just(Metric.LATENCY), over=TEXT)
RECORDS = [kind for kind in vars(records).values() if isinstance(kind, type) and is_dataclass(kind)]


@pytest.mark.parametrize("kind", RECORDS)
def test_every_record_is_frozen_slotted_and_keyword_only(kind):
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)
    assert all(field.kw_only for field in fields(kind))


def test_a_record_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        CASE.phase = "decode"


def test_the_id_of_a_case_is_the_same_in_every_database_and_version():
    assert CASE.id == "8ac0578d37a6"
    assert len(CASE.id) == 12


@given(CASES, CASES)
def test_two_cases_have_one_id_only_if_they_are_one_case(left, right):
    assert (left.id == right.id) == (left == right)


def test_the_label_of_a_case_is_for_people():
    assert CASE.label == "sam-vit-b/encode compiled_bf16 over eager_fp32 [quick]"


@pytest.mark.parametrize(
    "change",
    [{"cpu_model": "another"}, {"isa": Isa.AVX512_BF16}, {"threads": 4}, {"architecture": "aarch64"},
     {"amx": replace(MACHINE.amx, remedy=Remedy.CAP)}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_may_not_differ_between_compared_results_makes_another_class(change):
    assert replace(MACHINE, **change).comparability_class != MACHINE.comparability_class


@pytest.mark.parametrize("change", [{"facts": (("torch", "2.14.0"),)}, {"memory_bytes": 1}], ids=["torch", "memory"])
def test_other_facts_change_the_fingerprint_and_not_the_class(change):
    changed = replace(MACHINE, **change)
    assert changed.comparability_class == MACHINE.comparability_class
    assert changed.fingerprint != MACHINE.fingerprint


def test_measured_limits_are_no_part_of_the_fingerprint():
    limits = Limits(read_bytes_per_s=1.0, fp32_flop_per_s=1.0, bf16_flop_per_s=1.0, int8_op_per_s=1.0)
    assert replace(MACHINE, limits=limits).fingerprint == MACHINE.fingerprint


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_outcome_is_green_red_or_undecided_and_only_one_of_them(outcome):
    assert [outcome is Outcome.PASS, outcome.red, outcome.undecided].count(True) == 1


def test_the_undecided_outcomes_are_those_that_say_nothing_about_the_code():
    undecided = {outcome for outcome in Outcome if outcome.undecided}
    assert undecided == {Outcome.INCONCLUSIVE, Outcome.NO_BASELINE, Outcome.OTHER_MACHINE}


def test_instruction_sets_are_ordered_by_what_they_can_do():
    assert [isa.rank for isa in Isa] == sorted(isa.rank for isa in Isa)
    assert Isa.GENERIC.rank < Isa.AVX2.rank < Isa.AVX512.rank < Isa.AVX512_BF16.rank < Isa.AMX_BF16.rank


def test_records_import_nothing_heavy():
    program = "import sys, pytest_xeonperf.records, pytest_xeonperf.units; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert {"torch", "sqlalchemy", "jinja2", "numpy", "pytest"}.isdisjoint(loaded)
