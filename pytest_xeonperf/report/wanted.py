"""A page that there shall be in a folder, before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.report.render import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page that there shall be.

    Attributes:
        inputs: Digest of what it is made from.
        make: Makes its view model.
        again: Whether it is made again though its inputs are what they were: something else may have changed.
    """

    name: str
    inputs: str
    make: Callable[[], Page]
    again: bool = False
