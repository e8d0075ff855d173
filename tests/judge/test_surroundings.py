"""What changed about the machine between two runs."""

from dataclasses import replace

import pytest

from pytest_xeonperf.judge.surroundings import Difference, differences, excuses, in_words, why_not_comparable
from pytest_xeonperf.records import Amx, Isa, Machine, Remedy, Unknown

MACHINE = Machine(
    architecture="x86_64",
    cpu_model="Xeon",
    isa=Isa.AMX_BF16,
    amx=Amx(advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail="works"),
    threads=2,
    physical_cores=2,
    memory_bytes=1 << 34,
    facts=(("allocator", "libc"), ("kernel", "6.8"), ("torch", "2.12.1")),
    limits=Unknown(reason="not measured"),
)


def test_machines_of_one_fingerprint_do_not_differ():
    assert differences(MACHINE, replace(MACHINE, limits=Unknown(reason="another"))) == ()
    assert in_words(()) == ""


def test_what_most_often_explains_a_time_comes_first_and_what_is_gone_is_named():
    after = replace(MACHINE, facts=(("kernel", "6.8"), ("onednn", "3.9"), ("torch", "2.13.0")), memory_bytes=1 << 35)
    found = differences(MACHINE, after)
    assert found[0] == Difference(name="torch", before="2.12.1", after="2.13.0")
    assert [each.name for each in found] == ["torch", "onednn", "allocator", "memory"]
    assert in_words(found) == "torch 2.12.1 -> 2.13.0, onednn none -> 3.9, allocator libc -> none and 1 more"


def test_some_pages_of_memory_more_or_less_excuse_nothing():
    rebooted = replace(MACHINE, memory_bytes=MACHINE.memory_bytes - (64 << 10))
    assert [each.name for each in differences(MACHINE, rebooted)] == ["memory"]
    assert excuses(MACHINE, rebooted) == ()
    larger = replace(rebooted, memory_bytes=1 << 35, facts=())
    assert excuses(MACHINE, larger) == differences(MACHINE, larger)


@pytest.mark.parametrize("changes", [{"facts": ()}, {"memory_bytes": (1 << 34) + 1}, {"physical_cores": 1}])
def test_another_fingerprint_always_has_a_difference_to_name(changes):
    after = replace(MACHINE, **changes)
    assert after.fingerprint != MACHINE.fingerprint
    assert differences(MACHINE, after)


def test_only_another_class_of_machine_is_not_compared_at_all():
    assert why_not_comparable(MACHINE, replace(MACHINE, facts=())) == ""
    assert why_not_comparable(MACHINE, replace(MACHINE, threads=4)).endswith("(amx_bf16, 4 threads, AMX remedy none)")
