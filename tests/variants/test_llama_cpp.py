"""llama.cpp as a peer: the same logits from the same weights and tokens, or a clear word."""

import functools
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.variants import peers
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.named import NAMED, from_keywords
from pytest_xeonperf.workloads import llm, weights
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Workload


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Where models are written; whoever leaves something there is found out."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XEONPERF_CACHE", str(folder))
    return folder


@functools.cache
def how_a_trial_ends():
    """The exit code of a process that runs the smallest model: builds with AMX die on some virtual machines."""
    trial = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from {__name__} import from_keywords, step_of
step_of(from_keywords({{"runtime": "llama_cpp", "woq": "int8"}}), "decode")[0]()
"""
    return subprocess.run([sys.executable, "-c", trial], check=False).returncode


@pytest.fixture
def installed(own_cache):
    """Skip where the peer is not installed, or its build does not run on this processor."""
    pytest.importorskip("llama_cpp", reason="the extra `peers` is not installed")
    if code := how_a_trial_ends():
        pytest.skip(f"this build of llama.cpp does not run here: exit code {code}")


def step_of(variant, phase_name, **options):
    workload = llm.load("llama-2-7b", Preset.SMOKE, options)
    phase = workload.phase(phase_name)
    built = build(variant, workload, phase)
    with torch.no_grad():
        return built.bind(phase, prepared(phase.inputs(), variant)), built


def left_behind(folder):
    return [path.name for path in folder.rglob("*llama*") if path.name.startswith(".")]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("phase_name", ["prefill", "decode"])
@pytest.mark.parametrize(("woq", "least"), [("none", 0.9999), ("int8", 0.999), ("int4", 0.95)])
def test_it_gives_the_logits_of_the_model(woq, least, phase_name, own_cache):
    with torch.no_grad():
        expected = step_of(NAMED["eager_fp32"], phase_name)[0]()
        step, built = step_of(from_keywords({"runtime": "llama_cpp", "woq": woq}), phase_name)
        found = step()
    assert found.shape == expected.shape
    assert found.dtype == torch.float32
    for position in range(found.shape[1]):
        assert torch.cosine_similarity(found[0, position], expected[0, position], dim=0) > least
    assert torch.equal(step(), found)  # the cache is rewound: the same work every time
    assert 0 < built.streamed_bytes < built.weight_bytes
    assert not left_behind(own_cache)


@pytest.mark.usefixtures("installed")
def test_fewer_bits_are_fewer_bytes():
    sizes = [
        step_of(from_keywords({"runtime": "llama_cpp", "woq": woq}), "decode")[1].weight_bytes
        for woq in ("none", "int8", "int4")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.5 * sizes[0]


@pytest.mark.usefixtures("installed")
def test_several_prompts_at_a_time_are_refused_and_nothing_is_left_on_disk(own_cache):
    with pytest.raises(NotApplicableError, match="one prompt at a time"):
        step_of(from_keywords({"runtime": "llama_cpp"}), "decode", batch=2)
    assert not left_behind(own_cache)


@pytest.mark.usefixtures("installed")
def test_a_model_that_is_no_llama_is_refused_and_nothing_is_left_on_disk(own_cache):
    given = llm.load("llama-2-7b", Preset.SMOKE, {})

    def qwen():
        module = given.phase("decode").build()
        module.config.model_type = "qwen2"
        return module

    workload = Workload(name="other", build=qwen)
    with pytest.raises(NotApplicableError, match="only a plain Llama"):
        build(from_keywords({"runtime": "llama_cpp"}), workload, workload.phases[0])
    assert weights.cache_folder().is_dir()
    assert not left_behind(own_cache)


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    with pytest.raises(NotApplicableError, match=r"llama_cpp is not installed.*\n.*pytest-xeonperf\[peers\]"):
        step_of(from_keywords({"runtime": "llama_cpp"}), "decode")


@pytest.mark.parametrize("keywords", [{"compile": True}, {"woq": "int4", "group_size": 64}], ids=str)
def test_what_torch_does_is_not_asked_of_a_peer(keywords):
    with pytest.raises(UsageError, match="runtime='llama_cpp' has no"):
        from_keywords({"runtime": "llama_cpp", **keywords})


@pytest.mark.parametrize(
    ("keywords", "name"),
    [
        ({}, "llama_cpp-bf16-sdpa"),
        ({"woq": "int8"}, "llama_cpp-bf16-sdpa-int8"),
        ({"woq": "int4"}, "llama_cpp-bf16-sdpa-int4"),
    ],
)
def test_its_name_says_who_runs_it(keywords, name):
    assert from_keywords({"runtime": "llama_cpp", **keywords}).name == name
