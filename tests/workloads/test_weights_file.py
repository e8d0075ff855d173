"""The file of seeded weights is a safetensors file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from threading import Thread

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.workloads import weights_file
from pytest_xeonperf.workloads.weights_file import Plan, Tensor, write

_TENSORS = st.lists(
    st.builds(
        Tensor,
        name=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1).filter(
            lambda name: name != "__metadata__"
        ),
        shape=st.lists(st.integers(1, 5), max_size=4).map(tuple),
        dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
        mean=st.sampled_from([0.0, 1.0]),
        std=st.sampled_from([0.1, 1.0]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda tensor: tensor.name,
)


@settings(max_examples=40)
@given(tensors=_TENSORS, seed=st.integers(0, 2**32))
def test_the_library_reads_what_was_planned(tensors, seed):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.safetensors"
        plan = Plan(seed=seed, tensors=tuple(tensors))
        write(path, plan)
        read = load_file(path)
    assert {name: (tuple(value.shape), value.dtype) for name, value in read.items()} == {
        tensor.name: (tensor.shape, tensor.dtype) for tensor in tensors
    }
    assert sum(value.nbytes for value in read.values()) == plan.size_bytes


def test_values_follow_their_law(tmp_path):
    write(
        tmp_path / "one.safetensors",
        Plan(seed=0, tensors=(Tensor(name="x", shape=(200, 100), dtype=torch.float32, mean=1.0, std=0.5),)),
    )
    x = load_file(tmp_path / "one.safetensors")["x"]
    assert abs(x.mean().item() - 1.0) < 0.02
    assert abs(x.std().item() - 0.5) < 0.02


def test_a_tensor_of_several_chunks_does_not_repeat_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_file, "_CHUNK", 64)
    write(
        tmp_path / "one.safetensors",
        Plan(seed=0, tensors=(Tensor(name="x", shape=(130,), dtype=torch.float32, mean=0.0, std=1.0),)),
    )
    x = load_file(tmp_path / "one.safetensors")["x"]
    assert x.unique().numel() == 130


def test_a_change_of_law_changes_the_digest():
    plans = [
        Plan(seed=0, tensors=(Tensor(name="x", shape=(2,), dtype=torch.float32, mean=0.0, std=std),))
        for std in (0.1, 0.2)
    ]
    assert plans[0].digest != plans[1].digest


def test_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "one.safetensors"
    tensors = tuple(
        Tensor(name=f"x{index}", shape=(1000, 50), dtype=torch.float32, mean=0.0, std=1.0) for index in range(5)
    )
    plan = Plan(seed=0, tensors=tensors)
    writers = [Thread(target=write, args=(path, plan)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert list(tmp_path.iterdir()) == [path]
    alone = tmp_path / "alone.safetensors"
    write(alone, plan)
    assert alone.read_bytes() == path.read_bytes()


def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path, monkeypatch):
    tensors = tuple(
        Tensor(name=f"x{index}", shape=(50, 7 + index), dtype=torch.bfloat16, mean=0.0, std=1.0) for index in range(9)
    )
    plan = Plan(seed=0, tensors=tensors)
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        write(tmp_path / str(threads), plan)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()


def test_a_call_that_writes_only_a_part_is_followed_by_another(tmp_path, monkeypatch):
    plan = Plan(seed=0, tensors=(Tensor(name="x", shape=(300,), dtype=torch.float32, mean=0.0, std=1.0),))
    write(tmp_path / "whole", plan)
    at_once = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, start: at_once(descriptor, data[:100], start))
    write(tmp_path / "in parts", plan)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "in parts").read_bytes()


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights_file, "_draw", fail)
    plan = Plan(seed=0, tensors=(Tensor(name="x", shape=(2,), dtype=torch.float32, mean=0.0, std=1.0),))
    with pytest.raises(InfrastructureError, match="No space left"):
        write(tmp_path / "one.safetensors", plan)
    assert not list(tmp_path.iterdir())
