"""Two trees of one repository: never silently another commit, the user's data in both, the user's code in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_xeonperf.ci.checkout import WORKING_TREE, base_commit, checked_out, working_tree
from pytest_xeonperf.errors import InfrastructureError, UsageError

pytestmark = pytest.mark.usefixtures("own_git")


@pytest.fixture
def branched(repository, git):
    """Main with a second commit, and a branch that left it after the first."""
    git(repository, "checkout", "--quiet", "-b", "feature")
    (repository / "model.py").write_text("feature")
    git(repository, "commit", "--quiet", "--all", "--message", "Feature")
    git(repository, "checkout", "--quiet", "main")
    (repository / "model.py").write_text("two")
    git(repository, "commit", "--quiet", "--all", "--message", "Second")
    git(repository, "checkout", "--quiet", "feature")
    return repository


def test_base_is_where_head_left_main(branched, git):
    assert base_commit(working_tree(branched), "", WORKING_TREE) == git(branched, "rev-parse", "main~1")


def test_base_of_a_named_head_is_where_that_one_left_main(branched, git):
    git(branched, "checkout", "--quiet", "main")
    assert base_commit(working_tree(branched), "", "feature") == git(branched, "rev-parse", "main~1")


def test_a_named_base_is_that_very_commit(branched, git):
    assert base_commit(working_tree(branched), "main", WORKING_TREE) == git(branched, "rev-parse", "main")


def test_a_commit_that_does_not_exist_is_refused(repository):
    with pytest.raises(UsageError, match=r"--base: there is no commit 'nowhere'.*\n.*fetch-depth: 0"):
        base_commit(working_tree(repository), "nowhere", WORKING_TREE)


def test_without_a_main_branch_a_base_must_be_named(repository, git):
    git(repository, "branch", "--quiet", "-m", "trunk")
    with pytest.raises(UsageError, match=r"none of the branches .* is here.*\n.*--base"):
        base_commit(working_tree(repository), "", WORKING_TREE)


def test_branches_that_share_nothing_have_no_merge_base(repository, git):
    git(repository, "checkout", "--quiet", "--orphan", "alone")
    git(repository, "commit", "--quiet", "--message", "Alone")
    with pytest.raises(UsageError, match="HEAD and main have no commit in common here"):
        base_commit(working_tree(repository), "", WORKING_TREE)


def test_outside_of_a_repository_it_says_so(tmp_path):
    with pytest.raises(UsageError, match=r"not a git repository.*\n.*run it in a git repository"):
        working_tree(tmp_path)


def test_the_working_tree_is_the_users_own_with_its_changes(repository):
    (repository / "model.py").write_text("changed")
    home = working_tree(repository)
    with checked_out(home, WORKING_TREE, "--head") as tree:
        assert tree == home
        assert tree.commit.dirty


def test_a_commit_is_checked_out_beside_the_users_tree_and_gone_afterwards(branched, git):
    (branched / "model.py").write_text("changed")
    with checked_out(working_tree(branched), "main~1", "--base") as tree:
        assert (tree.root / "model.py").read_text() == "one"
        assert tree.commit.sha == git(branched, "rev-parse", "main~1")
        assert tree.root.name == branched.name  # what is named by its folder is called alike on both sides
        assert not tree.root.is_relative_to(branched)
    assert (branched / "model.py").read_text() == "changed"
    assert not tree.root.exists()
    assert len(git(branched, "worktree", "list").splitlines()) == 1


def test_it_is_gone_after_an_error_too(branched, git):
    with pytest.raises(ZeroDivisionError), checked_out(working_tree(branched), "main", "--base"):
        raise ZeroDivisionError
    assert len(git(branched, "worktree", "list").splitlines()) == 1


def test_what_a_killed_gate_has_left_is_swept_up(branched, git, monkeypatch):
    with monkeypatch.context() as another_process:
        another_process.setattr("pytest_xeonperf.ci.checkout.os.getpid", lambda: 2**22 + 1)  # above any that is there
        killed = checked_out(working_tree(branched), "main", "--base")
        left = killed.__enter__()
    assert left.root.exists()
    with checked_out(working_tree(branched), "main", "--base"):
        assert not left.root.exists()
        assert len(git(branched, "worktree", "list").splitlines()) == 2


def test_a_folder_within_the_tree_is_the_same_folder_in_the_other(repository, git):
    (repository / "perf").mkdir()
    (repository / "perf" / "test_a.py").write_text("")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "Perf")
    with checked_out(working_tree(repository / "perf"), "HEAD", "--base") as tree:
        assert tree.directory == tree.root / "perf"


def test_a_folder_that_the_other_commit_lacks_is_said(repository):
    (repository / "new").mkdir()
    home = working_tree(repository / "new")
    with (
        pytest.raises(UsageError, match=r"--base HEAD: new is not in [0-9a-f]{10}"),
        checked_out(home, "HEAD", "--base"),
    ):
        pass


def test_untracked_data_is_found_from_both_trees_and_untracked_code_is_not(repository):
    (repository / ".gitignore").write_text("checkpoints/\n")
    for name, text in {
        "checkpoints/model.safetensors": "weights",
        "photographs/a.jpg": "pixels",
        "words.txt": "words",
        "helpers.py": "import torch",
        "native/fast.so": "code",
        ".secret/data.bin": "hidden",
    }.items():
        path = repository / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    with checked_out(working_tree(repository), "HEAD", "--base") as tree:
        found = {path.name for path in tree.root.iterdir()} - {".git", "model.py"}
        assert found == {"checkpoints", "photographs", "words.txt"}
        assert (tree.root / "checkpoints" / "model.safetensors").read_text() == "weights"
        assert set(tree.left) == {"helpers.py", "native/", ".secret/"}
    assert (repository / "checkpoints" / "model.safetensors").exists()  # the link is gone, what it showed is not


@pytest.mark.parametrize("name", ["config.py", "data.toml", "setup.cfg", "pytest.ini", "deep/down/kernel.h"])
def test_a_folder_of_data_with_one_file_of_code_is_left_and_named(repository, name):
    path = repository / "checkpoint" / name
    path.parent.mkdir(parents=True)
    path.write_text("code")
    (repository / "checkpoint" / "model.safetensors").write_text("weights")
    with checked_out(working_tree(repository), "HEAD", "--base") as tree:
        assert tree.left == ("checkpoint/",)
        assert not (tree.root / "checkpoint").exists()


def test_what_tools_leave_behind_is_neither_linked_nor_named(repository):
    for name in ("__pycache__/model.cpython-311.pyc", ".pytest_cache/README.md", ".venv/lib/site.py"):
        path = repository / name
        path.parent.mkdir(parents=True)
        path.write_text("")
    with checked_out(working_tree(repository), "HEAD", "--base") as tree:
        assert tree.left == ()
        assert {path.name for path in tree.root.iterdir()} == {".git", "model.py"}


def test_no_room_for_another_tree_is_the_machines_fault(repository, monkeypatch):
    monkeypatch.setattr("pytest_xeonperf.ci.git.add_worktree", lambda *_: "No space left on device")
    with (
        pytest.raises(InfrastructureError, match=r"git cannot check .* out: No space left on device"),
        checked_out(working_tree(repository), "HEAD", "--base"),
    ):
        pass


def test_paths_are_absolute(repository):
    assert working_tree(repository).root == Path(repository).resolve()
