"""From a checkpoint to a quantised one and back into a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, LlamaConfig

from pytest_xeonperf.cli.quantize import command
from pytest_xeonperf.errors import DataError, NotApplicableError, UsageError
from pytest_xeonperf.variants import apply
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.variants.spec import Variant, Woq
from pytest_xeonperf.workloads import llm
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from pytest_xeonperf.workloads.protocol import Workload


def source(folder, *, tied=False, hidden=64, intermediate=128, dtype=torch.float32, bias=True):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        tie_word_embeddings=tied,
        attention_bias=bias,
    )
    module = AutoModelForCausalLM.from_config(config, dtype=dtype)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    module.save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


def quantize(*arguments: object):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def workload(checkpoint) -> Workload:
    return llm.load("llm", Preset.SMOKE, {"checkpoint": checkpoint})


def buffers(variant: Variant, checkpoint) -> dict[str, torch.Tensor]:
    loaded = workload(checkpoint)
    return dict(apply.build(variant, loaded, loaded.phases[0]).module.state_dict())


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("woq", "group_size"), [("int8", 128), ("int4", 32), ("int4", 64)])
def test_a_quantised_checkpoint_gives_the_model_that_quantising_on_the_fly_gives(
    tmp_path, woq, group_size, dtype, tied
):
    original = source(tmp_path / "original", dtype=dtype, tied=tied)
    quantize(original, tmp_path / "quantised", "--woq", woq, "--group-size", group_size)
    variant = Variant(name="v", woq=Woq(woq), group_size=group_size)
    expected, found = buffers(variant, original), buffers(variant, tmp_path / "quantised")
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name


def test_the_weights_lie_unpacked_in_the_folder_beside_configuration_and_tokenizer(tmp_path):
    result = quantize(source(tmp_path / "original"), tmp_path / "quantised", "--woq", "int4", "--group-size", "32")
    assert result.stdout == f"{tmp_path / 'quantised'}\n"
    assert {file.name for file in (tmp_path / "quantised").iterdir()} == {
        "config.json",
        "generation_config.json",
        "quantised.json",
        "quantised-00001.safetensors",
        "tokenizer_config.json",
    }
    weights = load_file(tmp_path / "quantised" / "quantised-00001.safetensors")
    assert weights["lm_head.weight"].shape == (96, 32)
    assert weights["lm_head.weight"].dtype == torch.uint8
    assert weights["lm_head.scales"].shape == (96, 2)
    description = json.loads((tmp_path / "quantised" / "quantised.json").read_text())
    assert description["version"] == 1
    assert description["scheme"] == {"woq": "int4", "group_size": 32}


def test_without_the_technique_the_dequantised_weights_are_measured(tmp_path):
    original = source(tmp_path / "original")
    quantize(original, tmp_path / "quantised", "--woq", "int8")
    exact, restored = (buffers(NAMED["eager_fp32"], folder) for folder in (original, tmp_path / "quantised"))
    assert exact.keys() == restored.keys()
    name = "model.layers.0.mlp.up_proj.weight"
    assert 0 < (exact[name] - restored[name]).abs().max() < 0.01
    bias = "model.layers.0.self_attn.q_proj.bias"
    assert torch.equal(exact[bias], restored[bias])


def test_another_group_size_than_the_checkpoints_is_refused_naming_both(tmp_path):
    quantize(source(tmp_path / "original"), tmp_path / "quantised", "--woq", "int4", "--group-size", "32")
    loaded = workload(tmp_path / "quantised")
    with pytest.raises(DataError, match="holds int4 with group size 32, the variant asks for int4 with group size 64"):
        apply.build(Variant(name="v", woq=Woq.INT4, group_size=64), loaded, loaded.phases[0])


@pytest.mark.parametrize("tied", [False, True])
def test_layers_that_the_kernel_refuses_stay_as_they_were_and_are_listed(tmp_path, tied):
    original = source(tmp_path / "original", hidden=72, tied=tied)  # o_proj has K=64, down_proj K=128, the rest K=72
    result = quantize(original, tmp_path / "quantised", "--woq", "int8")
    assert "left as it was: lm_head: K=72 is not a multiple of 16" in result.stderr
    variant = Variant(name="v", woq=Woq.INT8)
    expected, found = buffers(variant, original), buffers(variant, tmp_path / "quantised")
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert found.keys() == expected.keys()


def test_a_model_that_the_kernel_refuses_altogether_writes_nothing(tmp_path):
    original = source(tmp_path / "original", hidden=72, intermediate=96)
    with pytest.raises(NotApplicableError, match="is not a multiple of the group size 128"):
        quantize(original, tmp_path / "out" / "quantised", "--woq", "int4", "--group-size", "128")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_destination_that_exists_is_left_alone(tmp_path):
    with pytest.raises(UsageError, match="is there already"):
        quantize(source(tmp_path / "original"), tmp_path, "--woq", "int8")


def test_a_source_that_is_not_there_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="no such checkpoint"):
        quantize(tmp_path / "nowhere", tmp_path / "quantised", "--woq", "int8")
    assert not (tmp_path / "quantised").exists()


def test_an_unknown_group_size_is_a_usage_error(tmp_path):
    result = CliRunner().invoke(command, [str(tmp_path), str(tmp_path / "q"), "--woq", "int4", "--group-size", "48"])
    assert result.exit_code == 2
    assert "'32', '64', '128'" in result.stderr
