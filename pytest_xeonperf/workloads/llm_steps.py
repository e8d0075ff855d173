"""The two timed calls of a language model: prefill (time to first token) and decode (time per output token).

Both use transformers' static cache, so that shapes never change and a compiled call is compiled once; positions are
tensors. A call rewinds the cache instead of making a new one, so it does the same work every time.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from transformers import StaticCache

from pytest_xeonperf.errors import DataError, NotApplicableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from pytest_xeonperf.workloads.protocol import Compiler, Inputs, Step

NextToken = tuple[torch.Tensor, torch.Tensor]
"""Logits [B, 1, V] of the last position, and the greedy choice int64 [B, 1]."""


def prefill(module: nn.Module, inputs: Inputs, compiler: Compiler) -> Step:
    """The step that reads the prompt into an empty cache and chooses the first token: logits [B, 1, V]."""
    prompt = inputs.kwargs["prompt"]  # int64 [B, P]
    cache = _cache(module, inputs)
    extend = _extend(module, cache)
    extend(prompt[:, :1])  # allocates the cache outside of compiled code
    compiled_extend = compiler(extend)

    def step() -> object:
        _rewind(cache, 0)
        return compiled_extend(prompt)[0]

    return step


def decode(module: nn.Module, inputs: Inputs, compiler: Compiler) -> Step:
    """The step that decodes N tokens after the prompt, one by one: logits [B, N, V].

    Each token's greedy successor is chosen, as in generation, but the next token fed is the given one: else two
    variants would follow different texts after their first disagreement, and their logits could not be compared.
    """
    prompt = inputs.kwargs["prompt"]  # int64 [B, P]
    tokens = [token.contiguous() for token in inputs.kwargs["forced"].split(1, dim=1)]  # N of int64 [B, 1]
    cache = _cache(module, inputs)
    extend = _extend(module, cache)
    extend(prompt)
    one_token = compiler(extend)

    def step() -> object:
        _rewind(cache, prompt.shape[1])
        return torch.cat([one_token(token)[0] for token in tokens], dim=1)

    return step


def _extend(module: nn.Module, cache: Any) -> Callable[[torch.Tensor], NextToken]:
    """The hot callable: appends tokens [B, T] to the cache and says what comes next."""
    # transformers 5.24 renamed the argument, and warns about the old name
    name = "cache" if "cache" in inspect.signature(module.forward).parameters else "past_key_values"

    def extend(tokens: torch.Tensor) -> NextToken:
        logits = module(input_ids=tokens, use_cache=True, logits_to_keep=1, **{name: cache}).logits
        return logits, logits.argmax(dim=-1)

    return extend


def _cache(module: nn.Module, inputs: Inputs) -> Any:
    """An empty cache with room for the prompt and the tokens after it.

    Raises:
        DataError: The model knows fewer positions.
        NotApplicableError: The model's cache cannot be rewound.
    """
    places = inputs.kwargs["prompt"].shape[1] + inputs.kwargs["forced"].shape[1]
    config: Any = module.config
    most = getattr(config.get_text_config(), "max_position_embeddings", None) or places
    if places > most:  # rotary positions would go on, and mean nothing
        raise DataError(
            f"prompt and new tokens take {places} positions, the model was made for {most}",
            where=type(module).__name__,
            remedy="give the workload fewer prompt_tokens",
        )
    cache = StaticCache(config=module.config, max_cache_len=places)
    for layer in cache.layers:
        if layer.is_sliding or not hasattr(layer, "cumulative_length"):
            raise NotApplicableError(
                f"{type(layer).__name__} cannot be rewound: a step could not do the same work every time",
                where=type(module).__name__,
                remedy="use a model whose layers all attend to the whole text, or bring it as a workload of your own",
            )
    return cache


def _rewind(cache: Any, position: int) -> None:
    """Let the next token be written at `position`; what stands behind it is masked."""
    for layer in cache.layers:
        layer.cumulative_length.fill_(position)
