"""Writes a Llama of transformers as a GGUF file, for peers that read no other: the same weights, under other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.variants.spec import Dtype

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

_ARCHITECTURE = "llama"


def write(module: nn.Module, path: Path, dtype: Dtype) -> None:
    """Write a model with its matrices in `dtype`, its vectors in FP32, and no vocabulary.

    Rows of queries and keys are put into the order of GGUF, which rotates neighbours where transformers rotates halves.

    Raises:
        NotApplicableError: It is no Llama, or one with what this does not write: biases, scaled rotary frequencies.
    """
    import gguf

    config: Any = module.config
    _require_plain(config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    writer = gguf.GGUFWriter(path, _ARCHITECTURE)
    _describe(writer, config)
    for name, tensor in module.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        ordered = _neighbours_of_halves(name, tensor, config)
        kind = Dtype.FP32 if ordered.dim() == 1 else dtype
        written = names.get_name(name, try_suffixes=(".weight",))
        if kind is Dtype.FP32:
            writer.add_tensor(written, ordered.float().numpy())
        else:
            raw = ordered.bfloat16().contiguous().view(torch.uint8)  # uint8 [rows, 2 * columns]
            writer.add_tensor(written, raw.numpy(), raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _require_plain(config: Any) -> None:
    rotary = getattr(config, "rope_parameters", None) or {}
    unknown = [
        what
        for what, is_there in {
            f"model_type {config.model_type!r}": config.model_type != _ARCHITECTURE,
            "biases": bool(getattr(config, "attention_bias", False) or getattr(config, "mlp_bias", False)),
            "scaled rotary frequencies": rotary.get("rope_type", "default") != "default",
        }.items()
        if is_there
    ]
    if unknown:
        raise NotApplicableError(
            f"only a plain Llama is written as GGUF, this model has {unknown[0]}",
            where="runtime='llama_cpp'",
            remedy="measure this model without it",
        )


def _describe(writer: Any, config: Any) -> None:
    rotary = getattr(config, "rope_parameters", None) or {}
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("no_vocab")  # it is fed token ids
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(float(rotary.get("rope_theta", 10_000.0)))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _neighbours_of_halves(name: str, weight: torch.Tensor, config: Any) -> torch.Tensor:
    """Queries and keys [heads * head_dim, hidden] with the halves of a head interleaved; other tensors as they are."""
    heads = {"q_proj.weight": config.num_attention_heads, "k_proj.weight": config.num_key_value_heads}
    count = next((heads[end] for end in heads if name.endswith(end)), None)
    if count is None:
        return weight
    rows, columns = weight.shape
    return weight.reshape(count, 2, rows // count // 2, columns).transpose(1, 2).reshape(rows, columns)
