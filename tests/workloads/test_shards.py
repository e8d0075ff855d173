"""Tensors into safetensors files, one after the other."""

import torch
from safetensors import safe_open

from pytest_xeonperf.workloads import shards
from pytest_xeonperf.workloads.shards import Shards


def test_a_full_file_is_followed_by_the_next_and_each_tensor_is_in_the_file_it_is_said_to_be_in(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "_FILE_BYTES", 64)  # sixteen values
    writer = Shards(folder=tmp_path, stem="model")
    for number in range(5):
        writer.add(f"t{number}", torch.full((8,), float(number)))
    writer.finish()
    assert writer.files == ["model-00001.safetensors", "model-00002.safetensors", "model-00003.safetensors"]
    for number, name in enumerate(writer.file_of):
        with safe_open(tmp_path / writer.file_of[name], "pt") as file:
            assert (file.get_tensor(name) == number).all()


def test_a_file_that_was_just_filled_is_followed_by_no_empty_one(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "_FILE_BYTES", 4)
    writer = Shards(folder=tmp_path, stem="model")
    writer.add("t", torch.ones(1))
    writer.finish()
    assert [each.name for each in tmp_path.iterdir()] == writer.files == ["model-00001.safetensors"]
