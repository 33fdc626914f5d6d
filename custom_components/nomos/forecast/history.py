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

type HourlyEnergy = dict[datetime, float]
"""Energy in kWh by the start of an hour, in UTC."""


async def async_energy_by_hour(
    hass: HomeAssistant,
    statistics: Iterable[str],
    start: datetime,
    end: datetime,
    *,
    intermittent: Collection[str] = (),
) -> Mapping[str, HourlyEnergy]:
    """Return the energy by hour between two instants, by statistic; statistics without any are missing.

    ``intermittent`` are those of meters that count only while their device is active.

    Raises:
        StatisticsError: the database cannot be read.

    """
    if not (names := sorted(set(statistics))):
        return {}
    return await async_read(hass, _read, hass, names, start, end, intermittent)


def _read(
    hass: HomeAssistant,
    names: list[str],
    start: datetime,
    end: datetime,
    intermittent: Collection[str],
) -> dict[str, HourlyEnergy]:
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
        if hours := without_gaps(pairs, intermittent=name in intermittent):
            found[name] = hours
    return found


def without_gaps(
    rows: Iterable[tuple[datetime, float]], *, intermittent: bool = False
) -> HourlyEnergy:
    """Return hours, with energy that was counted after a gap spread evenly over the gap.

    If the meter is ``intermittent``, all of it belongs to the hour in which it counts again. The hours of too long a
    gap are missing, and so is the first hour, which may hold the energy of more than an hour.
    """
    hours: HourlyEnergy = {}
    before: datetime | None = None
    for start, energy in rows:
        if before is not None and start > before:
            count = round((start - before) / HOUR)
            if count <= _LONGEST_GAP:
                even = 0.0 if intermittent else energy / count
                hours |= {start - index * HOUR: even for index in range(count)}
            if intermittent or count == 1:
                hours[start] = energy
        before = start
    return hours


def sum_by_hour(parts: Iterable[HourlyEnergy]) -> HourlyEnergy:
    """Return the sum by hour, for the hours that any part has."""
    total: HourlyEnergy = {}
    for part in parts:
        for start, energy in part.items():
            total[start] = total.get(start, 0.0) + energy
    return total


def balance(
    gains: Collection[HourlyEnergy], losses: Collection[HourlyEnergy]
) -> HourlyEnergy:
    """Return gains less losses, for the hours that all of them have."""
    total, out = sum_by_hour(gains), sum_by_hour(losses)
    return {
        start: energy - out.get(start, 0.0)
        for start, energy in total.items()
        if all(start in part for part in (*gains, *losses))
    }


def subtracted(hours: HourlyEnergy, parts: Iterable[HourlyEnergy]) -> HourlyEnergy:
    """Return hours less those of other meters, which may lack some hours."""
    out = sum_by_hour(parts)
    return {start: energy - out.get(start, 0.0) for start, energy in hours.items()}
