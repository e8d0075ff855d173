"""A peer: the same model, weights and inputs through ONNX Runtime's CPU provider, in the same rounds.

What people would use instead of native PyTorch. The hot callable is exported once with its weights, and run on as many
threads as torch has. In FP32 alone: the CPU provider has no arithmetic in BF16 (onnxruntime issues 13262, 28768).
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pytest_xeonperf.errors import InfrastructureError, NotApplicableError
from pytest_xeonperf.variants.converted import Converted
from pytest_xeonperf.variants.spec import Runtime
from pytest_xeonperf.workloads.weights import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

    from pytest_xeonperf.variants.converted import Run
    from pytest_xeonperf.workloads.protocol import Compiler

_ERRORS_ALONE = 3


def compiler() -> Compiler:
    """What turns the hot callable of a phase into a session of ONNX Runtime, at its first call."""
    return lambda call: Converted(call, Runtime.ONNXRUNTIME, _session)


def _session(module: nn.Module, tensors: Sequence[torch.Tensor]) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ALONE
    # threads that wait for the next call would take the cores from whoever is next in the round
    options.add_session_config_entry("session.force_spinning_stop", "1")
    with _exported(module, tensors) as file:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def run(given: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        arrays = (tensor.numpy() for tensor in given)
        return [torch.from_numpy(found) for found in session.run(None, dict(zip(names, arrays, strict=True)))]

    return run


@contextmanager
def _exported(module: nn.Module, tensors: Sequence[torch.Tensor]) -> Iterator[Path]:
    """The model as a file, for as long as it takes to load it.

    Raises:
        NotApplicableError: torch cannot export it.
        InfrastructureError: There is no room for it on disk.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    own = Path(tempfile.mkdtemp(dir=folder, prefix=".onnx-"))
    try:
        _export(module, tensors, own / "model.onnx")
        yield own / "model.onnx"
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _export(module: nn.Module, tensors: Sequence[torch.Tensor], file: Path) -> None:
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")  # the exporter's own, of many kinds
            torch.onnx.export(module, tuple(tensors), file, dynamo=True, external_data=True)
    except torch.onnx.OnnxExporterError as error:
        raise NotApplicableError(
            f"torch does not export it to ONNX: {str(error).strip().splitlines()[0]}", where="runtime='onnxruntime'"
        ) from error
    except OSError as error:
        raise InfrastructureError(
            f"cannot write the model for ONNX Runtime ({error.strerror})", where=str(file.parent), remedy="make room"
        ) from error
