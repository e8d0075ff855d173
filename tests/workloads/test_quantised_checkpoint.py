"""Quantised checkpoints that are damaged, newer, or written in several files."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import LlamaConfig

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.workloads import quantised_checkpoint, shards
from pytest_xeonperf.workloads.quantised_checkpoint import Writer
from pytest_xeonperf.workloads.quantised_linear import Scheme, StoredLinear

SCHEME = Scheme(woq="int8")


@pytest.fixture
def folder(tmp_path):
    """A model of no layers, whose last Linear is quantised."""
    LlamaConfig(
        vocab_size=8, hidden_size=16, intermediate_size=16, num_hidden_layers=0, num_attention_heads=4
    ).save_pretrained(tmp_path)
    writer = Writer(folder=tmp_path, scheme=SCHEME)
    parts = {"weight": torch.ones(8, 16, dtype=torch.int8), "scales": torch.ones(8, dtype=torch.bfloat16)}
    writer.add_layer("lm_head", parts)
    writer.add("model.embed_tokens.weight", torch.randn(8, 16))
    writer.add("model.norm.weight", torch.ones(16))
    writer.finish()
    return tmp_path


def describe(folder, **changes: object) -> None:
    path = folder / "quantised.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_checkpoint_is_read_as_it_was_written(folder):
    assert quantised_checkpoint.holds_one(folder)
    module = quantised_checkpoint.read(folder)
    assert isinstance(module.lm_head, StoredLinear)
    assert module.lm_head.scheme == SCHEME
    assert module.lm_head.tensors["weight"].dtype == torch.int8
    assert not any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers()))


def test_a_full_file_is_followed_by_the_next(folder, monkeypatch):
    monkeypatch.setattr(shards, "_FILE_BYTES", 600)
    writer = Writer(folder=folder, scheme=SCHEME)
    writer.add_layer("lm_head", {"weight": torch.ones(8, 16, dtype=torch.int8), "scales": torch.ones(8)})
    writer.add("model.embed_tokens.weight", torch.full((8, 16), 3.0))
    writer.add("model.norm.weight", torch.ones(16))
    writer.finish()
    assert (folder / "quantised-00002.safetensors").is_file()
    assert (quantised_checkpoint.read(folder).model.embed_tokens.weight == 3).all()


def test_a_truncated_file_is_a_data_error(folder):
    file = folder / "quantised-00001.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DataError, match="write the checkpoint again with xeonperf quantize"):
        quantised_checkpoint.read(folder)


def test_a_missing_file_is_a_data_error(folder):
    (folder / "quantised-00001.safetensors").unlink()
    with pytest.raises(DataError, match="weights cannot be read"):
        quantised_checkpoint.read(folder)


def test_missing_weights_are_a_data_error(folder):
    describe(folder, layers={"lm_head": ["weight", "scales", "zeros"]})
    with pytest.raises(DataError, match=r"lm_head\.zeros"):
        quantised_checkpoint.read(folder)
    describe(folder, layers={})
    with pytest.raises(DataError, match="weights"):
        quantised_checkpoint.read(folder)


def test_a_newer_version_is_refused(folder):
    describe(folder, version=2)
    with pytest.raises(DataError, match="has version 2, this release reads 1"):
        quantised_checkpoint.read(folder)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"version": 1}', '{"version": 1, "scheme": {"bits": 3}}'])
def test_a_damaged_description_is_a_data_error(folder, text):
    (folder / "quantised.json").write_text(text)
    with pytest.raises(DataError, match=r"quantised\.json cannot be read"):
        quantised_checkpoint.read(folder)
