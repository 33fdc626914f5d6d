"""How accurate solar forecasts were, and the factor that corrects them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from math import inf
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..codec import decode
from ..storage import StoredFile, stored_file
from .typical import DAY

_DECAY_FACTOR: Final = 13 / 14
"""The weight of a day relative to the day after it: about a mean of two weeks."""

_PRIOR_DAYS: Final = 4
"""A record starts as if this many days like its first had been forecast correctly."""

_LOWEST: Final = 0.5
_HIGHEST: Final = 1.5
"""Limits of the factor: a forecast that is off by more is wrong in a way that no factor corrects."""

_LONGEST_WAIT: Final = 7 * DAY
"""How long a past day waits for its meters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarAccuracy:
    """What was forecast for past days and what the roof made (kWh), both fading, and forecasts of days to come.

    It covers the solar forecasts of the config ``entries``.
    """

    entries: tuple[str, ...] = ()
    forecast: float = 0.0
    actual: float = 0.0
    days: int = 0
    awaited: Mapping[date, float] = field(default_factory=dict)

    @property
    def factor(self) -> float:
        """Return the factor that corrects a forecast."""
        if not self.forecast:
            return 1.0
        return min(max(self.actual / self.forecast, _LOWEST), _HIGHEST)

    def with_forecast(self, today: date, days: Mapping[date, float]) -> Self:
        """Return the record with the current forecast of days that have not begun."""
        later = {day: energy for day, energy in days.items() if day > today}
        return replace(self, awaited={**self.awaited, **later})

    def due(self, today: date) -> list[date]:
        """Return past days that still wait for the meters."""
        return sorted(day for day in self.awaited if day < today)

    def with_actual(self, today: date, made: Mapping[date, float]) -> Self:
        """Return the record with what the roof made on past days. Days with a forecast of zero are ignored."""
        record, waiting = self, dict(self.awaited)
        for day in self.due(today):
            if day in made:
                record = record._with_day(waiting.pop(day), made[day])
            elif day < today - _LONGEST_WAIT:
                del waiting[day]
        return replace(record, awaited=waiting)

    def _with_day(self, forecast: float, actual: float) -> Self:
        if not 0 < forecast < inf or not 0 <= actual < inf:
            return self
        known = self
        if not self.days:
            trusted = _PRIOR_DAYS * forecast
            known = replace(self, forecast=trusted, actual=trusted)
        return replace(
            known,
            forecast=known.forecast * _DECAY_FACTOR + forecast,
            actual=known.actual * _DECAY_FACTOR + actual,
            days=self.days + 1,
        )


def record_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that stores an account's record."""
    return stored_file(hass, f"forecast.{entry.entry_id}")


def decode_record(stored: Any) -> SolarAccuracy:
    """Read a record; raises any error if it is invalid."""
    record = decode(SolarAccuracy, stored)
    if min(record.forecast, record.actual, record.days, *record.awaited.values()) < 0:
        raise ValueError("an energy that cannot be")
    return record
