from dataclasses import replace

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.environment import ABSENT, Change, changes, limit_facts, machine_facts, machine_line


def test_only_facts_that_differ_are_changes_and_one_that_is_new_was_absent():
    before = (("kernel", "6.1"), ("torch", "2.12.1"))
    after = (("kernel", "6.1"), ("tcmalloc", "yes"), ("torch", "2.13.0"))
    assert changes(before, after) == (
        Change(name="tcmalloc", before=ABSENT, after="yes"),
        Change(name="torch", before="2.12.1", after="2.13.0"),
    )


def test_the_machine_in_one_line_counts_a_single_thread_in_the_singular(make):
    assert machine_line(make.machine(threads=1)).endswith("amx_bf16, 1 thread")


def test_the_fingerprint_is_shown_whole(make):
    machine = make.machine()
    shown = {fact.name: fact.value for fact in machine_facts(machine)}
    assert shown["torch"] == "2.13.0"
    assert shown["comparability class"] == machine.comparability_class
    assert shown["AMX"] == "advertised yes, oneDNN yes, Inductor no, remedy repair"


def test_limits_that_were_not_measured_say_why(make):
    machine = replace(make.machine(), limits=Unknown(reason="no --xeonperf"))
    (fact,) = limit_facts(machine.limits)
    assert fact.note == "no --xeonperf"
    assert limit_facts(make.machine().limits)[0].value == "21.0 GB/s"
