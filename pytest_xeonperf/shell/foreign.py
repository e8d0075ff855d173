"""Whether a side of a gate runs the code of its own tree: a gate that compares a tree with itself is always green."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPILED = (".so", ".pyd")
_CACHES = ("TORCHINDUCTOR_CACHE_DIR", "TORCH_EXTENSIONS_DIR", "XEONPERF_CACHE")
_MAPS = Path("/proc/self/maps")
_INSTALLED = {"site-packages", "dist-packages"}


def foreign_modules(own_root: str, foreign_roots: Sequence[str], home_root: str) -> tuple[str, ...]:
    """Modules of this process that are another tree's: ``name from file``.

    Args:
        own_root: This side's tree.
        foreign_roots: The other side's tree, and the user's where this side has another; none where all is one tree.
        home_root: The user's tree: what pip has installed from there, as a copy, both sides would share.
    """
    if not foreign_roots:
        return ()
    own, others = Path(own_root).resolve(), [Path(root).resolve() for root in foreign_roots]
    copied, library = _copied_from(Path(home_root).resolve()), Path(sysconfig.get_path("stdlib"))
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        path = Path(file or own).resolve()
        if name == "__main__" or path.is_relative_to(own) or path.is_relative_to(library):
            continue
        installed = bool(_INSTALLED & set(path.parts))
        if installed and name in copied:
            found.append(f"{name} from {path}, installed from {home_root}")
        elif not installed and any(path.is_relative_to(root) for root in others):
            found.append(f"{name} from {path}")
    return tuple(found)


def compiled_files(own_root: str) -> tuple[str, ...]:
    """Compiled code of a tree that this process has loaded, by Python or by torch, relative to the tree.

    What torch compiles at run time is no part of the tree, also where its caches lie there.
    """
    root = Path(own_root).resolve()
    caches = [Path(os.environ[name]).resolve() for name in _CACHES if os.environ.get(name)]
    lines = _MAPS.read_text(encoding="utf-8", errors="replace").splitlines() if _MAPS.exists() else ()  # Linux alone
    mapped = {line.split(maxsplit=5)[-1] for line in lines}
    paths = sorted(Path(name) for name in mapped if name.startswith(f"{root}{os.sep}") and name.endswith(_COMPILED))
    return tuple(
        str(path.relative_to(root)) for path in paths if not any(path.is_relative_to(cache) for cache in caches)
    )


@cache
def _copied_from(home: Path) -> set[str]:
    """Top-level modules of distributions that pip has installed out of a tree (PEP 610). Asked once in a process."""
    names = set()
    for name, distributions in metadata.packages_distributions().items():
        for distribution in distributions:
            text = metadata.distribution(distribution).read_text("direct_url.json")
            origin = json.loads(text) if text else {}
            url = urlsplit(str(origin.get("url", "")))
            if url.scheme == "file" and Path(unquote(url.path)).resolve().is_relative_to(home):
                names.add(name)
    return names
