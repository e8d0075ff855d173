"""How large the language models are, and what they need, from arithmetic alone: imports no torch.

Llama-2-7b's widths are those of its published configuration (https://arxiv.org/abs/2307.09288); `quick` keeps them and
takes 4 of the 32 layers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.workloads.llm_described import configuration, stored_parameters
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Footprint

if TYPE_CHECKING:
    from collections.abc import Mapping

_FP32_BYTES = 4
_OF_LLAMAS_KIND = frozenset({"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "olmo2", "phi3", "smollm3"})
"""Architectures with these names for their widths, and three matrices to an MLP; phi3 keeps them fused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A decoder of Llama's kind.

    Attributes:
        kv_heads: Heads of keys and values; fewer than `heads` where several queries share one.
        tied: Whether the last layer's weight is the embedding's.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_width: int
    vocabulary: int
    tied: bool = False

    @property
    def linear_parameters(self) -> int:
        """Weights that every token is multiplied with: all Linear layers, the last included."""
        attention = 2 * self.hidden * self.head_width * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.intermediate) + self.hidden * self.vocabulary

    @property
    def parameters(self) -> int:
        """All weights, norms and embedding included; a tied one once."""
        norms = (2 * self.layers + 1) * self.hidden
        return self.linear_parameters + norms + (0 if self.tied else self.hidden * self.vocabulary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How many tokens a call sees."""

    prompt_tokens: int
    new_tokens: int
    batch: int = 1

    @property
    def cache_tokens(self) -> int:
        """Places of the static cache."""
        return self.prompt_tokens + self.new_tokens


def _llama(*, layers: int) -> Shape:
    return Shape(
        layers=layers, hidden=4096, intermediate=11008, heads=32, kv_heads=32, head_width=128, vocabulary=32000
    )


LLAMA_2_7B: Mapping[Preset, Shape] = {
    Preset.SMOKE: Shape(layers=2, hidden=128, intermediate=256, heads=4, kv_heads=4, head_width=32, vocabulary=512),
    Preset.QUICK: _llama(layers=4),
    Preset.FULL: _llama(layers=32),
}

SMOLLM2_135M = Shape(
    layers=30, hidden=576, intermediate=1536, heads=9, kv_heads=3, head_width=64, vocabulary=49152, tied=True
)

LENGTHS: Mapping[Preset, Lengths] = {
    Preset.SMOKE: Lengths(prompt_tokens=16, new_tokens=4),
    Preset.QUICK: Lengths(prompt_tokens=128, new_tokens=8),
    Preset.FULL: Lengths(prompt_tokens=1024, new_tokens=32),
}

SMOLLM2_LENGTHS: Mapping[Preset, Lengths] = {
    Preset.SMOKE: Lengths(prompt_tokens=16, new_tokens=4),
    Preset.QUICK: Lengths(prompt_tokens=128, new_tokens=64),
    Preset.FULL: Lengths(prompt_tokens=256, new_tokens=128),
}
"""More tokens than for the large model, since they are cheap and a perplexity is a mean over them."""


def footprint(name: str, phase: str, preset: Preset, *, checkpoint: str = "", **lengths: int) -> Footprint | Unknown:
    """What a phase of a shipped model or of a checkpoint needs.

    Args:
        name: Which model.
        phase: ``prefill`` or ``decode``.
        preset: Its size and its lengths.
        checkpoint: Whose size it is then, whatever the preset.
        lengths: `Lengths` that the marker says otherwise.

    Raises:
        UsageError: No language model of that name.
        DataError: There is no such checkpoint.
    """
    if checkpoint:
        given = replace((SMOLLM2_LENGTHS if name == "smollm2-135m" else LENGTHS)[preset], **lengths)
        return footprint_of_checkpoint(Path(checkpoint).expanduser(), phase, given)
    match name:
        case "llama-2-7b":
            return footprint_of(LLAMA_2_7B[preset], phase, replace(LENGTHS[preset], **lengths))
        case "smollm2-135m":
            given = replace(SMOLLM2_LENGTHS[preset], **lengths)
            return footprint_of(smollm2_shape(preset), phase, given)
        case "llm":
            return Unknown(reason="it needs a checkpoint, which says how large it is")
    raise UsageError(f"unknown language model {name!r}", remedy="use llama-2-7b, smollm2-135m or llm")


def smollm2_shape(preset: Preset) -> Shape:
    """The whole model, but for `smoke`: its first two layers, since compiling all thirty takes a minute."""
    return replace(SMOLLM2_135M, layers=2) if preset is Preset.SMOKE else SMOLLM2_135M


def footprint_of(shape: Shape, phase: str, lengths: Lengths) -> Footprint:
    """What a phase needs at these lengths."""
    tokens = lengths.batch * (lengths.prompt_tokens if phase == "prefill" else lengths.new_tokens)
    last_layer_tokens = lengths.batch if phase == "prefill" else tokens
    last_layer = shape.hidden * shape.vocabulary
    multiplied = tokens * (shape.linear_parameters - last_layer) + last_layer_tokens * last_layer
    # Queries with keys, then with values; a static cache is attended to in its full length.
    attended = 2 * tokens * lengths.cache_tokens * shape.layers * shape.heads * shape.head_width
    return Footprint(
        parameters=shape.parameters,
        activation_bytes=_activation_bytes(shape, lengths),
        state_bytes=_state_bytes(shape, lengths),
        flop=2 * (multiplied + attended),
        weight_passes=1 if phase == "prefill" else lengths.new_tokens,
    )


def footprint_of_checkpoint(path: Path, phase: str, lengths: Lengths) -> Footprint | Unknown:
    """What a phase of a user's model needs: by its shape, or, of another architecture, by its weights alone.

    Raises:
        DataError: There is no such checkpoint, or it cannot be read.
    """
    shape = shape_of(configuration(path)) if path.is_dir() else Unknown(reason="GGUF has other names for it")
    if isinstance(shape, Shape):
        return footprint_of(shape, phase, lengths)
    parameters = stored_parameters(path)
    if isinstance(parameters, Unknown):
        return parameters
    tokens = lengths.batch * (lengths.prompt_tokens if phase == "prefill" else lengths.new_tokens)
    return Footprint(
        parameters=parameters,
        activation_bytes=0,  # at least: what is not known cannot be promised to fit, nor be held against it
        flop=2 * tokens * parameters,
        weight_passes=1 if phase == "prefill" else lengths.new_tokens,
    )


def _activation_bytes(shape: Shape, lengths: Lengths) -> int:
    """The prompt's widest layer, which decoding needs too before its first token."""
    tokens = lengths.batch * lengths.prompt_tokens
    scores = 3 * tokens * lengths.cache_tokens * shape.heads  # raw, masked, and after softmax
    gates = 3 * tokens * shape.intermediate
    return _FP32_BYTES * (6 * tokens * shape.hidden + max(scores, gates))


def _state_bytes(shape: Shape, lengths: Lengths) -> int:
    """The cache and the logits."""
    cache = 2 * shape.layers * shape.kv_heads * shape.head_width * lengths.batch * lengths.cache_tokens
    logits = 2 * lengths.batch * lengths.new_tokens * shape.vocabulary
    return _FP32_BYTES * (cache + logits)


def shape_of(config: Mapping[str, object]) -> Shape | Unknown:
    """The shape that a checkpoint's ``config.json`` describes, if the model is of Llama's kind."""
    if config.get("model_type") not in _OF_LLAMAS_KIND:
        return Unknown(reason=f"no arithmetic for the architecture {config.get('model_type')!r}")
    hidden, heads = _integer(config, "hidden_size"), _integer(config, "num_attention_heads")
    return Shape(
        layers=_integer(config, "num_hidden_layers"),
        hidden=hidden,
        intermediate=_integer(config, "intermediate_size"),
        heads=heads,
        kv_heads=_integer(config, "num_key_value_heads", heads),
        head_width=_integer(config, "head_dim", hidden // heads),
        vocabulary=_integer(config, "vocab_size"),
        tied=config.get("tie_word_embeddings") is True,
    )


def _integer(config: Mapping[str, object], name: str, otherwise: int = 0) -> int:
    value = config.get(name)
    return value if isinstance(value, int) else otherwise
