"""Weights for the shipped models: seeded ones, made once into a cache that all processes map, or a user's checkpoint.

Seeded weights are nonzero in every parameter and scaled so that signals neither fade nor blow up, so that leaving out
a bias, a norm, a scale or a position table shows in the output, and BF16 stays as close to FP32 as it does in trained
models.
"""

from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.host.cachedir import cache_dir
from pytest_xeonperf.workloads.weights_file import Plan, Tensor, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_RESIDUAL_ENDS = (
    "attn.proj.weight",  # SAM's image encoder
    "mlp.lin2.weight",  # SAM's encoder and decoder
    "out_proj.weight",  # SAM's decoder, transformers' encoders
    "o_proj.weight",  # Llama
    "down_proj.weight",
    "to_out.0.weight",  # diffusers' attention
    "ff.net.2.weight",
    "conv2.weight",  # diffusers' residual blocks
    "proj_out.weight",
)
"""The layers that write into a residual stream: scaled down, as in GPT-2, or depth drowns what came before."""

_RESIDUAL_GAIN = 0.6
_TABLES = ("pos_embed", "rel_pos")


def seeded(construct: Callable[[], nn.Module], *, key: str, seed: int = 0, cache: Path | None = None) -> nn.Module:
    """The module that `construct` makes, with seeded weights mapped from a file, in eval mode, without gradients.

    Parameters are neither allocated nor initialised by `construct`; they keep the dtype it gives them. Buffers are
    real and keep what the constructor gave them, made under `seed`. Tied parameters stay tied.

    Args:
        construct: Makes the module, by its constructor alone.
        key: Readable beginning of the file's name, such as ``sam-vit-b-encoder``.
        seed: Another seed, another file.
        cache: Folder of the files; `cache_folder` where none is given.

    Raises:
        InfrastructureError: The disk has no room for the file.
        DataError: A file in the cache is damaged.
    """
    module = _without_weights(construct, seed)
    plan = Plan(seed=seed, tensors=tuple(_drawn(module)))
    path = (cache or cache_folder()) / f"{key}-{plan.digest}.safetensors"
    if not path.exists():
        write(path, plan)
    _assign(module, _read(path))
    return module.eval().requires_grad_(requires_grad=False)


def checkpoint(
    construct: Callable[[], nn.Module], path: Path, *, key_of: Callable[[str], str] = lambda name: name
) -> nn.Module:
    """The module that `construct` makes, with a user's weights, in eval mode, without gradients.

    Args:
        construct: Makes the module, by its constructor alone.
        path: A ``.safetensors`` file, or what ``torch.save`` wrote of a state dict.
        key_of: From the module's own name of a weight to the checkpoint's; what is not asked for is ignored.

    Raises:
        DataError: There is no such file, it is truncated, or it holds other weights than the module needs.
    """
    module = _without_weights(construct, 0)
    state = _read(path)
    wanted = module.state_dict()
    missing = [key_of(name) for name in wanted if key_of(name) not in state]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(wanted)} weights are missing, first {missing[0]!r}",
            where=str(path),
            remedy="give the checkpoint of this very model",
        )
    for name, tensor in wanted.items():
        given = state[key_of(name)]
        if given.shape != tensor.shape:
            raise DataError(
                f"weight {key_of(name)!r} has shape {list(given.shape)} where the model has {list(tensor.shape)}",
                where=str(path),
                remedy="give the checkpoint of this very model",
            )
    module.load_state_dict({name: state[key_of(name)].to(tensor.dtype) for name, tensor in wanted.items()}, assign=True)
    return module.eval().requires_grad_(requires_grad=False)


def check(path: Path) -> None:
    """Look at a checkpoint's file without reading its weights.

    Raises:
        DataError: It is not there, or is cut off: both formats know where they must end.
    """
    if not path.is_file():
        raise DataError("no such checkpoint", where=str(path), remedy="check the path")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt"):
                pass
        elif not zipfile.is_zipfile(path):  # what torch.save writes; its table of contents comes last
            raise DataError(
                "is cut off, or not in the format that torch.save writes today",
                where=str(path),
                remedy="fetch it again; an old one can be loaded with torch.load and saved anew",
            )
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def cache_folder() -> Path:
    """Where seeded weights are kept: below ``XEONPERF_CACHE`` where that is set, else in the user's cache folder."""
    own = os.environ.get("XEONPERF_CACHE", "")
    return Path(own) / "weights" if own else cache_dir("weights")


def _without_weights(construct: Callable[[], nn.Module], seed: int) -> nn.Module:
    """The module with parameters on the meta device and real buffers."""
    with torch.random.fork_rng(devices=[]), init_empty_weights(include_buffers=False), warnings.catch_warnings():
        # Constructors initialise what they take for allocated; on the meta device torch says that it does nothing.
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors is a no-op")
        torch.manual_seed(seed)
        module = construct()
    tie = getattr(module, "tie_weights", None)  # transformers: emptying weights has untied them
    if callable(tie):
        tie()
    return module


def _drawn(module: nn.Module) -> Iterator[Tensor]:
    """How each parameter is drawn, tied ones once."""
    for name, parameter in module.named_parameters():
        owner = module.get_submodule(name.rpartition(".")[0])
        mean, std = _mean_and_std(name, parameter, owner)
        yield Tensor(name=name, shape=tuple(parameter.shape), dtype=parameter.dtype, mean=mean, std=std)


def _mean_and_std(name: str, parameter: nn.Parameter, owner: nn.Module) -> tuple[float, float]:
    """Scales that keep signals near unit size, and everything else large enough to be missed."""
    if any(table in name for table in _TABLES):
        return 0.0, 0.5
    if parameter.dim() < 2:  # noqa: PLR2004 - a vector: a norm's scale, or a bias
        return (0.0, 0.35) if name.endswith("bias") else (1.0, 0.4)
    if isinstance(owner, nn.Embedding):
        return 0.0, 1.0
    transposed = isinstance(owner, nn.ConvTranspose2d)  # its weight is [in, out, h, w], and stride equals kernel here
    fan_in = parameter.shape[0] if transposed else parameter[0].numel()
    gain = _RESIDUAL_GAIN if name.endswith(_RESIDUAL_ENDS) else 1.0
    return 0.0, gain / fan_in**0.5


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    """The state dict in a file, mapped into memory."""
    check(path)
    try:
        if path.suffix == ".safetensors":
            mapped: dict[str, torch.Tensor] = load_file(path)
            return mapped
        state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except UnpicklingError as error:
        raise DataError(
            "holds more than weights, which is not loaded, since it could run code",
            where=str(path),
            remedy="save it with torch.save(module.state_dict(), path)",
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(
            "holds no state dict", where=str(path), remedy="save it with torch.save(module.state_dict(), path)"
        )
    return state


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).partition("\n")[0]
    return DataError(
        f"not a readable checkpoint ({reason})", where=str(path), remedy="it may be truncated: fetch or write it again"
    )


def _assign(module: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Put the file's tensors in place without a copy; tied parameters get the same object."""
    first_names: dict[int, str] = {}
    replaced: dict[str, nn.Parameter] = {}
    for name, parameter in list(module.named_parameters(remove_duplicate=False)):
        first = first_names.setdefault(id(parameter), name)
        if first not in replaced:
            replaced[first] = nn.Parameter(state[first], requires_grad=False)
        path, _, leaf = name.rpartition(".")
        module.get_submodule(path).register_parameter(leaf, replaced[first])
