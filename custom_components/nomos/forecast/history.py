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
"""Hours for which a meter may be unavailable: an inverter sleeps all night."""

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
    """Return the energy by hour between two instants, by statistic; statistics without any are missing.

    ``sleeping`` are those of devices that count only while they are active.

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
    """Read the database, one statistic at a time: the recorder creates several objects for each hour."""
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
    """Return hours, with energy that was counted after a gap spread evenly over the gap.

    If the meter was only ``asleep``, all of it belongs to the hour in which it woke up. The hours of too long a gap
    are missing, and so is the first hour, which may hold the energy of more than an hour.
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
    """Return the sum by hour, for the hours that any part has."""
    total: Hours = {}
    for part in parts:
        for start, energy in part.items():
            total[start] = total.get(start, 0.0) + energy
    return total


def need_of(gains: Collection[Hours], losses: Collection[Hours]) -> Hours:
    """Return gains less losses, for the hours that all of them have."""
    total, out = added(gains), added(losses)
    return {
        start: energy - out.get(start, 0.0)
        for start, energy in total.items()
        if all(start in part for part in (*gains, *losses))
    }


def less(hours: Hours, parts: Iterable[Hours]) -> Hours:
    """Return hours less those of other meters, which may lack some hours."""
    out = added(parts)
    return {start: energy - out.get(start, 0.0) for start, energy in hours.items()}
