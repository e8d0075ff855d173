"""What the first page can be narrowed down by: which choices there are, and which of them a thing on the page meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_xeonperf.store.summaries import RunSummary

UNNAMED = "unknown"
"""How a branch that nobody knows is called."""

OTHER_MACHINE = "another machine"
"""What a comparability class is called whose runs are all older than those listed."""

_KINDS = {"machine": "m", "branch": "b", "workload": "w", "variant": "v", "preset": "p"}
_NO_CHOICE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One question with its answers: a token, which things on the page carry, and the words that people see."""

    name: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All questions that have more than one answer, in the order of the page."""

    shown: tuple[Filter, ...]

    @classmethod
    def of(cls, found: Mapping[str, Iterable[str]]) -> Filters:
        """The filters for what is on the page.

        Args:
            found: By the name of a filter all values there are, each as often as it likes.
        """
        choices = {name: sorted(set(found.get(name, ()))) for name in _KINDS}
        return cls(
            shown=tuple(
                Filter(
                    name=name, options=tuple((f"{_KINDS[name]}{index}", value) for index, value in enumerate(values))
                )
                for name, values in choices.items()
                if len(values) > 1
            )
        )

    def tokens(self, values: Mapping[str, str]) -> str:
        """What a thing on the page carries: one token for each filter that it answers, ``m0 b2``.

        Args:
            values: By the name of a filter the value that this thing has; one that is no choice meets none.
        """
        return " ".join(
            next((token for token, words in each.options if words == values[each.name]), _KINDS[each.name] + _NO_CHOICE)
            for each in self.shown
            if each.name in values
        )


def offered(filters: Filters, name: str) -> frozenset[str]:
    """The answers to a question of the page; none if it is not asked."""
    return frozenset(words for each in filters.shown if each.name == name for _token, words in each.options)


def branch_of(branch: str | Unknown) -> str:
    """The name of a branch as a choice."""
    return UNNAMED if isinstance(branch, Unknown) else branch


def machine_names(runs: Sequence[RunSummary]) -> Mapping[str, str]:
    """A name for every comparability class; classes of the same processor are told apart."""
    names = {run.comparability_class: f"{run.cpu_model}, {run.isa}" for run in runs}
    same = list(names.values())
    return {each: name if same.count(name) == 1 else f"{name} ({each})" for each, name in names.items()}
