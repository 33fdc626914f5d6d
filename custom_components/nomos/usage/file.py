"""The file that holds what is known of a contract's meter: a record as JSON, by the types of its fields."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from homeassistant.core import HomeAssistant

from ..prices.conversion import slug
from ..storage import (
    StoredFile,
    read_count,
    read_day,
    read_flag,
    read_instant,
    read_number,
    stored_file,
)
from .record import UsageRecord

_READERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    bool: read_flag,
    date: read_day,
    datetime: read_instant,
    float: read_number,
    int: read_count,
}


def usage_file(hass: HomeAssistant, subscription_id: str) -> StoredFile:
    """Return the file of a contract."""
    return stored_file(hass, f"usage.{slug(subscription_id)}")


def encode_record(subscription_id: str, record: UsageRecord) -> dict[str, Any]:
    """Return a record as JSON."""
    values = {one.name: _json(getattr(record, one.name)) for one in fields(record)}
    return {"subscription": subscription_id, **values}


def decode_record(subscription_id: str, stored: Any) -> UsageRecord:
    """Read what ``encode_record`` wrote; any error if it is of another subscription, or nonsense."""
    if stored["subscription"] != subscription_id:
        raise ValueError("another subscription")
    hints = get_type_hints(UsageRecord)
    return UsageRecord(
        **{name: _read(hint, stored[name]) for name, hint in hints.items()}
    )


def _json(value: Any) -> Any:
    """Return the value of a field as JSON: what has fields of its own as a list of them."""
    if is_dataclass(value):
        return [_json(getattr(value, one.name)) for one in fields(value)]
    # Not Mapping: to ask an abstract class of a new type leaves thousands of objects to the garbage collector.
    if isinstance(value, dict):
        return {_json(key): _json(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _read(hint: Any, value: Any) -> Any:
    """Return what ``_json`` wrote of a value of a type."""
    of = get_args(hint)
    if NoneType in of:
        return None if value is None else _read(of[0], value)
    if get_origin(hint) is Mapping:
        return {
            _read(of[0], key): _read(of[1], one) for key, one in dict(value).items()
        }
    if get_origin(hint) is tuple:
        return tuple(_read(of[0], one) for one in value)
    # What is left are enumerations and texts.
    make = _READERS.get(hint, hint)
    if is_dataclass(hint):
        parts = zip(get_type_hints(hint).items(), value, strict=True)
        return make(**{name: _read(one, part) for (name, one), part in parts})
    return make(value)
