"""Seeded weights and checkpoints."""

from __future__ import annotations

import copy
import os
from functools import partial
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pytest_xeonperf.errors import DataError, InfrastructureError
from pytest_xeonperf.workloads.weights import cache_folder, check, checkpoint, seeded


class Small(nn.Module):
    """One layer of each kind, a tied pair, a random buffer and one that is no weight."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, width)
        self.conv = nn.Conv2d(3, width, 2)
        self.norm = nn.LayerNorm(width)
        self.pos_embed = nn.Parameter(torch.zeros(1, 4, width))
        self.head = nn.Linear(width, 11)
        self.head.weight = self.embed.weight
        self.register_buffer("frequencies", torch.randn(5))
        self.register_buffer("steps", torch.arange(3), persistent=False)

    def tie_weights(self) -> None:
        self.head.weight = self.embed.weight


def test_every_parameter_is_nonzero_everywhere(tmp_path):
    module = seeded(Small, key="small", cache=tmp_path)
    assert all((parameter != 0).all() for parameter in module.parameters())
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert not module.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    first, again, other = (
        seeded(Small, key="small", seed=seed, cache=tmp_path / folder)
        for seed, folder in ((0, "a"), (0, "b"), (1, "a"))
    )
    assert torch.equal(first.conv.weight, again.conv.weight)
    assert torch.equal(first.frequencies, again.frequencies)
    assert not torch.equal(first.conv.weight, other.conv.weight)
    assert not torch.equal(first.frequencies, other.frequencies)


def test_layers_of_one_shape_get_different_weights(tmp_path):
    pair = seeded(lambda: nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5)), key="pair", cache=tmp_path)
    assert not torch.equal(pair[0].weight, pair[1].weight)


def test_the_file_is_written_once(tmp_path):
    seeded(Small, key="small", cache=tmp_path)
    (file,) = tmp_path.iterdir()
    os.utime(file, (1, 1))
    seeded(Small, key="small", cache=tmp_path)
    assert [path.stat().st_mtime for path in tmp_path.iterdir()] == [1]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux shows what is mapped")
def test_the_file_is_mapped_and_not_copied_so_that_processes_share_it(tmp_path):
    module = seeded(Small, key="small", cache=tmp_path)
    (file,) = tmp_path.iterdir()
    lines = [line.split() for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()]
    mapped = [[int(end, 16) for end in line[0].split("-")] for line in lines if line[-1] == str(file)]
    assert mapped
    for parameter in module.parameters():
        assert any(start <= parameter.data_ptr() < end for start, end in mapped)


def test_another_shape_is_another_file(tmp_path):
    seeded(Small, key="small", cache=tmp_path)
    seeded(partial(Small, width=8), key="small", cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_tied_weights_stay_tied(tmp_path):
    module = seeded(Small, key="small", cache=tmp_path)
    assert module.head.weight is module.embed.weight


def test_buffers_are_real_whether_they_persist_or_not(tmp_path):
    module = seeded(Small, key="small", cache=tmp_path)
    assert torch.equal(module.steps, torch.arange(3))
    assert module.frequencies.device.type == "cpu"


def test_weights_keep_the_dtype_of_their_construction(tmp_path):
    module = seeded(lambda: nn.Linear(4, 4, dtype=torch.bfloat16), key="bf16", cache=tmp_path)
    assert module.weight.dtype is torch.bfloat16
    assert (module.weight != 0).all()


def test_a_full_disk_is_said_with_the_figures_before_anything_is_written(tmp_path, monkeypatch):
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(free=100))
    with pytest.raises(InfrastructureError, match=r"need .* 100 B are free(.|\n)*XEONPERF_CACHE"):
        seeded(Small, key="small", cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_is_no_folder_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match="XEONPERF_CACHE"):
        seeded(Small, key="small", cache=tmp_path / "file")


def test_a_damaged_cache_file_is_said(tmp_path):
    seeded(Small, key="small", cache=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DataError, match="truncated"):
        seeded(Small, key="small", cache=tmp_path)


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XEONPERF_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own" / "weights"
    monkeypatch.delenv("XEONPERF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "users"))
    assert cache_folder() == tmp_path / "users" / "xeonperf" / "weights"


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_checkpoint_is_loaded_by_its_own_names(tmp_path, suffix):
    original = nn.Linear(3, 2)
    path = tmp_path / f"model{suffix}"
    state = {f"part.{name}": tensor for name, tensor in original.state_dict().items()} | {"other": torch.ones(1)}
    (torch.save if suffix == ".pth" else save_file)(state, path)
    module = checkpoint(lambda: nn.Linear(3, 2), path, key_of=lambda name: f"part.{name}")
    assert torch.equal(module.weight, original.weight)
    assert torch.equal(module.bias, original.bias)
    assert not module.weight.requires_grad


def test_a_checkpoint_in_half_precision_is_widened(tmp_path):
    torch.save(copy.deepcopy(nn.Linear(3, 2)).half().state_dict(), tmp_path / "half.pth")
    assert checkpoint(lambda: nn.Linear(3, 2), tmp_path / "half.pth").weight.dtype is torch.float32


def test_a_missing_checkpoint_is_said(tmp_path):
    with pytest.raises(DataError, match="no such checkpoint"):
        checkpoint(lambda: nn.Linear(3, 2), tmp_path / "none.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_truncated_checkpoint_is_said(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    (torch.save if suffix == ".pth" else save_file)(nn.Linear(30, 20).state_dict(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="truncated"):
        checkpoint(lambda: nn.Linear(30, 20), path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_cut_off_is_told_from_a_whole_one_without_reading_weights(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"model{suffix}"
    (torch.save if suffix == ".pth" else save_file)(nn.Linear(30, 20).state_dict(), path)
    for reader in ("torch.load", "pytest_xeonperf.workloads.weights.load_file"):
        monkeypatch.delattr(reader)
    check(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"is cut off(.|\n)*fetch it again|not a readable(.|\n)*truncated"):
        check(path)


def test_a_checkpoint_of_another_model_names_the_first_weight_it_lacks(tmp_path):
    torch.save(nn.Linear(3, 2, bias=False).state_dict(), tmp_path / "model.pth")
    with pytest.raises(DataError, match="1 of 2 weights are missing, first 'bias'"):
        checkpoint(lambda: nn.Linear(3, 2), tmp_path / "model.pth")


def test_a_checkpoint_of_another_width_names_both_shapes(tmp_path):
    torch.save(nn.Linear(4, 2).state_dict(), tmp_path / "model.pth")
    with pytest.raises(DataError, match=r"'weight' has shape \[2, 4\] where the model has \[2, 3\]"):
        checkpoint(lambda: nn.Linear(3, 2), tmp_path / "model.pth")


def test_a_file_that_holds_no_state_dict_is_said(tmp_path):
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(DataError, match="no state dict"):
        checkpoint(lambda: nn.Linear(3, 2), tmp_path / "list.pth")


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    torch.save({"weight": Thread}, tmp_path / "code.pth")
    with pytest.raises(DataError, match="could run code"):
        checkpoint(lambda: nn.Linear(3, 2), tmp_path / "code.pth")
