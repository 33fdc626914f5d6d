"""Forms in sections, and their fields: what the dialogs of loads and batteries share."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from math import isfinite
from operator import or_
from typing import Any, override

import probatio

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    EntitySelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    Selector,
    SelectSelector,
    TimeSelector,
)

type Fields = dict[probatio.Marker, Selector[Any]]


@dataclass(frozen=True, slots=True)
class Mistake:
    """An error in the input: where it is shown, its translation key, and the placeholders of its text."""

    place: str
    error: str
    placeholders: dict[str, str]


class CheckedNumber(NumberSelector):
    """A number box whose limits are checked with the form as a whole: Home Assistant's error is in English only."""

    def __init__(
        self, low: float, high: float, step: float, unit: str | None = None
    ) -> None:
        """Accept numbers between two limits."""
        config = NumberSelectorConfig(
            min=low, max=high, step=step, mode=NumberSelectorMode.BOX
        )
        if unit is not None:
            config["unit_of_measurement"] = unit
        super().__init__(config)

    @override
    def __call__(self, data: Any) -> float:
        with suppress(TypeError, ValueError, OverflowError):
            if isfinite(number := float(data)):
                return number
        raise probatio.Invalid("not a finite number")


class LimitedNumber(CheckedNumber):
    """A number box that rejects numbers outside its limits."""

    @override
    def __call__(self, data: Any) -> float:
        return NumberSelector.__call__(self, super().__call__(data))


class ShortTime(TimeSelector):
    """A time of day without seconds, an option that only the frontend has."""

    @override
    def serialize(self) -> dict[str, dict[str, Any]]:
        return {"selector": {"time": {"no_second": True}}}


def choice(kind: type[StrEnum], key: str) -> SelectSelector:
    """Return a selector of the values of an enumeration; ``key`` is their translation key."""
    options = [one.value for one in kind]
    return SelectSelector({"options": options, "translation_key": key})


def entities(*domains: str, multiple: bool = False) -> EntitySelector:
    """Return a selector of entities of some domains."""
    return EntitySelector({"domain": [*domains], "multiple": multiple})


@dataclass(frozen=True, slots=True)
class SectionedForm:
    """The fields that are always visible, and those of collapsible sections."""

    first: Fields
    sections: Mapping[str, Fields]

    @property
    def fields(self) -> Fields:
        """Return all fields."""
        return reduce(or_, self.sections.values(), self.first)

    def schema(self, opened: str | None = None) -> probatio.Schema:
        """Return the schema that Home Assistant shows and checks; every section but one is collapsed."""
        fields: dict[probatio.Marker, Any] = {**self.first}
        for name, inner in self.sections.items():
            fields[probatio.Required(name)] = section(
                probatio.Schema({**inner}), {"collapsed": name != opened}
            )
        return probatio.Schema(fields)

    def flat(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was entered, without the sections."""
        data = dict(user_input)
        for name in self.sections:
            data |= data.pop(name, {})
        return data

    def nested(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data to show in the fields, by section."""
        return dict(data) | {
            name: {key: data[key] for key in map(str, fields) if key in data}
            for name, fields in self.sections.items()
        }

    def out_of_range(self, data: Mapping[str, Any]) -> Mistake | None:
        """Return a mistake for the first number outside its limits."""
        for key, field in self.fields.items():
            if isinstance(field, CheckedNumber) and key in data:
                low, high = field.config["min"], field.config["max"]
                if not low <= data[str(key)] <= high:
                    limits = {"low": f"{low:g}", "high": f"{high:g}"}
                    return Mistake(self.place_of(str(key)), "out_of_range", limits)
        return None

    def mistake(self, error: str, field_of: Mapping[str, str]) -> Mistake:
        """Return an error by its place: ``no_x`` belongs to the field x, unless ``field_of`` names another."""
        field = field_of.get(error, error.removeprefix("no_"))
        return Mistake(self.place_of(field), error, {})

    def place_of(self, key: str) -> str:
        """Return where an error of a field is shown: at the field, or at the section that holds it.

        Home Assistant shows no errors within sections.
        """
        if key in self.first:
            return key
        holders = (name for name, fields in self.sections.items() if key in fields)
        return next(holders, "base")
