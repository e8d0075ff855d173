"""Finds the allocator and the OpenMP runtime that are worth preloading. Nothing is installed, nothing required."""

from __future__ import annotations

import sys
import sysconfig
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Role(StrEnum):
    """What a library replaces in the process that preloads it."""

    ALLOCATOR = "allocator"
    OPENMP = "openmp"


ALLOCATOR_REMEDY = "optional: apt-get install libtcmalloc-minimal4"
"""What gives an allocator that can be preloaded."""

OPENMP_REMEDY = "optional: pip install intel-openmp"
"""What gives an OpenMP runtime that can be preloaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A shared library that was found."""

    role: Role
    name: str
    path: Path


_WANTED = {
    Role.ALLOCATOR: ("libtcmalloc.so.4", "libtcmalloc_minimal.so.4", "libtcmalloc.so", "libjemalloc.so.2"),
    Role.OPENMP: ("libiomp5.so",),
}
"""Best first, in the order of torch.backends.xeon."""

_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/lib", "/usr/lib", "/usr/local/lib64")


def find_libraries(folders: tuple[str, ...] = ()) -> tuple[Library, ...]:
    """The first allocator and the first OpenMP runtime that are installed.

    Args:
        folders: Where to look; by default the environment's own ``lib`` (where conda and pip put them), then the
            system's.
    """
    places = folders or (str(Path(sys.prefix, "lib")), sysconfig.get_config_var("LIBDIR") or "/usr/lib", *_FOLDERS)
    found = []
    for role, names in _WANTED.items():
        paths = (Path(place, name) for name in names for place in places)
        first = next((path for path in paths if path.is_file()), Path())
        if first.name:
            found.append(Library(role=role, name=first.name.partition(".")[0], path=first))
    return tuple(found)


def loaded_library(*names: str) -> str:
    """Which of these is mapped into this process, by file name; empty if none is."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    except OSError:
        return ""
    files = {Path(line.split(maxsplit=5)[5]).name for line in maps.splitlines() if len(line.split(maxsplit=5)) > 5}  # noqa: PLR2004
    return next((file for name in names for file in sorted(files) if file.startswith(name)), "")
