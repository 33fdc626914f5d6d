"""Validators of action fields, whose translated errors name the field and what is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

import probatio

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.translation import async_get_cached_translations

from .api import harmless_text
from .const import DOMAIN
from .errors import invalid_input


class FieldError(probatio.Invalid):
    """An invalid field: the message is the translation key of the error, with placeholders besides the field."""


def action_data(
    hass: HomeAssistant, action: str, schema: Callable[[Any], Any]
) -> probatio.All[Any]:
    """Return a validator of an action's data with a translated error for the first invalid field."""

    def read(data: Any) -> Any:
        try:
            return schema(data)
        except probatio.MultipleInvalid as err:
            raise _sentence(hass, action, err.errors[0]) from None

    return probatio.All(read)


def _sentence(
    hass: HomeAssistant, action: str, wrong: probatio.Invalid
) -> ServiceValidationError:
    if not wrong.path or wrong.path[0] in cv.ENTITY_SERVICE_FIELDS:
        return invalid_input("no_target")
    field = _field_name(hass, action, wrong.path)
    match wrong:
        case FieldError():
            return invalid_input(wrong.msg, field=field, **wrong.placeholders)
        case probatio.RequiredFieldInvalid():
            key = "field_missing"
        case probatio.ExtraKeysInvalid():
            key = "field_unknown"
        case probatio.SequenceTypeInvalid():
            key = "field_not_rows"
        case _:
            key = "field_unfit"
    return invalid_input(key, field=field)


def _field_name(hass: HomeAssistant, action: str, path: Sequence[Any]) -> str:
    """Return the name of a field in the dialog and in YAML."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    written = harmless_text("".join(parts).removeprefix("."))
    names: Mapping[str, str] = async_get_cached_translations(
        hass, hass.config.language, "services", DOMAIN
    )
    name = names.get(f"component.{DOMAIN}.services.{action}.fields.{path[0]}.name")
    return f"{name} ({written})" if name else written


def text(value: Any) -> str:
    """Return a text that is safe to search for, to repeat in an error and to store."""
    return harmless_text(cv.string(value))


def _refusing[T](
    read: Callable[[Any], T], key: str, **placeholders: object
) -> Callable[[Any], T]:
    """Return a validator with the same error for everything that cannot be read."""

    def validate(value: Any) -> T:
        try:
            return read(value)
        except TypeError, ValueError, OverflowError, probatio.Invalid:
            raise FieldError(key, placeholders=placeholders) from None

    return validate


flag: Final = _refusing(cv.boolean, "field_not_a_flag")
"""Reads a boolean."""


def number(low: float, high: float) -> Callable[[Any], float]:
    """Return a validator of a number within bounds."""
    any_number = _refusing(float, "field_not_a_number")

    def read(value: Any) -> float:
        if low <= (found := any_number(value)) <= high:  # False for NaN.
            return found
        limits = {"low": f"{low:g}", "high": f"{high:g}"}
        raise FieldError("out_of_bounds", placeholders=limits)

    return read


price: Final = number(-100, 100)
"""Reads a price in EUR/kWh."""


def duration(low: timedelta, high: timedelta) -> Callable[[Any], timedelta]:
    """Return a validator of a duration within bounds."""
    return _refusing(
        probatio.All(cv.time_period, probatio.Range(min=low, max=high)),
        "field_not_a_duration",
        low=_in_hours(low),
        high=_in_hours(high),
    )


def _in_hours(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def choice[E: StrEnum](choices: type[E]) -> Callable[[Any], E]:
    """Return a validator of one of the values of an enumeration."""
    return _refusing(choices, "field_not_a_choice", choices=", ".join(choices))


def rows(most: int, row: probatio.Schema | dict[Any, Any]) -> Any:
    """Return a schema of a list of at most so many rows."""

    def few_enough(value: Any) -> Any:
        if isinstance(value, list) and len(value) > most:
            raise FieldError("too_many_rows", placeholders={"rows": most})
        return value

    return probatio.All(few_enough, [row])
