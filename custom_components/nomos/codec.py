"""Frozen data as JSON, by the types of its fields: what all our files hold.

``encode`` takes dataclasses, tuples, dicts, enumerations, days, instants, texts, numbers, booleans and None.
``decode`` reads them again, and raises on whatever is no value of the type that is asked for.

A dataclass whose fields are keyword-only is stored by their names, so that it can get another field with a default.
Any other is stored as the list of its fields: that is short, and the order of its fields is part of the format.
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
    # First what there is most of: a table of prices has thousands.
    if value is None or isinstance(value, float):
        return value
    if is_dataclass(value):
        kind: Any = type(value)
        found = {name: encode(getattr(value, name)) for name in _names(kind)}
        return found if _is_by_name(kind) else list(found.values())
    # Not Mapping: to ask an abstract class of a new type leaves thousands of objects to the garbage collector.
    if isinstance(value, dict):
        return {encode(key): encode(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [encode(one) for one in value]
    if isinstance(value, datetime):
        seconds = value.timestamp()
        return int(seconds) if seconds.is_integer() else seconds
    return value.isoformat() if isinstance(value, date) else value


def decode[T](kind: type[T], stored: Any) -> T:
    """Return the value of a type that ``encode`` made JSON of; any error if there is none."""
    value: T = _reader(cast(Hashable, kind))(stored)
    return value


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what reads the values of a type."""
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
    # What is left are enumerations.
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
    """Return a stored number; ValueError if it is none, or larger than any that is stored."""
    # NaN is not at most anything.
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
