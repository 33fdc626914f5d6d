"""Fields of actions: validators whose errors say in the user's words which field is wrong, and how."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import Any

import probatio

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.translation import async_get_cached_translations

from .api import harmless_text
from .const import DOMAIN
from .errors import invalid_input


class FieldError(probatio.Invalid):
    """What is wrong with a field: the key of a sentence, and what it names besides the field."""

    def __init__(self, key: str, **placeholders: object) -> None:
        """Say it later, when the field is known."""
        super().__init__(key)
        self.key = key
        self.said = placeholders


def action_data(
    hass: HomeAssistant, action: str, schema: Callable[[Any], Any]
) -> probatio.All[Any]:
    """Return a validator of an action's data that refuses with translated sentences.

    Raises:
        ServiceValidationError: when it is called, with the first thing that is wrong.

    """

    def read(data: Any) -> Any:
        try:
            return schema(data)
        except probatio.MultipleInvalid as err:
            wrong = err.errors[0]
        except probatio.Invalid as err:
            wrong = err
        raise _sentence(hass, action, wrong) from None

    return probatio.All(read)


def _sentence(
    hass: HomeAssistant, action: str, wrong: probatio.Invalid
) -> ServiceValidationError:
    field = _field_name(hass, action, wrong.path)
    if not wrong.path or wrong.path[0] in cv.ENTITY_SERVICE_FIELDS:
        return invalid_input("no_target")
    match wrong:
        case FieldError(key=key, said=said):
            return invalid_input(key, field=field, **said)
        case probatio.RequiredFieldInvalid():
            return invalid_input("field_missing", field=field)
        case probatio.ExtraKeysInvalid():
            return invalid_input("field_unknown", field=field)
        case probatio.SequenceTypeInvalid():
            return invalid_input("field_not_rows", field=field)
        case _:
            return invalid_input("field_unfit", field=field)


def _field_name(hass: HomeAssistant, action: str, path: Sequence[Any]) -> str:
    """Return a field as the dialog calls it, and as it is written in YAML."""
    written = ""
    for part in path:
        match part:
            case int():
                written += f"[{part}]"
            case _:
                written += f"{'.' if written else ''}{part}"
    written = harmless_text(written)
    names: Mapping[str, str] = async_get_cached_translations(
        hass, hass.config.language, "services", DOMAIN
    )
    first = path[0] if path else ""
    name = names.get(f"component.{DOMAIN}.services.{action}.fields.{first}.name")
    return f"{name} ({written})" if name else written


def text(value: Any) -> str:
    """Return a text that can be searched for, repeated in an error and stored."""
    return harmless_text(cv.string(value))


def number(low: float, high: float) -> Callable[[Any], float]:
    """Return a validator of a number within bounds."""

    def read(value: Any) -> float:
        try:
            found = float(value)
        except TypeError, ValueError, OverflowError:
            raise FieldError("field_not_a_number") from None
        if low <= found <= high:  # NaN never is.
            return found
        raise FieldError("out_of_bounds", low=f"{low:g}", high=f"{high:g}")

    return read


def duration(low: timedelta, high: timedelta) -> Callable[[Any], timedelta]:
    """Return a validator of a duration within bounds."""

    def read(value: Any) -> timedelta:
        with suppress(OverflowError, probatio.Invalid):
            length: timedelta = cv.time_period(value)
            if low <= length <= high:
                return length
        raise FieldError(
            "field_not_a_duration", low=_in_hours(low), high=_in_hours(high)
        )

    return read


def _in_hours(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def choice[E: StrEnum](choices: type[E]) -> Callable[[Any], E]:
    """Return a validator of one of the values of an enumeration."""

    def read(value: Any) -> E:
        try:
            return choices(value)
        except ValueError:
            raise FieldError("field_not_a_choice", choices=", ".join(choices)) from None

    return read


def flag(value: Any) -> bool:
    """Return a truth value."""
    try:
        found: bool = cv.boolean(value)
    except probatio.Invalid:
        raise FieldError("field_not_a_flag") from None
    return found


def rows(most: int, row: probatio.Schema | dict[Any, Any]) -> Any:
    """Return a schema of a list of rows that is not too long."""

    def few_enough(value: Any) -> Any:
        if isinstance(value, list) and len(value) > most:
            raise FieldError("too_many_rows", rows=most)
        return value

    return probatio.All(few_enough, [row])
