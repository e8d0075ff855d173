"""What a variant is made of, as data: imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.workloads.protocol import Attention

if TYPE_CHECKING:
    from collections.abc import Iterator

    _Check = tuple[bool, str, str]  # whether it cannot be meant, what is wrong, what to do

GROUP_SIZES = (32, 64, 128)
_DEFAULT_GROUP_SIZE = 128


class Dtype(StrEnum):
    """Dtype of weights and activations."""

    FP32 = "fp32"
    BF16 = "bf16"


WIDTH_BYTES = {Dtype.FP32: 4, Dtype.BF16: 2}


class Woq(StrEnum):
    """Quantisation of the Linear layers' weights: none, W8A16 (W8A8 by `DYNAMIC` and by OpenVINO) or W4A16."""

    NONE = "none"
    INT8 = "int8"
    INT4 = "int4"


class Kernel(StrEnum):
    """Who multiplies with the weights of linear layers.

    Torch's kernels; ours, made for reading weights; ours for any number of rows, which quantises these too (W8A8);
    whatever torchao's quantisation comes to; or what NNCF's makes of a whole model for OpenVINO (W8A8).
    """

    ATEN = "aten"
    STREAM = "stream"
    DYNAMIC = "dynamic"
    TORCHAO = "torchao"
    NNCF = "nncf"


class Convolutions(StrEnum):
    """Who convolves images: torch; or our kernel, which quantises weights and pixels to int8 (W8A8)."""

    ATEN = "aten"
    DYNAMIC = "dynamic"


class Internals(StrEnum):
    """In what operands are multiplied: as they are; FP32 ones rounded to BF16; or BF16 ones in FP32 or in bytes."""

    SAME = "same"
    BF16 = "bf16"
    FP32 = "fp32"
    INT8 = "int8"


class Runtime(StrEnum):
    """What runs the model: torch, or a peer that people would use instead."""

    TORCH = "torch"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"
    LLAMA_CPP = "llama_cpp"


CONVERTING = frozenset({Runtime.OPENVINO, Runtime.ONNXRUNTIME})
"""Peers that take a module over at its first call, which stays in memory beside what they made of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run a model.

    Attributes:
        name: Identity in the history.
        compile: Whether the hot callable of a phase goes through ``torch.compile``.
        channels_last: Whether images and the weights of convolutions lie in memory with the channels of a pixel side by
            side.
        freeze: Whether compiling may take weights for constants, and keep them packed for oneDNN.
        cpp_wrapper: Whether compiling covers the calls of kernels too, which Python makes otherwise.
        autotune: Whether compiling times Inductor's own matrix products against oneDNN's, and takes the faster ones.
        group_size: Weights that share one scale; read only where `woq` is int4.
        kernel: Of linear layers, quantised or in BF16.
        convolutions: Who convolves; whatever `woq` and `kernel` say, which are of linear layers.
        internals: BF16 of FP32 tensors, by oneDNN; of BF16 tensors FP32, by our kernels for attention and, where there
            are many rows of activations, for quantised weights, or int8, by those for attention.
        runtime: A peer gets torch's weights and does the rest its own way; llama.cpp quantises too, in its groups, and
            for OpenVINO NNCF does: weights alone, or with the kernel `NNCF` all that is multiplied.
    """

    name: str
    dtype: Dtype = Dtype.BF16
    attention: Attention = Attention.SDPA
    compile: bool = False
    channels_last: bool = False
    freeze: bool = False
    cpp_wrapper: bool = False
    autotune: bool = False
    woq: Woq = Woq.NONE
    group_size: int = _DEFAULT_GROUP_SIZE
    kernel: Kernel = Kernel.ATEN
    convolutions: Convolutions = Convolutions.ATEN
    internals: Internals = Internals.SAME
    runtime: Runtime = Runtime.TORCH

    @property
    def tensor_dtype(self) -> Dtype:
        """Dtype of the tensors that go in and out: a peer rounds for itself."""
        return self.dtype if self.runtime is Runtime.TORCH else Dtype.FP32

    @property
    def product_dtype(self) -> Dtype:
        """Dtype of the floating-point operands that are multiplied."""
        return Dtype(self.internals.value) if self.internals in {Internals.BF16, Internals.FP32} else self.dtype

    @property
    def takes_our_kernels(self) -> bool:
        """Whether it goes through those kernels of ours that are there in FP32 and in BF16."""
        return self.attention is Attention.FUSED or self._dynamic

    @property
    def multiplies_bytes(self) -> bool:
        """Whether linear layers, convolutions or attention multiply bytes with bytes (W8A8), or with less."""
        # OpenVINO and llama.cpp quantise activations by themselves where weights are quantised
        by_a_peer = self.runtime is not Runtime.TORCH and self.woq is not Woq.NONE
        return self._dynamic or by_a_peer or self.internals is Internals.INT8

    @property
    def _dynamic(self) -> bool:
        """Whether layers go through kernels of ours that quantise what they are given."""
        return self.kernel is Kernel.DYNAMIC or self.convolutions is Convolutions.DYNAMIC

    @property
    def _widens(self) -> bool:
        """Whether it goes through a kernel that can multiply BF16 in FP32."""
        streams = self.kernel is Kernel.STREAM and self.woq is not Woq.NONE
        return self.attention is Attention.FUSED or streams

    @property
    def makes_code(self) -> bool:
        """Whether its first call does more than run it: it is compiled, or converted for another runtime."""
        return self.compile or self.runtime is not Runtime.TORCH

    def __post_init__(self) -> None:
        for wrong, what, remedy in (*self._beyond_its_runtime(), *self._contradictions(), *self._beyond_its_dtype()):
            if wrong:
                raise UsageError(what, where=f"variant {self.name}", remedy=remedy)

    def _contradictions(self) -> tuple[_Check, ...]:
        sizes = ", ".join(map(str, GROUP_SIZES))
        return (
            (
                self.group_size not in GROUP_SIZES,
                f"group size {self.group_size} has no kernel",
                f"use one of: {sizes}",
            ),
            (self.freeze and not self.compile, "freeze=True without compile=True", "say both"),
            (self.cpp_wrapper and not self.compile, "cpp_wrapper=True without compile=True", "say both"),
            # Inductor's products take weights that it packs itself, which have to be constants
            (self.autotune and not self.freeze, "autotune=True without freeze=True", "say both"),
            (
                self.kernel in {Kernel.DYNAMIC, Kernel.NNCF} and self.woq is not Woq.INT8,
                f"kernel={str(self.kernel)!r} multiplies int8 weights",
                "say woq='int8' too",
            ),
            (
                self.kernel is Kernel.NNCF and self.runtime is not Runtime.OPENVINO,
                "kernel='nncf' quantises models of OpenVINO",
                "say runtime='openvino' too",
            ),
            (
                self.convolutions is Convolutions.DYNAMIC and not self.channels_last,
                "convolutions='dynamic' without channels_last=True",
                "say both",
            ),
            (
                self.kernel is Kernel.TORCHAO and self.woq is Woq.NONE,
                "kernel='torchao' quantises weights",
                "say woq='int8' or woq='int4' too",
            ),
        )

    def _beyond_its_runtime(self) -> Iterator[_Check]:
        """What torch does, and a peer does its own way."""
        kernels = {Kernel.ATEN, Kernel.NNCF} if self.runtime is Runtime.OPENVINO else {Kernel.ATEN}
        quantises = {Runtime.LLAMA_CPP: (Woq.INT8, Woq.INT4), Runtime.OPENVINO: (Woq.INT8,)}.get(self.runtime, ())
        torchs_own = {
            "compile": self.compile,
            "freeze": self.freeze,
            "cpp_wrapper": self.cpp_wrapper,
            "autotune": self.autotune,
            "channels_last": self.channels_last,
            "attention='fused'": self.attention is Attention.FUSED,
            f"kernel={str(self.kernel)!r}": self.kernel not in kernels,
            f"woq={str(self.woq)!r}": self.woq not in {Woq.NONE, *quantises},
            "group_size": self.group_size != _DEFAULT_GROUP_SIZE,
            "convolutions='dynamic'": self.convolutions is not Convolutions.ATEN,
            f"internals={str(self.internals)!r}": self.internals is not Internals.SAME,
        }
        for keyword, given in torchs_own.items():
            asked = given and self.runtime is not Runtime.TORCH
            yield asked, f"runtime={str(self.runtime)!r} has no {keyword}", "leave it out"

    def _beyond_its_dtype(self) -> tuple[_Check, ...]:
        fp32, dtype = self.dtype is Dtype.FP32, self.dtype
        leave_out = "leave dtype out, or say dtype='bf16'"
        return (
            (
                self.runtime is Runtime.ONNXRUNTIME and not fp32,
                f"runtime={str(self.runtime)!r} runs in FP32, not {dtype}",
                "say dtype='fp32'",
            ),
            (
                self.internals is Internals.BF16 and not fp32,
                f"internals='bf16' is for FP32 tensors, not {dtype}",
                "say dtype='fp32'",
            ),
            (
                self.internals is Internals.FP32 and (fp32 or not self._widens),
                "internals='fp32' is for BF16 tensors in kernels of ours",
                "say attention='fused', or kernel='stream' with woq='int8' or woq='int4', and leave dtype out",
            ),
            (
                self.internals is Internals.INT8 and (fp32 or self.attention is not Attention.FUSED),
                "internals='int8' is for BF16 tensors in attention kernels of ours",
                "say attention='fused', and leave dtype out",
            ),
            (self.kernel is Kernel.STREAM and fp32, f"kernel='stream' runs in BF16, not {dtype}", leave_out),
            (
                self.woq is not Woq.NONE
                and fp32
                and not (self.kernel is Kernel.DYNAMIC or self.runtime is Runtime.OPENVINO),
                f"weight-only {self.woq} runs on BF16 activations, not {dtype}",
                leave_out,
            ),
        )
