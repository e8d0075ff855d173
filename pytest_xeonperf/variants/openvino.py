"""A peer: the same model, weights and inputs through OpenVINO's CPU runtime, in the same rounds.

What people would use instead of native PyTorch. The hot callable is traced once, converted with its weights, and
compiled for latency on the threads that torch has. OpenVINO rounds to BF16 inside (``INFERENCE_PRECISION_HINT``), so
model and inputs stay in FP32. In INT8 it is what NNCF makes of it. OpenVINO brings its own oneDNN, which finds AMX as
this process has been prepared to show it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch.jit._trace import TracerWarning

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.variants import nncf
from pytest_xeonperf.variants.converted import Converted
from pytest_xeonperf.variants.spec import Dtype, Kernel, Runtime, Woq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from pytest_xeonperf.variants.converted import Run
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Compiler

_PRECISIONS = {Dtype.FP32: "f32", Dtype.BF16: "bf16"}


def compiler(variant: Variant) -> Compiler:
    """What turns the hot callable of a phase into a model of OpenVINO, at its first call.

    Args:
        variant: Whose dtype it computes in, where it is not quantised; the callable's own tensors are FP32.
    """

    def convert(module: nn.Module, tensors: Sequence[torch.Tensor]) -> Run:
        model = _translated(module, tensors)
        if variant.kernel is Kernel.NNCF:
            model = nncf.quantise(model, tensors)
        elif variant.woq is not Woq.NONE:
            model = nncf.compress(model)
        return _compiled(model, _PRECISIONS[variant.dtype])

    return lambda call: Converted(call, Runtime.OPENVINO, convert)


def _translated(module: nn.Module, tensors: Sequence[torch.Tensor]) -> Any:
    """A module as OpenVINO's, for inputs of these shapes.

    Its frontend is asked directly: ``openvino.convert_model`` would report to Intel that it was called.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracerWarning)  # shapes are static, as in every other variant
        warnings.filterwarnings("ignore", message="`torch.jit", category=DeprecationWarning)
        traced = torch.jit.trace(module, tuple(tensors), check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(traced, example_input=tuple(tensors))
    frontend = FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(decoder))
    model.reshape({index: list(tensor.shape) for index, tensor in enumerate(tensors)})
    return model


def _compiled(model: Any, precision: str) -> Run:
    """OpenVINO's compiled model, for one request at a time.

    Raises:
        NotApplicableError: This processor, or this build of OpenVINO, does not compute in that precision.
    """
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # the calling thread is torch's too
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 128,  # of activations, where weights alone are INT8: faster than its default
    }
    compiled = openvino.compile_model(model, "CPU", settings)
    if (taken := compiled.get_property("INFERENCE_PRECISION_HINT").to_string()) != precision:
        raise NotApplicableError(
            f"OpenVINO computes in {taken} here, not in {precision}", where="runtime='openvino'", remedy="leave it out"
        )

    def run(given: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        found = compiled([tensor.numpy() for tensor in given])
        return [torch.from_numpy(found[index]) for index in range(len(found))]

    return run
