"""Our own JSON, ``xeonperf/4``: a run whole, raw pairs included, so that what is written can be read back the same.

An `Unknown` is ``{"unknown": "why"}`` wherever a value could stand; pairs and sequences are arrays; enums their words.
Documents of version 1, which counted no contention and knew of one process, are read too, those of version 2, which
knew no authors of commits and kept no times of operators, and those of version 3, which counted no disturbed rounds.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from types import UnionType
from typing import TYPE_CHECKING, Any, NoReturn, Union, get_args, get_origin

from cattrs import Converter, transform_error
from cattrs.errors import (
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Result, Run, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = "xeonperf/4"
_VERSION_1, _VERSION_2, _VERSION_3 = "xeonperf/1", "xeonperf/2", "xeonperf/3"
READ = (_VERSION_1, _VERSION_2, _VERSION_3, SCHEMA)
"""Schemas that `loads` reads."""

_UNKNOWN = "unknown"
_MANY_COMPLAINTS = 5


def dumps(run: Run) -> str:
    """The run as JSON text, ending with a newline.

    Raises:
        DataError: It holds a figure that is NaN or infinite.
    """
    document = {"schema": SCHEMA, "run": to_plain(run)}
    try:
        return json.dumps(document, indent=1, allow_nan=False) + "\n"
    except ValueError as error:
        raise DataError("a figure that is NaN or infinite cannot be written as JSON", where=f"run {run.id}") from error


def loads(text: str, *, where: str = "document") -> Run:
    """The run that `dumps` wrote.

    Args:
        text: The document.
        where: Name of the document, for errors.

    Raises:
        DataError: The text is not JSON, not of this schema, or not a run; says what and where.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"no JSON: {error}", where=where, remedy=_REMEDY) from error
    found = document.get("schema") if isinstance(document, dict) else None
    if found == _VERSION_1:
        _from_version_1(document.get("run"))
    elif found not in READ:
        raise DataError(f"the schema is {found!r}, not {SCHEMA!r}", where=where, remedy=_REMEDY)
    try:
        return _converter().structure(document.get("run"), Run)
    except (TypeError, BaseValidationError) as error:
        complaints = transform_error(error, path="run", format_exception=_complaint)
        raise DataError("; ".join(complaints[:_MANY_COMPLAINTS]), where=where, remedy=_REMEDY) from error


def _from_version_1(run: object) -> None:
    """Bring a document to today's version, in place; what is malformed is found when it is read."""
    results = run.get("results") if isinstance(run, dict) else None
    for result in results if isinstance(results, list) else ():
        measurement = result.get("measurement") if isinstance(result, dict) else None
        if isinstance(measurement, dict) and "samples" in measurement:
            measurement.setdefault("contention", {_UNKNOWN: "measured before it was counted"})
            for sample in measurement["samples"] if isinstance(measurement["samples"], list) else ():
                if isinstance(sample, dict):
                    sample.setdefault("process", 0)


def to_plain(record: object) -> Any:
    """A record as what JSON can say: dicts, lists, texts, figures and truth values."""
    return _converter().unstructure(record)


_REMEDY = "give a file that `xeonperf export --format json` wrote"


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no figure")


def _complaint(error: BaseException, kind: type | None) -> str:
    """What is wrong with one value; cattrs adds where."""
    del kind
    match error:
        case KeyError():
            return f"{error} is missing"
        case ForbiddenExtraKeysError():
            return f"nothing is known of {', '.join(sorted(map(repr, error.extra_fields)))}"
        case _:
            return str(error)


@cache
def _converter() -> Converter:
    """Strict: a figure in quotes or a field too many is a mistake, not something to be lenient about."""
    converter = Converter()
    for kind in (str, bool, int):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(float, _finite)
    converter.register_structure_hook(StrEnum, lambda word, kind: kind(word))  # nearer to our enums than str is
    converter.register_structure_hook_factory(is_dataclass, lambda kind: _record(converter, kind))
    converter.register_structure_hook_func(_is_tuple, partial(_tuple, converter))
    converter.register_structure_hook_func(_may_be_unknown, partial(_known_or_why, converter))
    converter.register_unstructure_hook(Unknown, lambda unknown: {_UNKNOWN: unknown.reason})
    return converter


def _exactly(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _finite(value: Any, kind: type) -> float:
    del kind
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return float(value)


def _record(converter: Converter, kind: type) -> Callable[[Any, type], Any]:
    fill: Callable[[Any, type], Any] = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def structure(value: Any, kind: type) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is no {kind.__name__}")
        return fill(value, kind)

    return structure


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _tuple(converter: Converter, value: Any, kind: Any) -> tuple[Any, ...]:
    """An array: of one kind (``tuple[X, ...]``) or of a kind a place (``tuple[X, Y]``)."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no array")
    kinds = get_args(kind)
    if kinds[-1] is ...:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise ValueError(f"{value!r} has {len(value)} places, not {len(kinds)}")
    made, wrong = [], []
    for index, (item, item_kind) in enumerate(zip(value, kinds, strict=True)):
        try:
            made.append(converter.structure(item, item_kind))
        except (TypeError, ValueError, BaseValidationError) as error:
            error.add_note(IterableValidationNote(f"at {index}", index, item_kind))
            wrong.append(error)
    if wrong:
        raise IterableValidationError("in an array", wrong, kind)
    return tuple(made)


def _may_be_unknown(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and Unknown in get_args(kind)


def _known_or_why(converter: Converter, value: Any, kind: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {_UNKNOWN}:
        return Unknown(reason=_exactly(value[_UNKNOWN], str))
    return converter.structure(value, _meant(value, [option for option in get_args(kind) if option is not Unknown]))


def _meant(value: Any, kinds: list[Any]) -> Any:
    """The kind of which a value has most fields: what it is, or what it was meant to be."""
    if len(kinds) == 1 or not isinstance(value, dict):
        return kinds[0]
    return max(kinds, key=lambda kind: len(value.keys() & {field.name for field in fields(kind)}))


def result_from_plain(plain: object) -> Result:
    """The result that `to_plain` took apart: what a test report carries from process to process."""
    return _converter().structure(plain, Result)
