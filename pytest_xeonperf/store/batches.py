"""Many values in one query at a time, as many as databases take."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AT_ONCE = 500
"""Databases bound the number of parameters of a query."""

_T = TypeVar("_T")


def batches(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """The values in their order, some at a time; nothing of none."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
