"""Frozen data as JSON, by the types of its fields: the format of all our files.

``encode`` supports dataclasses, tuples, dicts, enumerations, days, instants, texts, numbers, booleans and None.
``decode`` reads them back, and raises if the data is not a value of the requested type.

A dataclass with keyword-only fields is stored by field names, so that a field with a default can be added. Any other
is stored as a list of its fields: that is short, but makes their order part of the format.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from types import NoneType
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""All stored instants are between these; near the ends of the calendar, arithmetic fails."""


def encode(value: Any) -> Any:
    """Return a value as JSON; an instant as seconds since 1970."""
    # The most common types first: a price table has thousands of them.
    if value is None or isinstance(value, float):
        return value
    if is_dataclass(value):
        kind: Any = type(value)
        found = {name: encode(getattr(value, name)) for name in _names(kind)}
        return found if _is_by_name(kind) else list(found.values())
    # Not Mapping: checking new types against an abstract class leaves thousands of objects to the garbage collector.
    if isinstance(value, dict):
        return {encode(key): encode(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [encode(one) for one in value]
    if isinstance(value, datetime):
        seconds = value.timestamp()
        return int(seconds) if seconds.is_integer() else seconds
    return value.isoformat() if isinstance(value, date) else value


def decode[T](kind: type[T], stored: Any) -> T:
    """Return a value of a type from the JSON of ``encode``; raises any error if it is invalid."""
    value: T = _reader(cast(Hashable, kind))(stored)
    return value


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return a function that reads values of a type."""
    parts = get_args(kind)
    if NoneType in parts:
        read = _reader(parts[0])
        return lambda stored: None if stored is None else read(stored)
    if get_origin(kind) in {dict, Mapping}:
        key, value = map(_reader, parts)
        return lambda stored: {
            key(of): value(one) for of, one in _require(dict, stored).items()
        }
    if get_origin(kind) is tuple:
        item = _reader(parts[0])
        return lambda stored: tuple(map(item, _require(list, stored)))
    if is_dataclass(kind):
        return _fields_reader(kind)
    # Only enumerations remain.
    return _READERS.get(kind, kind)


def _fields_reader(kind: Any) -> Callable[[Any], Any]:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    by_name = _is_by_name(kind)

    def read(stored: Any) -> Any:
        if by_name:
            found = _require(dict, stored)
        else:
            found = dict(zip(readers, _require(list, stored), strict=True))
        return kind(**{name: readers[name](one) for name, one in found.items()})

    return read


@cache
def _names(kind: Any) -> list[str]:
    return [one.name for one in fields(kind)]


@cache
def _is_by_name(kind: Any) -> bool:
    return all(one.kw_only for one in fields(kind))


def _require[T](kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"no {kind.__name__}")
    return value


def read_number(value: Any, most: float = 1e9) -> float:
    """Return a stored number; ValueError if it is not a number, or implausibly large."""
    # This comparison is false for NaN.
    if type(value) not in {int, float} or not abs(value) <= most:
        raise ValueError("not a number of this kind")
    return float(value)


def _read_count(value: Any) -> int:
    if not read_number(value, 2**32).is_integer():
        raise ValueError("not a whole number")
    return int(value)


def _read_day(value: Any) -> date:
    day = date.fromisoformat(value)
    if not _FIRST.date() <= day < _LAST.date():
        raise ValueError("a day that is not stored")
    return day


def _read_instant(value: Any) -> datetime:
    instant = datetime.fromtimestamp(read_number(value, 1e11), UTC)
    if not _FIRST <= instant < _LAST:
        raise ValueError("an instant that is not stored")
    return instant


_READERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    bool: partial(_require, bool),
    date: _read_day,
    datetime: _read_instant,
    float: read_number,
    int: _read_count,
    str: partial(_require, str),
}
