"""What a session says at its end of the run before."""

import re

import pytest

SUITE = """
import time

import pytest
import torch


def slow(seconds):
    def call():
        time.sleep(seconds)
        return torch.ones(1)

    return call


def test_pair(xeonperf):
    xeonperf.compare(slow({candidate}), slow(0.03))
"""


@pytest.fixture(scope="module")
def sessions(suite, run, tmp_path_factory):
    """Three commits of one suite, one after the other; from the second one on, its candidate takes thrice the time.

    The first one is the release that the third is held against.
    """
    import subprocess

    folder = suite({"test_it.py": SUITE.format(candidate=0.01)})
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")

    def commit(subject):
        for words in (("add", "test_it.py"), ("commit", "--quiet", "-m", subject)):
            subprocess.run(("git", *who, *words), cwd=folder, check=True)

    subprocess.run(("git", "init", "--quiet"), cwd=folder, check=True)
    commit("Before")
    subprocess.run(("git", "tag", "v1.2"), cwd=folder, check=True)
    arguments = ("--xeonperf-preset=quick", "--xeonperf-pairs=12:12")
    first = run(folder, *arguments)
    (folder / "test_it.py").write_text(SUITE.format(candidate=0.03))
    commit("After")
    second = run(folder, *arguments)
    (folder / "test_it.py").write_text(SUITE.format(candidate=0.03) + "# nothing else\n")
    commit("Later")
    return first, second, run(folder, *arguments, "--xeonperf-release=v1.2")


def test_the_first_run_has_nothing_to_look_back_at(sessions):
    first, *_ = sessions
    assert not any("since run" in line for line in first.lines.str().splitlines())


def test_a_speed_up_that_fell_is_told_with_its_side_and_the_test_stays_what_it_is(sessions):
    first, second, _ = sessions
    second.lines.fnmatch_lines(
        [
            f"since run {first.runs[0].id} of *: 0 of 1 speed-up held",
            "fell *: the speed-up changed by *; the variant moved, its baseline did not",
        ]
    )
    assert second.code == 0


def test_what_holds_since_the_run_before_may_have_fallen_since_the_release(sessions):
    first, second, third = sessions
    before = re.search(r"^since run (\S+) of ", third.lines.str(), re.MULTILINE)[1]
    assert before != first.runs[0].id
    third.lines.fnmatch_lines(
        [
            f"since release v1.2, run {first.runs[0].id} of *: 0 of 1 speed-up held",
            "fell *: the speed-up changed by *; the variant moved, its baseline did not",
        ]
    )
    assert "since release" not in second.lines.str()
