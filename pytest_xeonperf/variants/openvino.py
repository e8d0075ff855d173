"""A peer: the same model, weights and inputs through OpenVINO's CPU runtime, in the same rounds.

What people would use instead of native PyTorch. The hot callable is traced once, converted with its weights, and
compiled for latency on the threads that torch has. OpenVINO rounds to BF16 inside (``INFERENCE_PRECISION_HINT``), so
model and inputs stay in FP32. It brings its own oneDNN, which finds AMX as this process has been prepared to show it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.jit._trace import TracerWarning
from torch.utils import _pytree as pytree

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.variants.spec import Dtype

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.workloads.protocol import Compiler, Phase

_PRECISIONS = {Dtype.FP32: "f32", Dtype.BF16: "bf16"}


def require(phase: Phase) -> None:
    """Say so where OpenVINO cannot run a phase.

    Raises:
        NotApplicableError: The phase's hot callable keeps a state that a trace would lose.
    """
    if phase.stateful:
        raise NotApplicableError(
            f"{phase.name} keeps a state between calls, which a converted model would not",
            where="runtime='openvino'",
            remedy="measure this phase without it",
        )


def compiler(dtype: Dtype) -> Compiler:
    """What turns the hot callable of a phase into a model of OpenVINO, at its first call.

    Args:
        dtype: In which it computes; the callable's own tensors are FP32.
    """
    return lambda call: _Converted(call, _PRECISIONS[dtype])


class _Converted:
    """A callable that OpenVINO runs: it takes and gives torch's tensors, in the nesting of the original."""

    def __init__(self, call: Callable[..., Any], precision: str) -> None:
        self.call, self.precision = call, precision
        self.run: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, nesting = pytree.tree_flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        fixed = [None if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        if self.run is None:
            self.traced, self.fixed = _Flat(self.call, leaves, nesting), (fixed, nesting)
            self.run = _compiled(self.traced, tensors, self.precision)
        elif self.fixed != (fixed, nesting):
            raise NotApplicableError(
                "arguments that are no tensors change between calls, which a converted model would not see",
                where="runtime='openvino'",
                remedy="measure this phase without it",
            )
        found = self.run([tensor.numpy() for tensor in tensors])
        outputs = [torch.from_numpy(found[index]) for index in range(len(found))]
        return pytree.tree_unflatten(outputs, self.traced.gives)


class _Flat(nn.Module):
    """The callable with tensors alone for arguments and results, as tracing wants it.

    Attributes:
        gives: How the callable nests its results; known once it has been traced.
    """

    gives: pytree.TreeSpec

    def __init__(self, call: Callable[..., Any], leaves: list[Any], nesting: pytree.TreeSpec) -> None:
        super().__init__()
        self.hot = call  # a module registers itself
        self.leaves, self.nesting = leaves, nesting

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        left = iter(tensors)
        leaves = [next(left) if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]
        args, kwargs = pytree.tree_unflatten(leaves, self.nesting)
        outputs, self.gives = pytree.tree_flatten(self.hot(*args, **kwargs))
        return tuple(outputs)


def _compiled(module: nn.Module, tensors: list[torch.Tensor], precision: str) -> Any:
    """OpenVINO's compiled model, for one request at a time.

    Its frontend is asked directly: ``openvino.convert_model`` would report to Intel that it was called.

    Raises:
        NotApplicableError: This processor, or this build of OpenVINO, does not compute in that precision.
    """
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracerWarning)  # shapes are static, as in every other variant
        warnings.filterwarnings("ignore", message="`torch.jit", category=DeprecationWarning)
        traced = torch.jit.trace(module.eval(), tuple(tensors), check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(traced, example_input=tuple(tensors))
    frontend = FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(decoder))
    model.reshape({index: list(tensor.shape) for index, tensor in enumerate(tensors)})
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # the calling thread is torch's too
    }
    compiled = openvino.compile_model(model, "CPU", settings)
    if (taken := compiled.get_property("INFERENCE_PRECISION_HINT").to_string()) != precision:
        raise NotApplicableError(
            f"OpenVINO computes in {taken} here, not in {precision}", where="runtime='openvino'", remedy="leave it out"
        )
    return compiled
