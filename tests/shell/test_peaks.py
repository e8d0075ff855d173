"""What is weighed in which order; that it is weighed at all, `test_engine` sees."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pytest_xeonperf.judge.expectations import Promises
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.peaks import Peaks
from pytest_xeonperf.variants.spec import Runtime, Variant
from pytest_xeonperf.workloads.protocol import Footprint

PHASE = SimpleNamespace(footprint=Unknown(reason="nobody knows the model"))
SMALL = SimpleNamespace(footprint=Footprint(parameters=1000, activation_bytes=1000, flop=1000))


class Scales:
    """Finds that everything weighs a MiB, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def weigh(self, wanted):
        self.asked.append(wanted)
        return {each.variant: 1 << 20 for each in wanted.wanted}


@pytest.fixture
def scales():
    return Scales()


@pytest.fixture
def much_memory(monkeypatch):
    monkeypatch.setattr("pytest_xeonperf.shell.peaks.available_bytes", lambda: 1 << 40)


@pytest.fixture
def measured(make_result):
    """All rungs measured, by ladder and variant."""

    def measure(rungs):
        found = {}
        for rung in rungs:
            found.setdefault(rung.ladder, {})[rung.variant.name] = make_result(rung.variant.name).measurement
        return found

    return measure


@pytest.mark.usefixtures("much_memory")
@pytest.mark.parametrize(("threads", "at_once"), [(1, 1), (2, 2), (3, 2), (4, 2), (8, 4)])
def test_two_are_weighed_at_once_from_two_threads_on(make_rung, measured, scales, threads, at_once):
    heavy = Promises(max_memory_bytes=1 << 30)
    names = ("eager_bf16", "sdpa_bf16", "compiled_bf16", "woq_int8", "woq_int4")
    rungs = [make_rung(name, promises=heavy) for name in names]
    Peaks(listener=scales, threads=threads).added(SMALL, rungs, measured(rungs))
    assert [each.at_once for each in scales.asked] == [at_once]


def test_ladders_of_one_model_are_weighed_in_one_go_the_slowest_to_build_first(make_rung, measured, scales):
    heavy = Promises(max_memory_bytes=1 << 30)
    rungs = [
        make_rung("sdpa_bf16", promises=heavy),
        make_rung("compiled_bf16", promises=heavy),
        make_rung("compiled_bf16", over="eager_bf16", promises=heavy, node_id="test_it.py::test_once_more"),
        make_rung("woq_int8", over="eager_bf16", promises=heavy),
        replace(make_rung(promises=heavy), variant=Variant(name="openvino", runtime=Runtime.OPENVINO)),
        replace(make_rung(promises=heavy), variant=Variant(name="frozen", compile=True, freeze=True)),
    ]
    found = measured(rungs)
    peaks = Peaks(listener=scales, threads=2).added(PHASE, rungs, found)
    (once,) = scales.asked
    assert [each.variant for each in once.wanted] == ["frozen", "compiled_bf16", "woq_int8", "openvino", "sdpa_bf16"]
    assert [each.node_id for each in once.wanted if each.variant == "compiled_bf16"] == [rungs[1].node_id]
    assert peaks.keys() == found.keys()
    assert {each.evidence.peak_rss_bytes for came_to in peaks.values() for each in came_to.values()} == {1 << 20}
