"""Whether a side of a gate runs the code of its own tree: a gate that compares a tree with itself is always green."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

_INSTALLED = {"site-packages", "dist-packages"}


def foreign_modules(foreign_root: str, home_root: str) -> tuple[str, ...]:
    """Modules of this process that are another tree's: ``name from file``.

    Args:
        foreign_root: The other side's tree; empty where both sides share one, and nothing is foreign.
        home_root: The user's tree: what pip has installed from there, as a copy, both sides would share.
    """
    if not foreign_root:
        return ()
    other, copied = Path(foreign_root).resolve(), _copied_from(Path(home_root).resolve())
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or name == "__main__":
            continue
        path = Path(file).resolve()
        installed = path.is_relative_to(sys.prefix) or bool(_INSTALLED & set(path.parts))
        if path.is_relative_to(other) and not installed:
            found.append(f"{name} from {path}")
        elif installed and name in copied:
            found.append(f"{name} from {path}, installed from {home_root}")
    return tuple(found)


def _copied_from(home: Path) -> set[str]:
    """Top-level modules of distributions that pip has installed out of a tree (PEP 610), editable ones aside."""
    names = set()
    for name, distributions in metadata.packages_distributions().items():
        for distribution in distributions:
            text = metadata.distribution(distribution).read_text("direct_url.json")
            origin = json.loads(text) if text else {}
            url = urlsplit(str(origin.get("url", "")))
            if url.scheme == "file" and Path(unquote(url.path)).resolve().is_relative_to(home):
                names.add(name)
    return names
