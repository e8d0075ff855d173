from dataclasses import replace

import pytest

from pytest_xeonperf.judge.expectations import Promises, Threshold
from pytest_xeonperf.records import Isa
from pytest_xeonperf.shell.outlook import outlook
from pytest_xeonperf.shell.rungs import Shipped
from pytest_xeonperf.variants import peers
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.workloads.presets import Preset

FLOORS = Promises(floors=(Threshold(ratio=2.91, isa=Isa.AMX_BF16), Threshold(ratio=1.5, isa=Isa.AVX512_BF16)))


@pytest.fixture
def shipped(make_rung):
    """Makes a rung of a shipped model, with options of its marker if any."""

    def make(variant="sdpa_bf16", options=(), **fields):
        rung = make_rung(variant, phase="encode", preset=Preset.QUICK, **fields)
        source = Shipped(name="sam-vit-b", options=options)
        return replace(rung, ladder=replace(rung.ladder, source=source))

    return make


def test_a_ladder_is_one_line_with_its_rungs_minutes_and_memory(shipped):
    first, ladder = outlook([shipped(), shipped("compiled_bf16")], Isa.AVX2)
    assert "2 cases on 1 ladder" in first
    assert ladder.startswith("  sam-vit-b/encode [quick] over eager_fp32: sdpa_bf16, compiled_bf16 (")
    assert "min" in ladder
    assert "GiB" in ladder


@pytest.mark.parametrize(
    ("isa", "shown"),
    [
        (Isa.AMX_BF16, "≥ 2.91x"),
        (Isa.AVX512_BF16, "≥ 1.50x"),
        (Isa.AVX2, "sdpa_bf16 (no floor for this machine)"),
    ],
)
def test_the_floor_that_applies_on_this_machine_is_shown(shipped, isa, shown):
    assert shown in outlook([shipped(promises=FLOORS)], isa)[1]


def test_a_rung_without_a_floor_is_just_named(make_rung):
    assert outlook([make_rung()], Isa.AVX2)[1].endswith(": eager_bf16")


def test_what_nobody_can_foretell_is_said(make_rung, shipped):
    assert "your own" in outlook([make_rung(), shipped()], Isa.AVX2)[0]
    assert "your own" not in outlook([shipped()], Isa.AVX2)[0]


def test_what_a_checkpoint_needs_is_foretold(shipped):
    given = outlook([shipped(options=(("checkpoint", "/data/sam_vit_b.pth"),))], Isa.AVX2)
    assert given[0] == outlook([shipped()], Isa.AVX2)[0]


def test_a_checkpoint_that_is_not_there_is_left_to_its_test(make_rung):
    rung = make_rung(phase="decode", preset=Preset.QUICK)
    source = Shipped(name="llm", options=(("checkpoint", "/nowhere"),))
    assert "your own" in outlook([replace(rung, ladder=replace(rung.ladder, source=source))], Isa.AVX2)[0]


def test_nothing_to_do_is_nothing_to_say():
    assert outlook([], Isa.AVX2) == []


def test_a_larger_batch_is_more_minutes_and_more_memory(shipped):
    assert outlook([shipped(options=(("batch", 16),))], Isa.AVX2)[0] != outlook([shipped()], Isa.AVX2)[0]


def test_a_peer_that_is_not_installed_is_named_so_and_costs_nothing(shipped, monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    rung = shipped()
    peer = replace(rung, variant=from_keywords({"runtime": "openvino"}))
    alone, with_peer = outlook([rung], Isa.AVX2)[1], outlook([rung, peer], Isa.AVX2)[1]
    assert with_peer == alone.replace("sdpa_bf16 (", "sdpa_bf16, openvino-bf16-sdpa (not installed) (")


def test_ladders_of_one_model_are_one_cost_since_they_share_their_rounds(shipped):
    over_fp32 = [shipped("eager_bf16"), shipped("compiled_bf16")]
    over_bf16 = shipped("compiled_bf16", over="eager_bf16")
    alone, (first, above, below) = outlook(over_fp32, Isa.AVX2), outlook([*over_fp32, over_bf16], Isa.AVX2)
    assert "3 cases on 2 ladders" in first
    assert first.partition(", about")[2] == alone[0].partition(", about")[2]
    assert above == alone[1]
    assert below == "  sam-vit-b/encode [quick] over eager_bf16: compiled_bf16 (in the same rounds, if they fit)"
