"""What git says of a directory, however odd the repository is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.ci.git import ancestors, commit_of, merge_base, sha_of, top_level, untracked
from pytest_xeonperf.records import Commit, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_git")


def test_a_clean_checkout_is_told_in_full(repository: Path, git: Callable[..., str]) -> None:
    (repository / "below").mkdir()
    assert commit_of(repository / "below") == Commit(
        sha=git(repository, "rev-parse", "HEAD"),
        branch="main",
        dirty=False,
        committed_at="2026-09-01T08:00:00+00:00",
        subject="Make attention faster",
        author="A",
    )


def test_an_author_is_a_name_as_mailmap_has_it_and_never_an_address(repository: Path, git: Callable[..., str]) -> None:
    address = "a@example.org"
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "x", f"--author=old <{address}>")
    assert commit_of(repository).author == "old"
    (repository / ".mailmap").write_text(f"Ann Other <{address}>\n")
    found = commit_of(repository)
    assert found.author == "Ann Other"
    assert address not in repr(found)


def test_a_hostile_author_is_only_a_name(repository: Path, git: Callable[..., str]) -> None:
    name = "x\x1b]0;y </script> $(touch hacked)"
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "one", f"--author={name} <a@example.org>")
    found = commit_of(repository)
    assert "\x1b" in found.author
    assert (found.subject, (repository / "hacked").exists()) == ("one", False)


def test_a_changed_file_makes_it_dirty_but_an_untracked_one_does_not(repository: Path) -> None:
    (repository / "xeonperf.db").write_text("history")
    assert not commit_of(repository).dirty
    (repository / "model.py").write_text("two")
    assert commit_of(repository).dirty


@pytest.mark.parametrize("branch", ["feature/$(touch${IFS}hacked)", "fix;rm-rf", "ünïcode-名", "--help-me", "a'b\"c"])
def test_hostile_names_of_branches_are_only_names(repository: Path, branch: str, git: Callable[..., str]) -> None:
    git(repository, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "x\x1b]0;y")
    found = commit_of(repository)
    assert found.branch == branch
    assert found.subject == "x\x1b]0;y"
    assert not (repository / "hacked").exists()


def test_a_tag_of_the_same_name_does_not_change_the_branch(repository: Path, git: Callable[..., str]) -> None:
    git(repository, "tag", "main")
    assert commit_of(repository).branch == "main"


def test_a_detached_head_has_no_branch_except_the_one_its_job_is_for(
    repository: Path, monkeypatch: pytest.MonkeyPatch, git: Callable[..., str]
) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert commit_of(repository).branch == "HEAD"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF_NAME", "12/merge")
    assert commit_of(repository).branch == "12/merge"
    monkeypatch.setenv("GITHUB_HEAD_REF", "feature")
    assert commit_of(repository).branch == "feature"


def test_the_directory_decides_even_inside_a_hook_of_another_repository(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, git: Callable[..., str]
) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert commit_of(repository).subject == "Make attention faster"


def test_without_a_repository_the_reason_is_gits_own(tmp_path: Path) -> None:
    found = commit_of(tmp_path)
    assert isinstance(found, Unknown)
    assert "not a git repository" in found.reason


def test_without_a_commit_there_is_none(tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "--quiet")
    assert isinstance(commit_of(tmp_path), Unknown)


def test_without_git_or_directory_the_reason_says_so(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = commit_of(repository / "nowhere")
    assert isinstance(missing, Unknown)
    assert "nowhere" in missing.reason
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(repository) == Unknown(
        reason=f"cannot ask git about {repository}: No such file or directory (git)"
    )


def test_a_name_is_resolved_to_its_commit(repository: Path, git: Callable[..., str]) -> None:
    sha = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "--annotate", "v1", "--message", "first")
    assert sha_of(repository, "v1") == sha_of(repository, "main") == sha
    assert isinstance(sha_of(repository, "v2"), Unknown)
    assert isinstance(sha_of(repository, "--all"), Unknown)


def test_what_no_commit_has_is_listed_and_a_folder_of_it_once(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.bin\n")
    (repository / "data").mkdir()
    for name in ("data/a", "data/b", "weights.bin"):
        (repository / name).write_text("x")
    assert set(untracked(repository)) == {".gitignore", "data/", "weights.bin"}


def test_a_directory_in_no_repository_has_no_root_and_no_merge_base(tmp_path: Path) -> None:
    assert isinstance(top_level(tmp_path), Unknown)
    assert isinstance(merge_base(tmp_path, "main", "HEAD"), Unknown)
    assert isinstance(untracked(tmp_path), Unknown)


def test_a_commit_and_those_before_it_are_told_the_nearest_first(repository: Path, git: Callable[..., str]) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "--allow-empty", "-m", "Second")
    second = git(repository, "rev-parse", "HEAD")
    assert ancestors(repository, "HEAD") == ancestors(repository, second) == (second, first)
    assert ancestors(repository, second, most=1) == (second,)
    assert isinstance(ancestors(repository, "f" * 40), Unknown)


def test_what_a_merge_brought_in_is_not_what_it_was_made_from(repository: Path, git: Callable[..., str]) -> None:
    first = git(repository, "rev-parse", "HEAD")
    trunk = git(repository, "symbolic-ref", "--short", "HEAD")
    git(repository, "checkout", "-q", "-b", "topic")
    git(repository, "commit", "--allow-empty", "-m", "Slower")
    git(repository, "checkout", "-q", trunk)
    git(repository, "merge", "-q", "--no-ff", "-m", "Merge", "topic")
    assert ancestors(repository, "HEAD") == (git(repository, "rev-parse", "HEAD"), first)
