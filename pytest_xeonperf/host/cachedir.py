"""Where things are kept that can be made again: ``$XDG_CACHE_HOME/xeonperf``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pytest_xeonperf.errors import InfrastructureError


def cache_dir(*parts: str) -> Path:
    """The folder of that name in the user's cache, made if it is not there.

    Without a writable home (a container's random user) it is a folder of this user below the temporary directory.

    Raises:
        InfrastructureError: Neither place can be trusted.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if base else Path("~/.cache").expanduser()
    folder = root.joinpath("xeonperf", *parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return _temporary(parts)
    return folder if os.access(folder, os.W_OK) else _temporary(parts)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: readers in other processes never see half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _temporary(parts: tuple[str, ...]) -> Path:
    root = Path(tempfile.gettempdir()) / f"xeonperf-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.stat().st_uid != os.getuid():  # code is loaded from here: somebody else's folder will not do
        raise InfrastructureError(
            "the cache folder belongs to another user", where=str(root), remedy="set XDG_CACHE_HOME"
        )
    folder = root.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
