"""What a gate is asked to compare: two trees, the interpreters that run them, and how sure it shall be."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_xeonperf.ci.checkout import Tree
    from pytest_xeonperf.records import Machine
    from pytest_xeonperf.shell.settings import Settings


class Side(StrEnum):
    """Which of the two."""

    BASE = "base"
    HEAD = "head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one side runs.

    Attributes:
        python: Its interpreter.
        import_path: Folders of its tree that code is imported from, before anything that is installed.
    """

    side: Side
    tree: Tree
    python: str
    import_path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One comparison.

    Attributes:
        home: Root of the user's tree.
        arguments: For pytest, relative to the trees' directories.
        machine: As seen from outside.
        tolerance: Slow-down that nobody minds: 0.02 is 2 %.
        patience_s: With a worker that says nothing.
        command: What the user typed.
    """

    base: Place
    head: Place
    home: Path
    arguments: tuple[str, ...]
    settings: Settings
    machine: Machine
    tolerance: float
    patience_s: float
    command: str


def place_of(side: Side, tree: Tree, python: str, home: Tree) -> Place:
    """Where a side runs.

    What this interpreter imports from the user's own tree, an editable install for one, is imported from the same
    place in the side's tree.

    Args:
        side: Which.
        tree: Its files.
        python: Its interpreter; empty for this one.
        home: The user's tree.
    """
    folders = [tree.root, tree.root / "src", *(tree.root / folder for folder in _imported_from(home.root))]
    path = dict.fromkeys(str(folder) for folder in folders if folder.is_dir())
    named = os.path.abspath(python) if os.sep in python else python  # noqa: PTH100 - a link is what makes it a venv's
    return Place(side=side, tree=tree, python=named or sys.executable, import_path=tuple(path))


def _imported_from(root: Path) -> list[Path]:
    """Folders of a tree on this interpreter's path, relative to the tree, without environments that lie in it."""
    editable = [  # setuptools' finders know packages, not folders
        str(Path(package).parent)
        for finder in sys.meta_path
        for package in getattr(sys.modules.get(getattr(finder, "__module__", "")), "MAPPING", {}).values()
    ]
    inside = [Path(entry).resolve() for entry in [*sys.path, *editable] if entry]
    return [
        folder.relative_to(root)
        for folder in inside
        if folder.is_relative_to(root) and not folder.is_relative_to(sys.prefix)
    ]


def within(arguments: tuple[str, ...], directory: Path, root: Path) -> tuple[str, ...]:
    """Arguments for pytest with paths into the user's tree made relative to the directory, as both trees have them."""
    made = []
    for argument in arguments:
        path, colons, rest = argument.partition("::")
        absolute = Path(path)
        if absolute.is_absolute() and absolute.resolve().is_relative_to(root.resolve()):
            made.append(f"{os.path.relpath(absolute.resolve(), directory.resolve())}{colons}{rest}")
        else:
            made.append(argument)
    return tuple(made)


def split(arguments: tuple[str, ...], here: Path, there: Path) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """What of the arguments for pytest another tree has: those to keep, paths it has not, and whether a path is kept.

    Args:
        arguments: Relative to a folder that both trees have.
        here: That folder in the tree the user means.
        there: The same in the other one.
    """
    paths = [
        argument
        for before, argument in zip(("", *arguments), arguments, strict=False)
        if before not in _TAKE_A_VALUE and _is_path(argument, here)
    ]
    missing = tuple(path for path in paths if not _is_path(path, there))
    kept = tuple(argument for argument in arguments if argument not in missing)
    return kept, missing, not paths or len(missing) < len(paths)


_TAKE_A_VALUE = {"-c", "-k", "-m", "-n", "-o", "-p", "-W"}
"""Options of pytest whose value may be called like a path."""


def _is_path(argument: str, folder: Path) -> bool:
    name = argument.partition("::")[0]
    return bool(name) and not name.startswith("-") and (folder / name).exists()
