"""Two trees of one repository to compare: the one the user is in, and another commit in a folder of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pytest_xeonperf.ci import git
from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.host.cachedir import cache_dir
from pytest_xeonperf.records import Commit, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKING_TREE = ""
"""In place of a revision: the files as they are, with changes that nobody has committed."""

_MAIN_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "upstream/HEAD", "main", "master")
_CODE = {".py", ".pyi", ".pyx", ".pyd", ".so", ".c", ".cc", ".cpp", ".h", ".pth", ".cfg", ".toml", ".ini"}
_LEFT_BY_TOOLS = {
    *("__pycache__", ".venv", "venv", ".tox", ".nox", ".git", ".xeonperf", ".hypothesis", ".idea", ".vscode"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".coverage", ".DS_Store", ".gitignore"),
}
"""Neither data nor code that anybody would miss in the other tree."""
_MOST_FILES = 2_000
"""Looked at in an untracked folder before it is taken for something else than a folder of data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Files to measure.

    Attributes:
        root: Of the repository's files.
        directory: Within it, where the command was given.
        commit: With its changes, if there are some.
        left: What the user's tree has beside its commit and this one has not: code, folders with code, what is hidden.
    """

    root: Path
    directory: Path
    commit: Commit
    left: tuple[str, ...] = ()


def working_tree(directory: Path) -> Tree:
    """The tree that a directory is in, as it is.

    Raises:
        UsageError: It is in no repository, or in one without commits.
    """
    root, commit = git.top_level(directory), git.commit_of(directory)
    for found in (root, commit):
        if isinstance(found, Unknown):
            raise UsageError(found.reason, where=str(directory), remedy="run it in a git repository that has commits")
    assert isinstance(root, Path) and isinstance(commit, Commit)  # noqa: PT018, S101 - just looked at
    return Tree(root=root, directory=directory.resolve(), commit=commit)


def base_commit(tree: Tree, revision: str, head: str) -> str:
    """The sha that head is compared with: of the revision, else where head left the main branch.

    Args:
        tree: The user's.
        revision: That was asked for; empty for none.
        head: Revision of head, or `WORKING_TREE`.

    Raises:
        UsageError: The revision does not exist, or there is no main branch, or nothing in common with it.
    """
    if revision:
        return _sha(tree, revision, "--base")
    for name in _MAIN_BRANCHES:
        if isinstance(git.sha_of(tree.root, name), str):
            found = git.merge_base(tree.root, name, head or "HEAD")
            if isinstance(found, str):
                return found
            raise UsageError(
                f"{head or 'HEAD'} and {name} have no commit in common here",
                where=str(tree.root),
                remedy="fetch the whole history (fetch-depth: 0), or name a commit with --base",
            )
    raise UsageError(
        f"none of the branches {', '.join(_MAIN_BRANCHES)} is here to find the merge-base with",
        where=str(tree.root),
        remedy="name a commit with --base",
    )


@contextmanager
def checked_out(tree: Tree, revision: str, option: str) -> Iterator[Tree]:
    """A commit in a folder of its own, with links to the untracked data of the user's tree; gone afterwards.

    Data: what no commit has and what holds no code, such as checkpoints and photographs.

    Raises:
        UsageError: The revision does not exist.
        InfrastructureError: git cannot check it out.
    """
    if revision == WORKING_TREE:
        yield tree
        return
    sha = _sha(tree, revision, option)
    _sweep(tree)
    parent = Path(tempfile.mkdtemp(dir=cache_dir("worktrees"), prefix=f"{os.getpid()}-{sha[:10]}-"))
    folder = parent / tree.root.name
    try:
        complaint = git.add_worktree(tree.root, folder, sha)
        if complaint:
            raise InfrastructureError(f"git cannot check {sha[:10]} out: {complaint}", where=str(folder))
        left = _link_data(tree.root, folder)
        directory = folder / tree.directory.relative_to(tree.root.resolve())
        if not directory.is_dir():
            raise UsageError(
                f"{tree.directory.relative_to(tree.root.resolve())} is not in {sha[:10]}",
                where=f"{option} {revision}",
                remedy="run it from a folder that both commits have",
            )
        commit = git.commit_of(folder)
        if isinstance(commit, Unknown):
            raise InfrastructureError(commit.reason, where=str(folder))
        yield Tree(root=folder, directory=directory, commit=commit, left=left)
    finally:
        git.remove_worktree(tree.root, folder)
        shutil.rmtree(parent, ignore_errors=True)


def built_in_place(root: Path) -> tuple[str, ...]:
    """Compiled modules within a tree that no commit has, environments aside."""
    names = git.untracked_files(root, "*.so", "*.pyd")
    return tuple(name for name in names if "site-packages" not in name and not name.startswith("."))


def _sweep(tree: Tree) -> None:
    """Remove what gates have left that were killed: folders of processes that are gone."""
    for folder in cache_dir("worktrees").iterdir():
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    git.prune_worktrees(tree.root)


def _sha(tree: Tree, revision: str, option: str) -> str:
    found = git.sha_of(tree.root, revision)
    if isinstance(found, Unknown):
        raise UsageError(
            f"there is no commit {revision!r}",
            where=option,
            remedy="name a sha, a tag or a branch that is here; in CI, fetch it first (fetch-depth: 0)",
        )
    return found


def _link_data(root: Path, folder: Path) -> tuple[str, ...]:
    """Link what is data into a commit's folder; gives the names of what is not, but for what tools leave anywhere."""
    names, left = git.untracked(root), []
    for name in () if isinstance(names, Unknown) else names:
        there, here = root / name, folder / name.rstrip("/")
        if _LEFT_BY_TOOLS & set(Path(name).parts) or here.exists() or not here.parent.is_dir():
            continue
        if Path(name).parts[0].startswith(".") or not _is_data(there):
            left.append(name)
        else:
            here.symlink_to(there.resolve(), target_is_directory=there.is_dir())
    return tuple(left)


def _is_data(path: Path) -> bool:
    """Whether nothing below is code, as far as the first files tell; code would be head's, in the other tree."""
    if not path.is_dir():
        return path.suffix not in _CODE
    seen = 0
    for _folder, _folders, files in os.walk(path):
        if any(Path(file).suffix in _CODE for file in files):
            return False
        seen += len(files)
        if seen > _MOST_FILES:
            break
    return True
