"""Column types that keep their promise on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Double, Text, TypeDecorator

from pytest_xeonperf.errors import DataError

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_REMEDY = "report this: a measurement went wrong"
_NO_DATABASE_HOLDS_NUL = str.maketrans({"\0": "\N{REPLACEMENT CHARACTER}"})


class Words(TypeDecorator[str]):
    """Text from anywhere: what UTF-8 or PostgreSQL cannot hold is replaced rather than costing the result."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Replace NUL, and write lone surrogates (undecodable bytes of a path) as escapes."""
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """Text as `Words` keeps it."""
    return text.translate(_NO_DATABASE_HOLDS_NUL).encode("utf-8", "backslashreplace").decode("utf-8")


class Finite(TypeDecorator[float]):
    """A finite float of 64 bits: SQLite would quietly store NaN as NULL."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Refuse what is no number.

        Raises:
            DataError: The value is NaN or infinite.
        """
        if value is not None and not math.isfinite(value):
            raise DataError(f"{value} is no figure that can be stored", remedy=_REMEDY)
        return value


class OpenList(TypeDecorator[list[Any]]):
    """A list of open shape as JSON, which has no word for NaN."""

    impl = JSON(none_as_null=True)  # no list is NULL, as with every other column, and not JSON's null
    cache_ok = True

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> list[Any] | None:  # noqa: ARG002
        """Refuse here what some drivers would only refuse on their way to the server.

        Raises:
            DataError: A figure in it is NaN or infinite.
        """
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            raise DataError(f"{value} holds no figure that can be stored", remedy=_REMEDY) from error
        return value


class Digits(TypeDecorator[int]):
    """An integer of any size as text: seeds may be wider than a database's 63 bits."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To decimal digits."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """From decimal digits."""
        return None if value is None else int(value)
