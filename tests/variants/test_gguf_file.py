"""A Llama written as GGUF: every weight is there, under the name and in the order that llama.cpp expects."""

import gguf
import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.variants import gguf_file
from pytest_xeonperf.variants.spec import Dtype

HEADS, KV_HEADS, WIDTH = 4, 2, 64
OF_A_LAYER = ["attn_k", "attn_norm", "attn_output", "attn_q", "attn_v", "ffn_down", "ffn_gate", "ffn_norm", "ffn_up"]


def tiny(**changes):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=WIDTH,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        **changes,
    )
    return LlamaForCausalLM(config).to(torch.bfloat16).eval()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.gguf"


def written(module, file, dtype=Dtype.BF16):
    gguf_file.write(module, file, dtype)
    return gguf.GGUFReader(file)


def values(reader):
    """Tensors by name, in FP32."""
    return {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1])
        for tensor in reader.tensors
    }


@pytest.mark.parametrize("dtype", list(Dtype))
def test_weights_keep_their_values(file, dtype):
    module = tiny()
    found = values(written(module, file, dtype))
    layers = {f"blk.{layer}.{part}.weight" for layer in range(2) for part in OF_A_LAYER}
    assert set(found) == layers | {"token_embd.weight", "output_norm.weight", "output.weight"}
    stored = module.state_dict()
    for ours, theirs in {
        "model.embed_tokens.weight": "token_embd.weight",
        "lm_head.weight": "output.weight",
        "model.layers.1.mlp.down_proj.weight": "blk.1.ffn_down.weight",
        "model.layers.0.self_attn.v_proj.weight": "blk.0.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    }.items():
        np.testing.assert_array_equal(found[theirs], stored[ours].float().numpy(), err_msg=ours)


@pytest.mark.parametrize(("part", "heads"), [("q", HEADS), ("k", KV_HEADS)])
def test_halves_of_a_head_become_neighbours(file, part, heads):
    module = tiny()
    found = values(written(module, file))[f"blk.0.attn_{part}.weight"]
    stored = module.state_dict()[f"model.layers.0.self_attn.{part}_proj.weight"].float().numpy()
    half = WIDTH // HEADS // 2
    for head in range(heads):
        first = head * 2 * half
        for row in range(half):
            np.testing.assert_array_equal(found[first + 2 * row], stored[first + row])
            np.testing.assert_array_equal(found[first + 2 * row + 1], stored[first + half + row])


def test_a_tied_last_layer_is_not_written_twice(file):
    assert "output.weight" not in values(written(tiny(tie_word_embeddings=True), file))


def test_what_the_model_is_stands_in_the_header(file):
    reader = written(tiny(rope_parameters={"rope_type": "default", "rope_theta": 5e5}), file)
    assert {
        key: reader.fields[f"llama.{key}"].contents()
        for key in ("attention.head_count", "attention.head_count_kv", "rope.freq_base", "vocab_size")
    } == {
        "attention.head_count": HEADS,
        "attention.head_count_kv": KV_HEADS,
        "rope.freq_base": pytest.approx(5e5),
        "vocab_size": 96,
    }


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"attention_bias": True}, "biases"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, "scaled rotary frequencies"),
    ],
    ids=["biases", "rope"],
)
def test_what_it_does_not_write_is_refused(file, changes, word):
    with pytest.raises(NotApplicableError, match=word):
        gguf_file.write(tiny(**changes), file, Dtype.BF16)
    assert not file.exists()


def test_another_architecture_is_refused(file):
    module = tiny()
    module.config.model_type = "qwen2"
    with pytest.raises(NotApplicableError, match="model_type 'qwen2'"):
        gguf_file.write(module, file, Dtype.BF16)
