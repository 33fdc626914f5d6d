"""Energy of past hours, from Home Assistant's long-term statistics."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant

from ..statistics import async_read
from .typical import HOUR

_LONGEST_GAP: Final = 18
"""Hours in which a meter may be away: an inverter sleeps all night."""

type Hours = dict[datetime, float]
"""Energy in kWh by the start of an hour, in UTC."""


async def async_energy_by_hour(
    hass: HomeAssistant,
    statistics: Iterable[str],
    start: datetime,
    end: datetime,
    *,
    sleeping: Collection[str] = (),
) -> Mapping[str, Hours]:
    """Return the energy of the hours between two instants by statistic; one that has none is missing.

    ``sleeping`` are those of devices that count only while they do something.

    Raises:
        StatisticsError: the database cannot be read.

    """
    if not (names := sorted(set(statistics))):
        return {}
    return await async_read(hass, _read, hass, names, start, end, sleeping)


def _read(
    hass: HomeAssistant,
    names: list[str],
    start: datetime,
    end: datetime,
    sleeping: Collection[str],
) -> dict[str, Hours]:
    """Read the database, one statistic at a time: the recorder makes several objects of every hour that it reads."""
    units: dict[str, str] = {"energy": UnitOfEnergy.KILO_WATT_HOUR}
    found = {}
    for name in names:
        rows = statistics_during_period(
            hass, start, end, {name}, "hour", units, {"change"}
        ).get(name, [])
        pairs = [
            (datetime.fromtimestamp(row["start"], UTC), change)
            for row in rows
            if (change := row.get("change")) is not None
        ]
        if hours := without_gaps(pairs, asleep=name in sleeping):
            found[name] = hours
    return found


def without_gaps(
    rows: Iterable[tuple[datetime, float]], *, asleep: bool = False
) -> Hours:
    """Return hours, in which the energy that was counted after a gap is spread evenly over it.

    If the meter was only ``asleep``, it is that of the hour in which it woke up. The hours of a gap that is too long are
    missing, and so is the first hour, which may hold more than an hour.
    """
    hours: Hours = {}
    before: datetime | None = None
    for start, energy in rows:
        if before is not None and start > before:
            count = round((start - before) / HOUR)
            if count <= _LONGEST_GAP:
                even = 0.0 if asleep else energy / count
                hours |= {start - index * HOUR: even for index in range(count)}
            if asleep or count == 1:
                hours[start] = energy
        before = start
    return hours


def added(parts: Iterable[Hours]) -> Hours:
    """Return the sum of hours that any part has."""
    total: Hours = {}
    for part in parts:
        for start, energy in part.items():
            total[start] = total.get(start, 0.0) + energy
    return total


def need_of(gains: Collection[Hours], losses: Collection[Hours]) -> Hours:
    """Return gains less losses, in the hours that all of them have."""
    total, out = added(gains), added(losses)
    return {
        start: energy - out.get(start, 0.0)
        for start, energy in total.items()
        if all(start in part for part in (*gains, *losses))
    }


def less(hours: Hours, parts: Iterable[Hours]) -> Hours:
    """Return hours less those of other meters, which may lack some."""
    out = added(parts)
    return {start: energy - out.get(start, 0.0) for start, energy in hours.items()}
