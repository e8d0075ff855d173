"""The modules of segment-anything, unchanged, also where torchvision is missing or cannot load.

The package's ``__init__`` imports its predictor and mask generator, which need torchvision; the models do not.
torchvision's published x86 wheel is built for CUDA and cannot load on a CPU-only torch.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host.installation import INSTALL_MODELS

_PACKAGE = "segment_anything"
_REMEDY = "pip uninstall torchvision (nothing here needs it), or install the build that belongs to this torch"


def modeling() -> Any:
    """The module ``segment_anything.modeling``: `ImageEncoderViT`, `PromptEncoder`, `MaskDecoder`, `TwoWayTransformer`.

    Raises:
        InfrastructureError: segment-anything is not installed.
    """
    try:
        return importlib.import_module(f"{_PACKAGE}.modeling")
    except (ImportError, RuntimeError):  # torchvision is missing, or one that cannot load
        return _without_package_init("modeling")


def torchvision_problem() -> str:
    """Why the installed torchvision cannot be used, or an empty text: none installed is no problem.

    A broken one is worse than none: transformers and diffusers find it, import it, and fail.
    """
    if importlib.util.find_spec("torchvision") is None:
        return ""
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError, OSError) as error:
        return f"the installed torchvision does not fit this torch and breaks other packages ({error}): {_REMEDY}"
    return ""


def _without_package_init(name: str) -> ModuleType:
    """A submodule, loaded below a stand-in for its package that is taken away again.

    A later ``import segment_anything`` by anybody else then behaves as it always did.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise InfrastructureError("segment-anything is not installed", remedy=INSTALL_MODELS)
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = list(spec.submodule_search_locations)
    sys.modules[_PACKAGE] = stand_in
    try:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    finally:
        del sys.modules[_PACKAGE]
