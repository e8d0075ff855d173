"""Checkpoints that are GGUF files, and those that are none."""

from __future__ import annotations

import resource
import shutil

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from pytest_xeonperf.errors import DataError, InfrastructureError
from pytest_xeonperf.workloads import llm_checkpoint, shards
from pytest_xeonperf.workloads.llm_described import stored_parameters
from pytest_xeonperf.workloads.llm_sizes import Lengths, footprint_of_checkpoint

HIDDEN, INTERMEDIATE, VOCABULARY, HEADS = 64, 96, 48, 4


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XEONPERF_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def gguf_file(tmp_path):
    """One layer of Llama's kind with weights in Q8_0."""
    random = np.random.default_rng(0)
    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer)
    widths = {
        "token_embd": (VOCABULARY, HIDDEN),
        "output": (VOCABULARY, HIDDEN),
        "blk.0.attn_q": (HIDDEN, HIDDEN),
        "blk.0.attn_k": (HIDDEN, HIDDEN),
        "blk.0.attn_v": (HIDDEN, HIDDEN),
        "blk.0.attn_output": (HIDDEN, HIDDEN),
        "blk.0.ffn_gate": (INTERMEDIATE, HIDDEN),
        "blk.0.ffn_up": (INTERMEDIATE, HIDDEN),
        "blk.0.ffn_down": (HIDDEN, INTERMEDIATE),
    }
    for name, shape in widths.items():
        blocks = gguf.quantize(random.normal(size=shape).astype(np.float32), gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(f"{name}.weight", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(HIDDEN, dtype=np.float32))
    _finish(writer)
    return path


def _describe(writer):
    writer.add_name("tiny")
    writer.add_context_length(64)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)


def _finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_says_how_many_weights_it_holds_before_any_is_read(gguf_file):
    footprint = footprint_of_checkpoint(gguf_file, "decode", Lengths(prompt_tokens=4, new_tokens=2))
    assert footprint.parameters == sum(weight.numel() for weight in llm_checkpoint.build(gguf_file).parameters())


def test_a_gguf_file_is_dequantised_once_and_then_mapped(gguf_file):
    llm_checkpoint.check(gguf_file)
    module = llm_checkpoint.build(gguf_file)
    folder = llm_checkpoint.folder_of(gguf_file)
    (file,) = folder.glob("*.safetensors")
    written_ns = file.stat().st_mtime_ns
    again = llm_checkpoint.build(gguf_file)
    assert file.stat().st_mtime_ns == written_ns
    assert torch.equal(module.lm_head.weight, again.lm_head.weight)
    expected = gguf.dequantize(gguf.GGUFReader(gguf_file).tensors[0].data, gguf.GGMLQuantizationType.Q8_0)
    assert torch.equal(module.model.embed_tokens.weight.detach(), torch.from_numpy(expected))
    assert list(folder.parent.glob(".*")) == []


def test_two_processes_may_convert_one_gguf_file_at_the_same_time(gguf_file, monkeypatch):
    folder, convert = llm_checkpoint.folder_of(gguf_file), llm_checkpoint._convert
    shutil.rmtree(folder)

    def beaten_to_it(gguf, to):
        convert(gguf, to)
        convert(gguf, to)

    monkeypatch.setattr(llm_checkpoint, "_convert", beaten_to_it)
    assert llm_checkpoint.folder_of(gguf_file) == folder
    assert [each.name for each in folder.parent.iterdir()] == [folder.name]


def test_a_disk_without_room_is_told_from_a_damaged_file_and_nothing_is_left_behind(gguf_file, request):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (32 << 10, hard))  # bytes; the weights are 160 KiB
    with pytest.raises(InfrastructureError, match="cannot write the converted weights"):
        llm_checkpoint.folder_of(gguf_file)
    assert list((gguf_file.parent / "cache" / "weights").iterdir()) == []


def test_few_tensors_are_held_at_a_time_and_together_they_are_what_transformers_reads(gguf_file, monkeypatch):
    monkeypatch.setattr(shards, "_FILE_BYTES", 20_000)
    folder = llm_checkpoint.folder_of(gguf_file)
    files = sorted(folder.glob("*.safetensors"))
    assert len(files) > 5
    assert max(file.stat().st_size for file in files) < 20_000 + 4 * INTERMEDIATE * HIDDEN + 1000
    assert stored_parameters(folder) == stored_parameters(gguf_file)
    _assert_is_what_transformers_reads(gguf_file)


def test_experts_that_several_tensors_make_up_are_put_together(tmp_path):
    path = tmp_path / "experts.gguf"
    _write_experts(path)
    _assert_is_what_transformers_reads(path)


def _assert_is_what_transformers_reads(path):
    theirs = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    ours = llm_checkpoint.build(path)
    assert ours.config.rms_norm_eps == theirs.config.rms_norm_eps
    expected = theirs.state_dict()
    assert ours.state_dict().keys() == expected.keys()
    assert all(torch.equal(weight, expected[name]) for name, weight in ours.state_dict().items())


def _write_experts(path):
    """One layer of Qwen2-MoE's kind in FP32; transformers knows no other width of its experts than these."""
    experts, width, shared = 4, 1408, 5632
    writer = gguf.GGUFWriter(path, "qwen2moe")
    _describe(writer)
    writer.add_expert_count(experts)
    writer.add_expert_used_count(2)
    shapes = {
        "token_embd.weight": (VOCABULARY, HIDDEN),
        "output.weight": (VOCABULARY, HIDDEN),
        "output_norm.weight": (HIDDEN,),
        "blk.0.attn_norm.weight": (HIDDEN,),
        "blk.0.ffn_norm.weight": (HIDDEN,),
        **{f"blk.0.attn_{part}.weight": (HIDDEN, HIDDEN) for part in ("q", "k", "v", "output")},
        **{f"blk.0.attn_{part}.bias": (HIDDEN,) for part in ("q", "k", "v")},
        "blk.0.ffn_gate_inp.weight": (experts, HIDDEN),
        "blk.0.ffn_gate_exps.weight": (experts, width, HIDDEN),
        "blk.0.ffn_up_exps.weight": (experts, width, HIDDEN),
        "blk.0.ffn_down_exps.weight": (experts, HIDDEN, width),
        "blk.0.ffn_gate_inp_shexp.weight": (HIDDEN,),
        "blk.0.ffn_gate_shexp.weight": (shared, HIDDEN),
        "blk.0.ffn_up_shexp.weight": (shared, HIDDEN),
        "blk.0.ffn_down_shexp.weight": (HIDDEN, shared),
    }
    random = np.random.default_rng(0)
    for name, shape in shapes.items():
        writer.add_tensor(name, random.normal(size=shape).astype(np.float32))
    _finish(writer)


def test_a_gguf_file_that_changes_is_converted_again(gguf_file):
    before = llm_checkpoint.folder_of(gguf_file)
    gguf_file.write_bytes(gguf_file.read_bytes() + b"\0" * 32)
    assert llm_checkpoint.folder_of(gguf_file) != before


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_gguf_file_is_a_data_error_and_leaves_nothing_behind(gguf_file, share, tmp_path):
    whole = gguf_file.read_bytes()
    gguf_file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="truncated: fetch or write it again"):
        llm_checkpoint.build(gguf_file)
    assert not any((tmp_path / "cache" / "weights").iterdir())


def test_a_file_that_is_no_gguf_is_a_data_error(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"something else")
    with pytest.raises(DataError, match="not a GGUF file"):
        llm_checkpoint.check(file)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no readable config.json"), ("{", "no readable"), ("{}", "no model_type")]
)
def test_a_folder_without_a_models_configuration_is_a_data_error(tmp_path, content, message):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(DataError, match=message):
        llm_checkpoint.check(tmp_path)


def test_a_folder_of_no_language_model_is_a_data_error(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(DataError, match="not a readable checkpoint"):
        llm_checkpoint.build(tmp_path)
