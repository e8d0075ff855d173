from dataclasses import replace

import pytest

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.shell.rungs import Own, Shipped, by_ladder, measures, rungs_of
from pytest_xeonperf.workloads.presets import Preset

LADDER = """
import pytest

@pytest.mark.workload("sam-vit-b", phase="encode")
class TestEncoder:
    def test_bf16(self, xeonperf, eager_bf16): ...

    @pytest.mark.min_speedup(2)
    def test_sdpa(self, xeonperf, sdpa_bf16): ...

    @pytest.mark.workload(preset="full")
    def test_full(self, xeonperf, sdpa_bf16): ...

    @pytest.mark.min_speedup(2, over="eager_bf16")
    @pytest.mark.min_speedup(3)
    def test_twice(self, xeonperf, compiled_bf16): ...

    @pytest.mark.workload("sam-vit-b", phase="decode")
    def test_decode(self, xeonperf, sdpa_bf16): ...

    @pytest.mark.workload(batch=4)
    def test_batch(self, xeonperf, sdpa_bf16): ...

def test_free(xeonperf): ...

def test_ordinary(tmp_path): ...
"""
CEILING = """
import pytest

@pytest.mark.workload("sam-vit-b", phase="encode")
@pytest.mark.max_speedup(9, over="eager_bf16")
def test_high(xeonperf, compiled_bf16): ...
"""
OWN = """
import pytest

@pytest.fixture(params=["a", "b"])
def workload(request): ...

def test_own(xeonperf, eager_bf16): ...

class TestNarrow:
    @pytest.fixture
    def workload(self): ...

    def test_narrow(self, xeonperf, eager_bf16): ...
"""


@pytest.fixture
def rungs(pytester, settings):
    """The rungs of a suite by the name of the test."""

    def collect(text, **changes):
        items = [item for item in pytester.getitems(text) if measures(item)]
        return {item.name: rungs_of(item, replace(settings, **changes)) for item in items}

    return collect


def test_a_test_is_ours_when_it_uses_the_fixture(rungs):
    assert "test_ordinary" not in rungs(LADDER)
    assert "test_bf16" in rungs(LADDER)


def test_rungs_that_share_workload_phase_preset_and_baseline_make_a_ladder(rungs):
    found = rungs(LADDER)
    ladders = by_ladder(rung for each in found.values() for rung in each)
    sizes = {(key.phase, key.preset.value, key.over, dict(key.source.options).get("batch")): len(members)
             for key, members in ladders.items()}  # fmt: skip
    assert sizes == {
        ("encode", "smoke", "eager_fp32", None): 3,
        ("encode", "full", "eager_fp32", None): 1,
        ("encode", "smoke", "eager_bf16", None): 1,
        ("decode", "smoke", "eager_fp32", None): 1,
        ("encode", "smoke", "eager_fp32", 4): 1,
    }


def test_a_test_with_floors_over_two_baselines_stands_on_two_ladders_with_a_floor_on_each(rungs):
    found = {rung.ladder.over: [floor.ratio for floor in rung.promises.floors] for rung in rungs(LADDER)["test_twice"]}
    assert found == {"eager_fp32": [3], "eager_bf16": [2]}


def test_a_ceiling_says_over_what_too(rungs):
    (rung,) = rungs(CEILING)["test_high"]
    assert rung.ladder.over == "eager_bf16"
    assert (rung.promises.floors, [ceiling.ratio for ceiling in rung.promises.ceilings]) == ((), [9])


def test_a_test_that_only_compares_callables_stands_on_none(rungs):
    assert rungs(LADDER)["test_free"] == ()


def test_a_rung_knows_its_test_and_where_it_is_written(rungs, pytester):
    (rung,) = rungs(LADDER)["test_bf16"]
    assert rung.node_id.endswith("::TestEncoder::test_bf16")
    path, _, line = rung.location.rpartition(":")
    assert "def test_bf16" in (pytester.path / path).read_text().splitlines()[int(line) - 1]


def test_checkpoints_from_the_ini_file_are_part_of_the_ladder_unless_the_marker_names_its_own(rungs):
    found = rungs(LADDER, weights=(("sam-vit-b", "/data/sam.pth"),))
    (rung,) = found["test_bf16"]
    assert rung.ladder.source == Shipped(name="sam-vit-b", options=(("checkpoint", "/data/sam.pth"),))


def test_the_preset_of_the_session_holds_where_no_marker_says_otherwise(rungs):
    found = rungs(LADDER, preset=Preset.QUICK)
    assert found["test_bf16"][0].ladder.preset is Preset.QUICK
    assert found["test_full"][0].ladder.preset is Preset.FULL


def test_a_workload_of_the_user_s_own_is_known_by_where_it_is_defined_and_its_parameters(rungs):
    found = rungs(OWN)
    sources = {name: each[0].ladder.source for name, each in found.items()}
    assert all(isinstance(source, Own) for source in sources.values())
    assert len(set(sources.values())) == 3
    assert sources["test_own[a]"].parameters == "[a]"
    assert sources["test_narrow"].defined_in.endswith("TestNarrow")


def test_the_label_of_a_ladder_tells_it_from_every_other(rungs):
    keys = {rung.ladder for each in rungs(LADDER).values() for rung in each}
    assert len({key.label for key in keys}) == len(keys)


@pytest.mark.parametrize("text", ["def test_it(xeonperf, eager_bf16): ...", "def test_it(xeonperf, variant): ..."])
def test_a_test_without_a_model_or_a_variant_is_refused(rungs, text):
    with pytest.raises(UsageError):
        rungs(text)
