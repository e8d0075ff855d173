"""The folder that ``xeonperf quantize`` writes, read back into a model.

It holds ``config.json`` and the tokenizer as the source had them, weights in safetensors files of at most a gigabyte
or so, and ``quantised.json``: the format's version, the scheme, and which layers were quantised into which parts.
Weights are unpacked (int8 [N, K]; int4 two to a byte [N, K/2]), since packed layouts differ from machine to machine.
The files' names are not those that transformers looks for, so that nothing loads them as what they are not.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from accelerate import init_empty_weights
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.workloads.quantised_linear import Scheme, StoredLinear
from pytest_xeonperf.workloads.shards import Shards

if TYPE_CHECKING:
    from pathlib import Path

    import torch

UNREADABLE = (
    SafetensorError,
    StrictDataclassError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    EOFError,
    TypeError,
    AttributeError,
)
"""What readers of checkpoints raise on files that are damaged or something else; they have no error class in common."""

_DESCRIPTION = "quantised.json"
_VERSION = 1


def holds_one(folder: Path) -> bool:
    """Whether a folder is a quantised checkpoint."""
    return (folder / _DESCRIPTION).is_file()


@dataclass(kw_only=True)
class Writer:
    """Writes a quantised checkpoint tensor by tensor."""

    folder: Path
    scheme: Scheme
    _layers: dict[str, list[str]] = field(default_factory=dict)
    _shards: Shards = field(init=False)

    def __post_init__(self) -> None:
        self._shards = Shards(folder=self.folder, stem="quantised")

    def add_layer(self, name: str, parts: dict[str, torch.Tensor]) -> None:
        """Take the parts of one quantised layer."""
        self._layers[name] = list(parts)
        for part, tensor in parts.items():
            self.add(f"{name}.{part}", tensor)

    def add(self, name: str, tensor: torch.Tensor) -> None:
        """Take a tensor that stays as it is."""
        self._shards.add(name, tensor)

    def finish(self) -> None:
        """Write what is pending, and the description: without it the folder is no checkpoint."""
        self._shards.finish()
        description = {
            "version": _VERSION,
            "scheme": asdict(self.scheme),
            "layers": self._layers,
            "files": self._shards.files,
        }
        text = json.dumps(description, indent=1, allow_nan=False)
        (self.folder / _DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> nn.Module:
    """The model, with a `StoredLinear` for each quantised layer and everything else as it was in the source.

    Raises:
        DataError: The description is damaged or of a newer version, or weights are damaged or missing.
    """
    scheme, layers, files = _description(folder)
    state: dict[str, torch.Tensor] = {}
    try:
        for name in files:
            state |= load_file(folder / name)
        module = _empty_model(folder)
        tied = _tied_names(module)
        for name, parts in layers.items():
            path, _, leaf = name.rpartition(".")
            bias = state.pop(f"{name}.bias", None)
            tensors = {part: state.pop(f"{name}.{part}") for part in parts}
            owned = None if bias is None else nn.Parameter(bias, requires_grad=False)
            setattr(module.get_submodule(path), leaf, StoredLinear(scheme, tensors, owned))
        module.load_state_dict(state, strict=False, assign=True)
    except UNREADABLE as error:
        raise _damaged(folder, f"weights cannot be read ({error})") from error
    _tie(module, tied)
    missing = [name for name, tensor in module.state_dict().items() if tensor.is_meta]
    if missing:
        raise _damaged(folder, f"{len(missing)} weights are missing, first {missing[0]!r}")
    return module.eval().requires_grad_(requires_grad=False)


def _description(folder: Path) -> tuple[Scheme, dict[str, list[str]], list[str]]:
    try:
        description = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
        version = int(description["version"])
        if version > _VERSION:
            raise DataError(
                f"{_DESCRIPTION} has version {version}, this release reads {_VERSION}",
                where=str(folder),
                remedy="update pytest-xeonperf, or write the checkpoint again with xeonperf quantize",
            )
        return Scheme(**description["scheme"]), dict(description["layers"]), list(description["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, f"{_DESCRIPTION} cannot be read ({error!r})") from error


def _empty_model(folder: Path) -> nn.Module:
    """The model with parameters on the meta device and real buffers, tied weights tied."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    with init_empty_weights(include_buffers=False), warnings.catch_warnings():
        # transformers initialises what it believes to be allocated; on the meta device torch says that this does
        # nothing.
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors is a no-op")
        module: nn.Module = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    module.tie_weights()  # type: ignore[operator]  # a method of transformers' models
    return module


def _tied_names(module: nn.Module) -> list[list[str]]:
    """The names of each parameter that has several."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [group for group in names.values() if len(group) > 1]


def _tie(module: nn.Module, groups: list[list[str]]) -> None:
    """Give all names of a tied parameter the one that was loaded, but where a layer was quantised by itself."""
    for group in groups:
        parameters = dict(module.named_parameters(remove_duplicate=False))
        loaded = [parameters[name] for name in group if name in parameters and not parameters[name].is_meta]
        for name in group:
            if loaded and name in parameters:
                path, _, leaf = name.rpartition(".")
                setattr(module.get_submodule(path), leaf, loaded[0])


def _damaged(folder: Path, what: str) -> DataError:
    return DataError(what, where=str(folder), remedy="write the checkpoint again with xeonperf quantize")
