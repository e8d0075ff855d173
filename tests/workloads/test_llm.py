"""The language models as workloads, at smoke sizes."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa, Unknown
from pytest_xeonperf.variants import apply
from pytest_xeonperf.variants.named import NAMED, from_keywords
from pytest_xeonperf.variants.spec import Variant, Woq
from pytest_xeonperf.workloads import catalog, llm
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention, Workload


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XEONPERF_CACHE", str(tmp_path / "cache"))


def save_tiny(folder, dtype):
    """A folder in Hugging Face's layout, with grouped queries and a tied last layer."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    AutoModelForCausalLM.from_config(config, dtype=dtype).save_pretrained(folder)
    return folder


@pytest.fixture
def checkpoint(tmp_path):
    return save_tiny(tmp_path / "tiny", torch.bfloat16)


def run(variant: Variant, workload: Workload, phase_name: str) -> torch.Tensor:
    phase = workload.phase(phase_name)
    built = apply.build(variant, workload, phase)
    with torch.no_grad():
        return phase.bind(built.module, apply.prepared(phase.inputs(), variant), built.compiler)()


@pytest.mark.parametrize("phase_name", ["prefill", "decode"])
@pytest.mark.parametrize("woq", list(Woq))
def test_every_technique_stays_near_fp32(woq, phase_name):
    workload = llm.load("llama-2-7b", Preset.SMOKE, {})
    reference = run(NAMED["eager_fp32"], workload, phase_name)
    output = run(Variant(name="v", woq=woq), workload, phase_name)
    scores = {score.name: score.value for score in workload.phase(phase_name).scores(reference, output)}
    assert 0 < scores["kl"] < (0.1 if woq is Woq.INT4 else 0.001)


def test_a_phase_says_what_its_items_are():
    workload = llm.load("llama-2-7b", Preset.SMOKE, {"batch": 2})
    prefill, decode = workload.phase("prefill"), workload.phase("decode")
    assert (prefill.item, prefill.items_per_call, prefill.weight_passes) == ("prompt", 2, 1)
    assert (decode.item, decode.items_per_call, decode.weight_passes) == ("token", 8, 4)
    assert run(NAMED["eager_bf16"], workload, "decode").shape == (2, 4, 512)
    assert run(NAMED["eager_bf16"], workload, "prefill").shape == (2, 1, 512)


@pytest.mark.parametrize("options", [{}, {"batch": 2}])
def test_the_footprint_is_the_catalogues(options):
    for name in ("prefill", "decode"):
        told = llm.load("llama-2-7b", Preset.FULL, options).phase(name).footprint
        assert told == catalog.footprint("llama-2-7b", name, Preset.FULL, options)


def test_inputs_and_weights_are_the_same_every_time():
    first, second = (llm.load("llama-2-7b", Preset.SMOKE, {}) for _ in range(2))
    assert torch.equal(
        first.phase("decode").inputs().kwargs["prompt"], second.phase("decode").inputs().kwargs["prompt"]
    )
    assert torch.equal(run(NAMED["eager_fp32"], first, "decode"), run(NAMED["eager_fp32"], second, "decode"))


def test_seeded_weights_are_nonzero_and_in_sixteen_bits():
    module = llm.load("llama-2-7b", Preset.SMOKE, {}).phase("decode").build()
    assert all((parameter != 0).all() for parameter in module.parameters())
    assert {parameter.dtype for parameter in module.parameters()} == {torch.bfloat16}


def test_rotary_frequencies_stay_in_fp32():
    workload = llm.load("llama-2-7b", Preset.SMOKE, {})
    built = apply.build(NAMED["eager_bf16"], workload, workload.phase("decode"))
    assert built.module.model.rotary_emb.inv_freq.dtype == torch.float32


def test_attention_is_switched_in_the_model():
    workload = llm.load("llama-2-7b", Preset.SMOKE, {})
    module = workload.phase("decode").build()
    for kind, implementation in ((Attention.SDPA, "xeonperf_sdpa"), (Attention.PLAIN, "eager")):
        assert workload.attention(module, kind).config._attn_implementation == implementation


def test_a_checkpoint_is_measured_with_its_own_size_and_named_after_its_folder(checkpoint):
    workload = llm.load("llm", Preset.SMOKE, {"checkpoint": str(checkpoint), "prompt_tokens": 5})
    assert workload.name == "llm:tiny"
    assert workload.phase("decode").inputs().kwargs["prompt"].shape == (1, 5)
    reference = run(NAMED["eager_fp32"], workload, "decode")
    assert reference.shape == (1, 4, 96)
    built = apply.build(Variant(name="v", woq=Woq.INT4, group_size=32), workload, workload.phase("decode"))
    assert built.left_in_bf16 == ()
    assert built.module.model.embed_tokens.weight.dtype == torch.bfloat16


def test_the_operations_of_a_checkpoint_are_known_from_its_configuration(checkpoint):
    workload = llm.load("llm", Preset.SMOKE, {"checkpoint": checkpoint})
    phase = workload.phase("decode")
    assert not isinstance(phase.footprint, Unknown)
    assert phase.footprint.parameters == sum(parameter.numel() for parameter in phase.build().parameters())


def test_llm_without_a_checkpoint_is_a_usage_error():
    with pytest.raises(UsageError, match="checkpoint=PATH"):
        llm.load("llm", Preset.SMOKE, {})


@pytest.mark.parametrize("options", [{"batch": 0}, {"batch": "2"}, {"prompt_tokens": -1}, {"prompt_tokens": True}])
def test_counts_that_are_none_are_usage_errors(options):
    with pytest.raises(UsageError, match="is a whole number from 1"):
        llm.load("llama-2-7b", Preset.SMOKE, options)


def test_a_missing_checkpoint_is_found_before_anything_is_built(tmp_path):
    with pytest.raises(DataError, match="no such checkpoint"):
        llm.load("llm", Preset.SMOKE, {"checkpoint": tmp_path / "nowhere"})


def test_a_truncated_checkpoint_is_found_before_anything_is_built(checkpoint):
    file = checkpoint / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match="truncated: fetch or write it again"):
        llm.load("llm", Preset.SMOKE, {"checkpoint": checkpoint})


def test_a_checkpoint_without_some_weights_is_no_model(checkpoint):
    save_file({"model.norm.weight": torch.ones(64)}, checkpoint / "model.safetensors", metadata={"format": "pt"})
    workload = llm.load("llm", Preset.SMOKE, {"checkpoint": checkpoint})
    with pytest.raises(DataError, match="weights are missing, first"):
        workload.phase("decode").build()


@pytest.mark.parametrize("woq", ["none", "int8"])
@pytest.mark.parametrize("kernel", ["aten", "stream"])
@pytest.mark.parametrize("counts", [{"batch": 1, "prompt_tokens": 1}, {"batch": 3, "prompt_tokens": 7}], ids=str)
@pytest.mark.parametrize("phase_name", ["prefill", "decode"])
def test_fp16_weights_grouped_queries_a_tied_layer_and_odd_counts_are_no_trouble(
    tmp_path, woq, kernel, counts, phase_name
):
    if kernel == "stream" and (read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None):
        pytest.skip("our kernels need AVX512_BF16 and a C++ compiler")
    workload = llm.load("llm", Preset.SMOKE, {"checkpoint": save_tiny(tmp_path / "half", torch.float16), **counts})
    reference = run(NAMED["eager_fp32"], workload, phase_name)
    output = run(from_keywords({"woq": woq, "kernel": kernel}), workload, phase_name)
    assert output.shape[0] == counts["batch"]
    assert (output.float() - reference).norm() / reference.norm() < 0.05
