"""Solar forecasts: the answers of the integrations that offer them, checked and added up by hour."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
import logging
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
from homeassistant.util import dt as dt_util

from ..planner.expected import EnergyForecast
from ..pricing import TARIFF_ZONE, day_bounds, local_date
from .outlook import Problem
from .typical import DAY, HOUR, hourly_forecast

_LOGGER = logging.getLogger(__name__)

_PLATFORM: Final = "energy"
_HOOK: Final = "async_get_solar_forecast"

_TIMEOUT: Final = 30.0
"""Seconds within which a forecast has to answer."""

_MAX_HOURLY_KWH: Final = 100.0
"""kWh in an hour: more than the roof of any house makes."""

_MAX_ROWS: Final = 10_000

_MAX_DISTANCE: Final = timedelta(days=14)
"""How far into past and future a forecast is read."""

_CUT_OFF_HOURS: Final = 2
"""Hours by which the last day of a forecast may end earlier than the previous one. If more are missing, it was cut
off."""

type Hours = dict[datetime, float]


@dataclass(frozen=True, slots=True)
class SunForecast:
    """The sum of the chosen forecasts: the solar energy to come, and what is wrong with them."""

    energy: EnergyForecast = field(default_factory=EnergyForecast)
    problems: frozenset[Problem] = frozenset()

    def by_day(self) -> dict[date, float]:
        """Return the energy of each day in kWh."""
        days: dict[date, float] = defaultdict(float)
        hours = zip(self.energy.starts, self.energy.energies, strict=False)
        for start, energy in hours:
            days[local_date(start)] += energy
        return days


async def async_forecast_hook(
    hass: HomeAssistant, entry: ConfigEntry
) -> Callable[[HomeAssistant, str], Awaitable[Any]] | None:
    """Return what the Energy dashboard calls for the solar forecast of a config entry; None if it offers none."""
    try:
        integration = await async_get_integration(hass, entry.domain)
        if integration.platforms_exists((_PLATFORM,)):
            platform = await integration.async_get_platform(_PLATFORM)
            return getattr(platform, _HOOK, None)
    except Exception as err:  # noqa: BLE001 - it is the code of others
        _LOGGER.debug("An integration cannot be loaded: %s", type(err).__name__)
    return None


async def async_read_sun(
    hass: HomeAssistant, entries: Collection[str], now: datetime
) -> SunForecast:
    """Return the sum of the solar forecasts of some config entries. What cannot be used is left out."""
    answers = await asyncio.gather(*(_async_ask(hass, one) for one in entries))
    return sun_forecast(answers, now, dt_util.get_default_time_zone())


async def _async_ask(hass: HomeAssistant, entry_id: str) -> Any:
    """Return the answer of one config entry; None if there is none."""
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return None
    if (hook := await async_forecast_hook(hass, entry)) is None:
        return None
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await hook(hass, entry_id)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        _LOGGER.debug("A solar forecast was cancelled by its own integration")
        return None
    except Exception as err:  # noqa: BLE001 - it is the code of others
        _LOGGER.debug("A solar forecast failed: %s", type(err).__name__)
        return None


def sun_forecast(answers: Iterable[Any], now: datetime, zone: tzinfo) -> SunForecast:
    """Return the sum of answers by hour, from today's midnight until the first of them ends.

    A time without an offset is the hub's local time.
    """
    problems: set[Problem] = set()
    used: list[tuple[Hours, date]] = []
    today = local_date(now)
    for answer in answers:
        if answer is None:
            problems.add(Problem.SUN_UNAVAILABLE)
            continue
        hours, invalid = read_answer(answer, now, zone)
        if invalid:
            problems.add(Problem.SUN_ABSURD)
        last = _last_day(hours)
        if last is None:
            problems.add(Problem.SUN_ABSURD if invalid else Problem.SUN_UNAVAILABLE)
            continue
        if last < today:
            problems.add(Problem.SUN_STALE)
            continue
        if _has_gap(hours, today):
            problems.add(Problem.SUN_GAP)
        used.append((hours, last))
    if not used:
        return SunForecast(problems=frozenset(problems))
    days = (min(last for _, last in used) - today) // DAY + 1
    empty = hourly_forecast(lambda _day, _hour: 0.0, today, days)
    energies = tuple(
        sum(hours.get(start, 0.0) for hours, _ in used) for start in empty.starts[:-1]
    )
    return SunForecast(EnergyForecast(empty.starts, energies), frozenset(problems))


def read_answer(answer: Any, now: datetime, zone: tzinfo) -> tuple[Hours, bool]:
    """Return the energy in kWh by the start of the hour, in UTC, and whether something was left out.

    A value belongs to the clock hour of its time, as in the Energy dashboard.
    """
    rows = answer.get("wh_hours") if isinstance(answer, Mapping) else None
    if not isinstance(rows, Mapping) or len(rows) > _MAX_ROWS:
        return {}, True
    hours: Hours = {}
    invalid = False
    for key, value in rows.items():
        at = _time(key, zone)
        if at is None or not _is_energy(value):
            invalid = True
        elif now - _MAX_DISTANCE <= at <= now + _MAX_DISTANCE:
            start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            hours[start] = hours.get(start, 0.0) + value / 1000
    too_much = [start for start, energy in hours.items() if energy > _MAX_HOURLY_KWH]
    for start in too_much:
        del hours[start]
    return hours, invalid or bool(too_much)


def _time(key: Any, zone: tzinfo) -> datetime | None:
    try:
        at = key if isinstance(key, datetime) else datetime.fromisoformat(key)
    except TypeError, ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _is_energy(value: Any) -> bool:
    """Return whether a value is a possible energy in Wh."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # False for NaN, too.
    return is_number and 0 <= value <= 1000 * _MAX_HOURLY_KWH


def _daylight(hours: Hours) -> dict[date, list[datetime]]:
    """Return the hours of each day that have any energy, in order."""
    days: dict[date, list[datetime]] = {local_date(one): [] for one in sorted(hours)}
    for start in sorted(hours):
        if hours[start] > 0:
            days[local_date(start)].append(start)
    return days


def _last_day(hours: Hours) -> date | None:
    """Return the last day that a forecast covers in full."""
    days = _daylight(hours)
    if not days:
        return None
    last = max(days)
    light, before = days[last], days.get(last - DAY)
    if light and before:
        ends = [one.astimezone(TARIFF_ZONE).hour for one in (light[-1], before[-1])]
        if ends[0] < ends[1] - _CUT_OFF_HOURS:
            return last - DAY
    return last


def _has_gap(hours: Hours, today: date) -> bool:
    """Return whether, from today on, an hour is missing between hours with energy, or a day between others."""
    days = {day: light for day, light in _daylight(hours).items() if day >= today}
    if len(days) <= (max(days) - min(days)) // DAY:
        return True
    return any(
        light[0] + index * HOUR not in hours
        for light in days.values()
        if light
        for index in range((light[-1] - light[0]) // HOUR)
    )


def whole_days(
    hours: Mapping[datetime, float], days: Iterable[date]
) -> dict[date, float]:
    """Return the energy of those days whose hours are all known."""
    found = {}
    for day in days:
        start, end = day_bounds(day)
        starts = [start + index * HOUR for index in range((end - start) // HOUR)]
        if all(one in hours for one in starts):
            found[day] = sum(hours[one] for one in starts)
    return found
