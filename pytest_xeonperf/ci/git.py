"""What git says of a directory: the commit that is measured there, and those it can be compared with."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from pytest_xeonperf.records import Commit, Unknown

_PATIENCE_S = 30
_CHECKOUT_S = 600
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")
"""Set while git runs a hook: they would answer for another directory than the one asked about."""

_DETACHED = "HEAD"
"""Name of the branch where there is none, as git itself abbreviates it."""


def commit_of(directory: Path) -> Commit | Unknown:
    """The commit checked out in a directory, or why nobody can tell.

    Files that git does not track (a database, reports) do not make it dirty. In GitHub Actions, which checks out a
    commit without a branch, the branch is the one that the job is for. The author is called what the repository's
    ``.mailmap`` calls them; the address is left where it is.
    """
    head = _git(directory, "show", "--no-patch", "--no-show-signature", "--format=%H%x00%ct%x00%aN%x00%s", "HEAD")
    if isinstance(head, Unknown):
        return head
    changes = _git(directory, "status", "--porcelain", "--untracked-files=no")
    if isinstance(changes, Unknown):
        return changes
    sha, committed_s, author, subject = head.rstrip("\n").split("\0", maxsplit=3)
    return Commit(
        sha=sha,
        branch=_branch(directory),
        dirty=bool(changes),
        committed_at=datetime.fromtimestamp(int(committed_s), UTC).isoformat(),
        subject=subject,
        author=author or Unknown(reason="the commit names none"),
    )


def sha_of(directory: Path, name: str) -> str | Unknown:
    """The commit that a tag, branch or other name means in a directory's repository, or why nobody can tell."""
    found = _git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return found if isinstance(found, Unknown) else found.strip()


def top_level(directory: Path) -> Path | Unknown:
    """The root of the working tree that a directory is in, or why there is none."""
    found = _git(directory, "rev-parse", "--show-toplevel")
    return found if isinstance(found, Unknown) else Path(found.rstrip("\n"))


def merge_base(directory: Path, one: str, other: str) -> str | Unknown:
    """The newest commit that both names have in their history, or why nobody can tell."""
    found = _git(directory, "merge-base", one, other)
    return found if isinstance(found, Unknown) else found.strip()


def ancestors(directory: Path, name: str, *, most: int = 1000) -> tuple[str, ...] | Unknown:
    """A commit and those it was made from, itself first, or why nobody can tell.

    Of a merge only the line it was merged into: what was merged is what shall be judged.
    """
    found = _git(directory, "rev-list", "--first-parent", f"--max-count={most}", "--end-of-options", name)
    return found if isinstance(found, Unknown) else tuple(found.split())


def is_clean(directory: Path) -> bool:
    """Whether a working tree holds what its commit does and nothing more, but for what git is told to ignore."""
    return _git(directory, "status", "--porcelain") == ""


def untracked(directory: Path) -> tuple[str, ...] | Unknown:
    """What lies in a working tree and in no commit, ignored files too; a folder full of it by its name alone."""
    found = _git(directory, "ls-files", "--others", "--directory", "--no-empty-directory", "-z")
    return found if isinstance(found, Unknown) else tuple(name for name in found.split("\0") if name)


def untracked_files(directory: Path, *patterns: str) -> tuple[str, ...]:
    """Files of a working tree that belong to no commit, ignored ones too, by patterns; none where git has no answer."""
    found = _git(directory, "ls-files", "--others", "-z", "--", *patterns)
    return () if isinstance(found, Unknown) else tuple(name for name in found.split("\0") if name)


def add_worktree(repository: Path, folder: Path, sha: str) -> str:
    """Check a commit out into a new folder of its own; git's complaint, empty where there is none."""
    found = _git(repository, "worktree", "add", "--quiet", "--detach", str(folder), sha, patience_s=_CHECKOUT_S)
    return found.reason if isinstance(found, Unknown) else ""


def remove_worktree(repository: Path, folder: Path) -> None:
    """Forget a folder that `add_worktree` made, with all that is in it; one that is gone already is forgotten too."""
    _git(repository, "worktree", "remove", "--force", "--force", str(folder), patience_s=_CHECKOUT_S)
    prune_worktrees(repository)


def prune_worktrees(repository: Path) -> None:
    """Forget working trees whose folders are gone."""
    _git(repository, "worktree", "prune")


def _branch(directory: Path) -> str:
    found = _git(directory, "symbolic-ref", "--quiet", "HEAD")
    if isinstance(found, str):
        return found.rstrip("\n").removeprefix("refs/heads/")  # git's own short form changes where a tag is named alike
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return os.environ.get("GITHUB_HEAD_REF") or os.environ.get("GITHUB_REF_NAME") or _DETACHED
    return _DETACHED


def _git(directory: Path, *arguments: str, patience_s: int = _PATIENCE_S) -> str | Unknown:
    """What git prints, or the first line of its complaint."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(
            ("git", "--no-optional-locks", *arguments),
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=patience_s,
            check=False,
        )
    except OSError as error:  # no git, no such directory, or no right to enter it
        return Unknown(reason=f"cannot ask git about {directory}: {error.strerror} ({error.filename})")
    except subprocess.TimeoutExpired:
        return Unknown(reason=f"git did not answer within {patience_s} s")
    if done.returncode == 0:
        return done.stdout
    complaint = done.stderr.strip().splitlines() or [f"git {arguments[0]} failed with exit code {done.returncode}"]
    return Unknown(reason=complaint[0])
