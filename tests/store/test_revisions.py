"""How people name runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture
def history(store: Store, make_run: Callable[..., Run]) -> Store:
    """Four runs: two of main, one of a branch, one without a commit; the last is the newest."""
    commit = make_run().commit
    branch = "feature/%_'x"
    commits = (
        replace(commit, sha="abcd" + "0" * 36),
        replace(commit, sha="abce" + "0" * 36),
        replace(commit, sha="dddd" + "0" * 36, branch=branch),
        Unknown(reason="not a repository"),
    )
    for number, each in enumerate(commits):
        store.add_run(make_run(id=f"0199000{number}-run", started_at=f"2026-09-0{number + 1}T10:00:00", commit=each))
    return store


@pytest.mark.parametrize(
    ("revision", "number"),
    [
        ("latest", 3),
        ("latest~0", 3),
        ("latest~1", 2),
        ("latest~", 2),
        ("latest~3", 0),
        ("main", 1),
        ("main~1", 0),
        ("feature/%_'x", 2),
        ("abcd", 0),
        ("ABCE0", 1),
        ("abce" + "0" * 36, 1),
        ("01990002-run", 2),
        ("01990003", 3),
    ],
)
def test_a_revision_means_one_run(history: Store, revision: str, number: int) -> None:
    assert history.resolve(revision) == f"0199000{number}-run"


@pytest.mark.parametrize("revision", ["develop", "ffff", "abc", "ab%d", "latest~4", "main~2"])
def test_what_means_nothing_is_answered_with_what_there_is(history: Store, revision: str) -> None:
    with pytest.raises(UsageError) as caught:
        history.resolve(revision)
    assert "newest runs: 01990003-run" in caught.value.remedy
    assert "main" in caught.value.remedy


@pytest.mark.parametrize(("revision", "meanings"), [("0199", "01990000-run, 01990001-run"), ("abcd", "abcd0")])
def test_a_beginning_of_several_is_not_guessed_at(
    history: Store, make_run: Callable[..., Run], revision: str, meanings: str
) -> None:
    run = make_run()
    history.add_run(replace(run, commit=replace(run.commit, sha="abcdef" + "0" * 34)))
    with pytest.raises(UsageError, match=f"may mean .*{meanings}") as caught:
        history.resolve(revision)
    assert caught.value.remedy == "give more of it"


@pytest.mark.parametrize("revision", ["", "~", "~1", "main~x", "a~1~2"])
def test_what_cannot_be_a_revision_is_said_to_be_none(history: Store, revision: str) -> None:
    with pytest.raises(UsageError, match="is no revision"):
        history.resolve(revision)


def test_an_empty_history_says_how_to_fill_it(store: Store) -> None:
    with pytest.raises(UsageError, match="there is no run yet") as caught:
        store.resolve("latest")
    assert "pytest --xeonperf suites/" in caught.value.remedy
