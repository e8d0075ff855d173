"""Builds a variant of a workload: the module as the variant wants it, and what its hot callable goes through."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.host.extension import require, require_byte_instructions
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants import compiled, converted, llama_cpp, nncf, onnx_runtime, openvino, peers, torchao
from pytest_xeonperf.variants.channels_last import lay_out_inputs, lay_out_module
from pytest_xeonperf.variants.dynamic_conv import quantise_convolutions
from pytest_xeonperf.variants.dynamic_int8 import DynamicInt8
from pytest_xeonperf.variants.eager import cast_inputs, cast_module, uncompiled
from pytest_xeonperf.variants.internals import multiplying_in
from pytest_xeonperf.variants.spec import (
    CONVERTING,
    WIDTH_BYTES,
    Convolutions,
    Dtype,
    Internals,
    Kernel,
    Runtime,
    Variant,
    Woq,
)
from pytest_xeonperf.variants.stream_bf16 import stream_linears
from pytest_xeonperf.variants.stream_int4 import StreamInt4
from pytest_xeonperf.variants.stream_int8 import StreamInt8
from pytest_xeonperf.variants.streamed import stream_fp32
from pytest_xeonperf.variants.weight_only import Technique, quantise_linears, restore_linears
from pytest_xeonperf.variants.woq_int4 import Int4
from pytest_xeonperf.variants.woq_int8 import Int8
from pytest_xeonperf.workloads.protocol import Attention
from pytest_xeonperf.workloads.quantised_linear import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.workloads.protocol import Compiler, Inputs, Phase, Step, Workload

__all__ = ["Built", "build", "build_streamed", "prepared", "technique"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A model, ready to be bound and called.

    Attributes:
        module: In eval mode, without gradients.
        compiler: What the phase's `bind` puts its hot callable through.
        left_in_bf16: Linear layers and convolutions that a variant could not give its kernel, by name with the reason.
        weight_bytes: Parameters and buffers, tied ones once.
        streamed_bytes: Those that one pass reads from memory: without the tables that only an embedding looks up.
        peer: Takes the place of the phase's `bind` where a peer has the weights, and no module is left.
    """

    module: nn.Module
    compiler: Compiler
    left_in_bf16: tuple[str, ...]
    weight_bytes: int
    streamed_bytes: int
    peer: Callable[[Phase, Inputs], Step] | None = None

    def bind(self, phase: Phase, inputs: Inputs) -> Step:
        """The step that is timed, on inputs as `prepared` gives them."""
        return self.peer(phase, inputs) if self.peer else phase.bind(self.module, inputs, self.compiler)


def build(variant: Variant, workload: Workload, phase: Phase) -> Built:
    """The module of a phase as the variant wants it.

    Layers that a checkpoint stores quantised become plain ones, of the weights they stand for, in variants that do not
    quantise: baseline, reference and candidates then have the same weights.

    Raises:
        NotApplicableError: The variant has a kernel for linear layers or convolutions, and can give it none; the
            processor lacks the instructions of a kernel; or its runtime is not installed, or cannot run this phase.
        DataError: The checkpoint was quantised in another way than the variant says, or the model is not on the CPU.
    """
    peers.require(variant)
    _require_instructions(variant)
    if variant.runtime in CONVERTING:
        converted.require(phase, variant.runtime)
    if variant.runtime is Runtime.LLAMA_CPP:
        return _for_llama_cpp(variant, phase)
    module = workload.attention(_on_cpu(phase), variant.attention)
    left: tuple[str, ...] = ()
    if variant.woq is Woq.NONE or variant.kernel is Kernel.TORCHAO or variant.runtime is Runtime.OPENVINO:
        module = restore_linears(module, technique)
    else:
        # Before the cast: what is quantised is the weight as it was given.
        module, left = quantise_linears(module, _technique_of(variant))
    if variant.convolutions is Convolutions.DYNAMIC:
        module, beside = quantise_convolutions(module)
        left += beside
    if variant.channels_last:
        module = lay_out_module(module)
    module = cast_module(module, variant.tensor_dtype)
    if variant.woq is Woq.NONE and variant.kernel is Kernel.STREAM:
        module, beside = stream_linears(module)
        left += beside
    if variant.kernel is Kernel.TORCHAO:
        module, beside = torchao.quantise(module, variant, technique(scheme(variant)))
        left += beside
    module = module.eval().requires_grad_(requires_grad=False)
    total_bytes, table_bytes = _kept_bytes(module, variant)
    return Built(
        module=module,
        compiler=_compiler(variant),
        left_in_bf16=left,
        weight_bytes=total_bytes,
        streamed_bytes=total_bytes - table_bytes,
    )


def _kept_bytes(module: nn.Module, variant: Variant) -> tuple[int, int]:
    """Bytes of all weights, and of tables among them; a peer computes with a copy of its own, rounded or quantised."""
    narrower = WIDTH_BYTES[variant.tensor_dtype] // WIDTH_BYTES[variant.dtype]
    total_bytes = _bytes(module) // narrower
    if variant.runtime is Runtime.OPENVINO and variant.woq is not Woq.NONE:
        total_bytes = nncf.stored_bytes(module, WIDTH_BYTES[variant.dtype])
    return total_bytes, _table_bytes(module) // narrower


def _require_instructions(variant: Variant) -> None:
    if variant.attention is Attention.FUSED and variant.dtype is Dtype.BF16 and variant.internals is Internals.SAME:
        require(Isa.AVX512_BF16, "our attention kernels in BF16")
    if variant.internals is Internals.INT8:
        require_byte_instructions("internals='int8'")


def _for_llama_cpp(variant: Variant, phase: Phase) -> Built:
    """What llama.cpp will load; the module is let go."""
    written = llama_cpp.write(restore_linears(_on_cpu(phase), technique), variant)
    return Built(
        module=nn.Identity(),
        compiler=uncompiled,
        left_in_bf16=(),
        weight_bytes=written.weight_bytes,
        streamed_bytes=written.streamed_bytes,
        peer=functools.partial(llama_cpp.bind, written),
    )


def build_streamed(variant: Variant, workload: Workload, phase: Phase) -> Built:
    """The same for an eager FP32 variant that is run once and not timed: its weights stay where they are stored."""
    module = stream_fp32(workload.attention(_on_cpu(phase), variant.attention), technique)
    module = module.eval().requires_grad_(requires_grad=False)
    total_bytes = _bytes(module)
    return Built(
        module=module, compiler=uncompiled, left_in_bf16=(), weight_bytes=total_bytes, streamed_bytes=total_bytes
    )


def prepared(inputs: Inputs, variant: Variant) -> Inputs:
    """The arguments as a variant wants them: their dtype, and the order of images in memory."""
    cast = cast_inputs(inputs, variant.tensor_dtype)
    return lay_out_inputs(cast) if variant.channels_last else cast


def _on_cpu(phase: Phase) -> nn.Module:
    """The module of a phase, as the workload builds it."""
    module = phase.build()
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.device.type != "cpu":
            raise DataError(
                f"{name} is on the device {tensor.device}",
                where=f"{type(module).__name__}, phase {phase.name}",
                remedy="build the model on the CPU: everything is measured there",
            )
    return module


def _compiler(variant: Variant) -> Compiler:
    if variant.runtime is Runtime.OPENVINO:
        return openvino.compiler(variant)
    if variant.runtime is Runtime.ONNXRUNTIME:
        return onnx_runtime.compiler()
    chosen = (
        compiled.compiler(freeze=variant.freeze, cpp_wrapper=variant.cpp_wrapper, autotune=variant.autotune)
        if variant.compile
        else uncompiled
    )
    return multiplying_in(variant.internals, chosen)


def scheme(variant: Variant) -> Scheme:
    """How a weight-only variant quantises, as a checkpoint would say it."""
    return Scheme(woq=variant.woq.value, group_size=variant.group_size if variant.woq is Woq.INT4 else 0)


def technique(scheme: Scheme) -> Technique:
    """The technique of a scheme."""
    return Int8() if Woq(scheme.woq) is Woq.INT8 else Int4(group_size=scheme.group_size)


def _technique_of(variant: Variant) -> Technique:
    """The technique of a weight-only variant, with the kernel that it asks for."""
    if variant.kernel is Kernel.ATEN:
        return technique(scheme(variant))
    if variant.kernel is Kernel.DYNAMIC:
        return DynamicInt8()
    return StreamInt8() if variant.woq is Woq.INT8 else StreamInt4(group_size=variant.group_size)


def _bytes(module: nn.Module) -> int:
    return sum(map(torchao.stored_bytes, (*module.parameters(), *module.buffers())))


def _table_bytes(module: nn.Module) -> int:
    """Bytes of embedding tables that no other layer multiplies with."""
    tables: dict[int, int] = {}
    others: set[int] = set()
    for owner in module.modules():
        for parameter in owner.parameters(recurse=False):
            if isinstance(owner, nn.Embedding):
                tables[id(parameter)] = parameter.nbytes
            else:
                others.add(id(parameter))
    return sum(size for parameter, size in tables.items() if parameter not in others)
