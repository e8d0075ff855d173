"""Language models: Llama-2-7b's architecture with seeded weights, SmolLM2-135M with real ones, or a checkpoint.

Prefill and decode are timed apart: the first is bound by arithmetic, the second by how fast weights can be read. The
blog's int4 figure (https://pytorch.org/blog/genai-acceleration-intel-xeon/) is for decode.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Score, Unknown
from pytest_xeonperf.workloads import llm_attention, llm_checkpoint, llm_steps, smollm2, weights
from pytest_xeonperf.workloads.llm_described import configuration
from pytest_xeonperf.workloads.llm_scores import distribution_scores, perplexity_scores
from pytest_xeonperf.workloads.llm_sizes import (
    LENGTHS,
    LLAMA_2_7B,
    SMOLLM2_LENGTHS,
    Lengths,
    footprint,
    footprint_of_checkpoint,
    smollm2_shape,
)
from pytest_xeonperf.workloads.llm_text import random_tokens, text_tokens
from pytest_xeonperf.workloads.precision import keep_dtype
from pytest_xeonperf.workloads.protocol import Footprint, Inputs, Phase, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from pytest_xeonperf.workloads.presets import Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tokens:
    """What a model is fed.

    Attributes:
        ids: int64 [B, P + N + 1]: the prompt, the tokens that decoding is fed, and the one after them.
        are_text: Whether they are a text that the model can be scored on, or random.
    """

    ids: torch.Tensor
    are_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where a model comes from."""

    build: Callable[[], nn.Module]
    tokens: Callable[[], _Tokens]
    footprint: Callable[[str], Footprint | Unknown]


def load(name: str, preset: Preset, options: Mapping[str, object]) -> Workload:
    """The workload of that name with the phases ``prefill`` (an item is a prompt) and ``decode`` (an item is a token).

    Seeded weights are in BF16, as released ones are in 16 bits; so the FP32 variant has the very same weights.

    Args:
        name: ``llama-2-7b``, ``smollm2-135m``, or ``llm``, which needs a checkpoint.
        preset: How large the seeded model is, and how many tokens a call sees. A checkpoint keeps its size.
        options: ``checkpoint`` (a folder or GGUF file), ``batch``, ``prompt_tokens``.

    Raises:
        UsageError: An option cannot have that value, or ``llm`` is given no checkpoint.
        DataError: There is no such checkpoint, or it is no language model.
        NotApplicableError: SmolLM2's weights are not installed.
    """
    lengths = _lengths((SMOLLM2_LENGTHS if name == "smollm2-135m" else LENGTHS)[preset], options)
    path = options.get("checkpoint")
    if path is not None:
        checkpoint = Path(str(path)).expanduser()
        # Another model is another series in the history.
        return _workload(f"{name}:{checkpoint.name}", _checkpoint(checkpoint, lengths), lengths)
    if name == "llm":
        raise UsageError("llm needs a model", where="marker workload", remedy='say workload("llm", checkpoint=PATH)')
    source = _smollm2(lengths, preset) if name == "smollm2-135m" else _seeded(name, preset, lengths)
    return _workload(name, source, lengths)


def _workload(name: str, source: _Source, lengths: Lengths) -> Workload:
    tokens = functools.cache(source.tokens)

    def build() -> nn.Module:
        return _ready(source.build())

    def inputs() -> Inputs:
        ids, places = tokens().ids, lengths.prompt_tokens
        return Inputs(kwargs={"prompt": ids[:, :places], "forced": ids[:, places:-1]})

    prefill = Phase(
        name="prefill",
        item="prompt",
        items_per_call=lengths.batch,
        build=build,
        inputs=inputs,
        bind=llm_steps.prefill,
        stateful=True,
        scores=_prefill_scores,
        footprint=source.footprint("prefill"),
    )
    decode = Phase(
        name="decode",
        item="token",
        items_per_call=lengths.new_tokens * lengths.batch,
        weight_passes=lengths.new_tokens,
        build=build,
        inputs=inputs,
        bind=llm_steps.decode,
        stateful=True,
        scores=functools.partial(_decode_scores, tokens, lengths),
        footprint=source.footprint("decode"),
    )
    return Workload(name=name, phases=(prefill, decode), attention=llm_attention.switch)


def _prefill_scores(reference: object, output: object) -> tuple[Score, ...]:
    """The divergence alone: at one position, a share of agreement would only say 0 or 1."""
    return distribution_scores(reference, output)[:1]


def _decode_scores(
    tokens: Callable[[], _Tokens], lengths: Lengths, reference: object, output: object
) -> tuple[Score, ...]:
    """Divergence and agreement, and perplexity where the tokens are a text."""
    if not tokens().are_text:
        return distribution_scores(reference, output)
    targets = tokens().ids[:, lengths.prompt_tokens + 1 :]  # int64 [B, N]
    return perplexity_scores(targets)(reference, output)


def _seeded(name: str, preset: Preset, lengths: Lengths) -> _Source:
    shape = LLAMA_2_7B[preset]

    def construct() -> nn.Module:
        config = LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.intermediate,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            max_position_embeddings=4096,
        )
        model: nn.Module = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="eager")
        return model

    return _Source(
        build=lambda: weights.seeded(construct, key=f"{name}-{preset}"),
        tokens=lambda: _Tokens(ids=random_tokens(shape.vocabulary, lengths), are_text=False),
        footprint=lambda phase: footprint(name, phase, preset, **asdict(lengths)),
    )


def _smollm2(lengths: Lengths, preset: Preset) -> _Source:
    shape = smollm2_shape(preset)
    whole = _checkpoint(smollm2.gguf_path(), lengths)

    def build() -> nn.Module:
        module = whole.build()
        module.model.layers = module.model.layers[: shape.layers]  # type: ignore[index, union-attr]
        module.config.num_hidden_layers = shape.layers  # type: ignore[union-attr]
        return module

    return replace(
        whole, build=build, footprint=lambda phase: footprint("smollm2-135m", phase, preset, **asdict(lengths))
    )


def _checkpoint(path: Path, lengths: Lengths) -> _Source:
    llm_checkpoint.check(path)

    def tokens() -> _Tokens:
        folder = llm_checkpoint.folder_of(path)
        text = text_tokens(folder, lengths)
        if not isinstance(text, Unknown):
            return _Tokens(ids=text, are_text=True)
        vocabulary = int(str(configuration(folder)["vocab_size"]))
        return _Tokens(ids=random_tokens(vocabulary, lengths), are_text=False)

    return _Source(
        build=lambda: llm_checkpoint.build(path),
        tokens=tokens,
        footprint=lambda phase: footprint_of_checkpoint(path, phase, lengths),
    )


def _ready(module: nn.Module) -> nn.Module:
    """The model for inference; its rotary frequencies stay in FP32 in every variant."""
    for submodule in module.modules():
        if any(name == "inv_freq" for name, _ in submodule.named_buffers(recurse=False)):
            keep_dtype(submodule)
    return module.eval().requires_grad_(requires_grad=False)


def _lengths(lengths: Lengths, options: Mapping[str, object]) -> Lengths:
    """The preset's lengths, as far as options do not say otherwise."""
    given = {name: options[name] for name in ("batch", "prompt_tokens") if name in options}
    for name, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageError(f"{name}={value!r}", where="marker workload", remedy=f"{name} is a whole number from 1")
    return replace(lengths, **given)  # type: ignore[arg-type]  # checked above
