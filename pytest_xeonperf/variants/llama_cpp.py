"""A peer: the same Llama with the same weights and tokens through llama.cpp, in the same rounds.

What people would use instead of native PyTorch for language models on CPUs. The model is written as GGUF, quantised by
llama.cpp itself as its users do (int4: Q4_0, with its own choice of type for the vocabulary's layer; int8: Q8_0), and
run through its C interface on as many threads as torch has.
"""

from __future__ import annotations

import ctypes
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pytest_xeonperf.errors import InfrastructureError, NotApplicableError
from pytest_xeonperf.variants import gguf_file
from pytest_xeonperf.variants.spec import Variant, Woq
from pytest_xeonperf.workloads.weights import cache_folder

if TYPE_CHECKING:
    from torch import nn

    from pytest_xeonperf.workloads.protocol import Inputs, Phase, Step

_FILE_TYPES = {Woq.INT4: "LLAMA_FTYPE_MOSTLY_Q4_0", Woq.INT8: "LLAMA_FTYPE_MOSTLY_Q8_0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A model on disk as llama.cpp reads it, until it has been loaded.

    Attributes:
        weight_bytes: Of all of its tensors.
        streamed_bytes: Without the embedding, where no other layer multiplies with it.
    """

    file: Path
    vocabulary: int
    weight_bytes: int
    streamed_bytes: int


def write(module: nn.Module, variant: Variant) -> Written:
    """Write a model for llama.cpp, quantised as the variant says.

    Raises:
        NotApplicableError: The model is no plain Llama.
        InfrastructureError: There is no room for it on disk, or llama.cpp does not quantise it.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    own = Path(tempfile.mkdtemp(dir=folder, prefix=".llama-cpp-"))
    try:
        file = own / "model.gguf"
        gguf_file.write(module, file, variant.dtype)
        if variant.woq is not Woq.NONE:
            quantised = own / "quantised.gguf"
            _quantise(file, quantised, _FILE_TYPES[variant.woq])
            file.unlink()
            file = quantised
        total_bytes, table_bytes = _sizes_bytes(file)
    except BaseException as error:
        shutil.rmtree(own, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        raise InfrastructureError(
            f"cannot write the model for llama.cpp ({error.strerror})", where=str(folder), remedy="make room"
        ) from error
    vocabulary: int = module.config.vocab_size  # type: ignore[union-attr, assignment]
    return Written(file=file, vocabulary=vocabulary, weight_bytes=total_bytes, streamed_bytes=total_bytes - table_bytes)


def bind(written: Written, phase: Phase, inputs: Inputs) -> Step:
    """The step of ``prefill`` or ``decode``: logits [1, 1, V] or [1, N, V] in FP32, from the tokens that torch gets.

    The file is gone afterwards: it has been loaded.

    Raises:
        NotApplicableError: Another phase, or more than one prompt at a time.
        InfrastructureError: llama.cpp does not load the model.
    """
    try:
        if phase.name not in ("prefill", "decode") or inputs.kwargs["prompt"].shape[0] != 1:
            raise NotApplicableError(
                "it runs the prefill and decode of one prompt at a time",
                where="runtime='llama_cpp'",
                remedy="measure this phase without it",
            )
        prompt = inputs.kwargs["prompt"][0]  # int64 [P]
        forced = inputs.kwargs["forced"][0]  # int64 [N]
        model = _Model(written, places=len(prompt) + len(forced), longest=len(prompt))
    finally:
        shutil.rmtree(written.file.parent, ignore_errors=True)
    if phase.name == "prefill":
        return lambda: model.extend(prompt, 0)
    model.extend(prompt, 0)
    singles = forced.split(1)  # N of int64 [1]
    return lambda: torch.cat([model.extend(one, len(prompt) + at) for at, one in enumerate(singles)], dim=1)


class _Model:
    """A loaded model with room for one text."""

    def __init__(self, written: Written, *, places: int, longest: int) -> None:
        import llama_cpp

        _quiet()
        self.api, self.vocabulary = llama_cpp, written.vocabulary
        model = llama_cpp.llama_model_load_from_file(str(written.file).encode(), llama_cpp.llama_model_default_params())
        if not model:
            raise InfrastructureError("llama.cpp does not load the model", where="runtime='llama_cpp'")
        weakref.finalize(self, llama_cpp.llama_model_free, model)
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_batch = places, longest
        settings.n_threads = settings.n_threads_batch = torch.get_num_threads()
        self.context = llama_cpp.llama_init_from_model(model, settings)
        if not self.context:
            raise InfrastructureError("llama.cpp makes no context", where="runtime='llama_cpp'")
        weakref.finalize(self, llama_cpp.llama_free, self.context)  # before the model: the last comes first
        self.memory = llama_cpp.llama_get_memory(self.context)

    def extend(self, tokens: torch.Tensor, position: int) -> torch.Tensor:
        """Put tokens [T] at a position, forgetting what stands there and behind it; logits [1, 1, V] of the last."""
        self.api.llama_memory_seq_rm(self.memory, 0, position, -1)
        ids = (self.api.llama_token * len(tokens))(*tokens.tolist())
        if self.api.llama_decode(self.context, self.api.llama_batch_get_one(ids, len(tokens))):
            raise InfrastructureError("llama.cpp did not run the model", where="runtime='llama_cpp'")
        logits = self.api.llama_get_logits_ith(self.context, -1)
        found = torch.frombuffer(
            (ctypes.c_float * self.vocabulary).from_address(ctypes.addressof(logits.contents)), dtype=torch.float32
        )
        found.argmax()  # the greedy choice, as in torch's step
        return found.clone().view(1, 1, -1)


def _quantise(source: Path, target: Path, file_type: str) -> None:
    import llama_cpp

    _quiet()
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = getattr(llama_cpp, file_type)
    settings.nthread = torch.get_num_threads()
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), settings):
        raise InfrastructureError("llama.cpp did not quantise the model", where=str(source))


def _sizes_bytes(file: Path) -> tuple[int, int]:
    """Bytes of all tensors, and of an embedding that no other layer multiplies with."""
    import gguf

    sizes = {tensor.name: int(tensor.n_bytes) for tensor in gguf.GGUFReader(file).tensors}
    return sum(sizes.values()), sizes["token_embd.weight"] if "output.weight" in sizes else 0


def _quiet() -> None:
    """Let llama.cpp say errors alone; they end up in the log of the measuring child."""
    from llama_cpp._logger import set_verbose

    set_verbose(verbose=False)
