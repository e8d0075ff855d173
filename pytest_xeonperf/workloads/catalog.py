"""The shipped workloads by name, without importing torch until one is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.host.installation import INSTALL_MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from pytest_xeonperf.records import Unknown
    from pytest_xeonperf.workloads.presets import Preset
    from pytest_xeonperf.workloads.protocol import Footprint, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A shipped workload: the family that makes it and the phases it has.

    Attributes:
        family: Module below `pytest_xeonperf.workloads`; it has ``load(name, preset, options) -> Workload``, and a
            torch-free sibling ``<family>_sizes`` with ``footprint(name, phase, preset, **amounts) -> Footprint``, which
            takes a ``checkpoint`` too.
        options: Keywords the ``workload`` marker may pass on, such as ``checkpoint``.
    """

    family: str
    phases: tuple[str, ...]
    options: tuple[str, ...]


_SAM = Entry(family="sam", phases=("encode", "decode"), options=("checkpoint", "images", "batch"))
_LLM = Entry(family="llm", phases=("prefill", "decode"), options=("checkpoint", "batch", "prompt_tokens"))
_SDXL = Entry(family="diffusion", phases=("unet_step", "vae_decode", "image"), options=("checkpoint", "steps"))

CATALOG: Mapping[str, Entry] = {
    "llama-2-7b": _LLM,
    "smollm2-135m": _LLM,
    "llm": _LLM,
    "sam-vit-b": _SAM,
    "sam-vit-l": _SAM,
    "sam-vit-h": _SAM,
    "sdxl": _SDXL,
}


_AMOUNTS = frozenset({"batch", "prompt_tokens", "steps"})
"""Options that say how much work a call is."""


def lookup(name: str) -> Entry:
    """The catalogue entry of that name.

    Raises:
        UsageError: No such workload is shipped.
    """
    if name not in CATALOG:
        raise UsageError(
            f"unknown workload {name!r}", remedy=f"use one of: {', '.join(CATALOG)}, or override `workload`"
        )
    return CATALOG[name]


def load(name: str, preset: Preset, options: Mapping[str, object]) -> Workload:
    """The workload itself, still lazy: its family's module is imported, nothing is built.

    Raises:
        UsageError: No such workload is shipped, or an option has a value it cannot have.
        InfrastructureError: A package that its family needs is missing or does not load.
    """
    workload: Workload = _family(name).load(name, preset, options)
    return workload


def _family(name: str) -> ModuleType:
    try:
        return import_module(f"pytest_xeonperf.workloads.{lookup(name).family}")
    except (ImportError, RuntimeError, OSError) as error:  # transformers raises either for a broken torchvision
        if isinstance(error, ImportError) and str(error.name).startswith("pytest_xeonperf"):
            raise  # a defect of ours: no installation mends it
        from pytest_xeonperf.workloads.segment_anything_modules import torchvision_problem

        raise InfrastructureError(
            f"its packages do not load ({error})",
            where=f"workload {name}",
            remedy=torchvision_problem() or INSTALL_MODELS,
        ) from error


def footprint(name: str, phase: str, preset: Preset, options: Mapping[str, object]) -> Footprint | Unknown:
    """What a phase will need, from arithmetic and from what a checkpoint's files say of themselves: imports no torch.

    Of the options, ``checkpoint`` matters, and the numbers ``batch``, ``prompt_tokens`` and ``steps``.

    Raises:
        UsageError: No such workload or phase is shipped.
        DataError: There is no such checkpoint, or it cannot be read.
    """
    sizes = import_module(f"pytest_xeonperf.workloads.{lookup(name).family}_sizes")
    amounts = {name: value for name, value in options.items() if name in _AMOUNTS and isinstance(value, int)}
    path = str(options.get("checkpoint", ""))
    needed: Footprint | Unknown = sizes.footprint(name, phase, preset, checkpoint=path, **amounts)
    return needed
