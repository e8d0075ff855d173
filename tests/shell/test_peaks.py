"""What is weighed in which order; that it is weighed at all, `test_engine` sees."""

from types import SimpleNamespace

from pytest_xeonperf.judge.expectations import Promises
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.peaks import Peaks

PHASE = SimpleNamespace(footprint=Unknown(reason="nobody knows the model"))


def test_ladders_of_one_model_are_weighed_in_one_go_the_slowest_to_build_first(make_rung, make_result):
    heavy = Promises(max_memory_bytes=1 << 30)
    rungs = [
        make_rung("sdpa_bf16", promises=heavy),
        make_rung("compiled_bf16", promises=heavy),
        make_rung("compiled_bf16", over="eager_bf16", promises=heavy, node_id="test_it.py::test_once_more"),
        make_rung("woq_int8", over="eager_bf16", promises=heavy),
    ]
    found = {}
    for rung in rungs:
        found.setdefault(rung.ladder, {})[rung.variant.name] = make_result(rung.variant.name).measurement
    asked = []

    def weigh(wanted):
        asked.append(wanted)
        return {each.variant: 1 << 20 for each in wanted.wanted}

    peaks = Peaks(listener=SimpleNamespace(weigh=weigh), threads=2).added(PHASE, rungs, found)
    (once,) = asked
    assert {each.variant for each in once.wanted[:2]} == {"compiled_bf16", "woq_int8"}
    assert [each.variant for each in once.wanted[2:]] == ["sdpa_bf16"]
    assert {each.node_id for each in once.wanted if each.variant == "compiled_bf16"} == {rungs[1].node_id}
    assert peaks.keys() == found.keys()
    assert {each.evidence.peak_rss_bytes for came_to in peaks.values() for each in came_to.values()} == {1 << 20}
