"""A GGUF file as a folder in Hugging Face's layout, its weights in FP32, a few tensors at a time.

transformers reads GGUF too, but holds the whole model in FP32 to do so: 25 GiB of a 7B model whose file has 4. Which
tensor goes where, and how it has to be turned, is asked of transformers here as well.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_gguf_pytorch_utils import (
    TENSOR_PROCESSORS,
    TensorProcessor,
    get_gguf_hf_weights_map,
    load_gguf_checkpoint,
    read_field,
)

from pytest_xeonperf.workloads.llm_described import unreadable
from pytest_xeonperf.workloads.quantised_checkpoint import UNREADABLE
from pytest_xeonperf.workloads.shards import Shards

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_dequantised(gguf: Path, folder: Path) -> None:
    """Write the model of a GGUF file into a folder that is there: its configuration, and FP32 weights in shards.

    Raises:
        DataError: The file is damaged, or holds an architecture that transformers does not know.
        OSError: The folder cannot be written; safetensors says it with its own `SafetensorError`.
    """
    with _reading(gguf), torch.device("meta"):
        config = AutoConfig.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)
        module = AutoModelForCausalLM.from_config(config)
    config.architectures = [type(module).__name__]
    config.dtype = torch.float32
    config.save_pretrained(folder)
    shards = Shards(folder=folder, stem="model")
    total_bytes = 0
    for name, tensor in _tensors(gguf, module):
        shards.add(name, tensor)
        total_bytes += tensor.nbytes
    shards.finish()
    index = {"metadata": {"total_size": total_bytes}, "weight_map": shards.file_of}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, allow_nan=False), encoding="utf-8")


def _tensors(gguf: Path, module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of the file that the module has a place for, dequantised and turned the module's way."""
    from gguf import GGUFReader, dequantize

    with _reading(gguf):
        reader = GGUFReader(gguf)
        architecture = read_field(reader, "general.architecture")[0]
        described = load_gguf_checkpoint(gguf)
        processor = TENSOR_PROCESSORS.get(architecture, TensorProcessor)(config=described["config"])
        places = get_gguf_hf_weights_map(module, processor)
    merged: dict[str, torch.Tensor] = {}  # experts that several tensors of the file make up together
    for stored in reader.tensors:
        with _reading(gguf):
            turned = processor.process(
                weights=dequantize(stored.data, stored.tensor_type),
                name=stored.name,
                tensor_key_mapping=places,
                parsed_parameters={"config": described["config"], "tensors": merged},
            )
        if turned.name in places:
            yield places[turned.name], torch.from_numpy(turned.weights.copy())
    yield from merged.items()


@contextmanager
def _reading(gguf: Path) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise unreadable(gguf, error) from error
