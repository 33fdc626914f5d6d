"""What was metered and what it cost: readings, hours, days and longer periods. Pure functions and frozen data."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum
from operator import itemgetter
from typing import Any
from zlib import crc32

from ..api.columns import Packed, PackedMapping
from ..pricing import PriceTable, day_bounds, local_date
from ..totals import DECIMALS


@dataclass(frozen=True, slots=True)
class Reading:
    """The energy of one metered interval in kWh, positive in both directions: the contract has one."""

    start: datetime
    length: timedelta
    kwh: float


@dataclass(frozen=True, slots=True)
class HourUsage:
    """Energy in kWh and cost in EUR of the readings within one hour.

    The cost is that of the readings whose price is known, None if there is none of them. ``priced`` is whether that is
    all of them.
    """

    kwh: float
    cost: float | None
    priced: bool


@dataclass(frozen=True, slots=True)
class DayUsage:
    """What was metered on one tariff day.

    Attributes:
        day: The tariff's local day.
        kwh: The energy of all readings.
        cost: EUR for the readings whose price is known; None if there is none.
        priced_kwh: The energy of those readings.
        readings: How many readings there are.
        missing: How many more there should be.
        digest: Equal for equal readings.
    """

    day: date
    kwh: float
    cost: float | None
    priced_kwh: float
    readings: int
    missing: int
    digest: int

    @property
    def complete(self) -> bool:
        """Return whether every reading is there, with its price."""
        return not self.missing and self.priced

    @property
    def priced(self) -> bool:
        """Return whether the price of every reading is known."""
        return self.cost is not None and abs(self.priced_kwh - self.kwh) < 1e-9


@dataclass(frozen=True, slots=True)
class AnalogMonth:
    """What an analog meter counted in one calendar month of the tariff's zone, in kWh; an estimate until final."""

    month: date
    kwh: float
    final: bool


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """The sum over several days: energy in kWh, cost in EUR, and the mean price paid in EUR/kWh.

    Cost and mean price are None if no price is known; the mean is over the energy whose price is known.
    ``unpriced`` is the rest of the energy in kWh, which the cost lacks.
    """

    last: date
    kwh: float
    cost: float | None
    paid: float | None
    unpriced: float
    missing: int


def group_by_day(readings: Iterable[Reading]) -> dict[date, Sequence[Reading]]:
    """Return readings by tariff day, in order, and packed: there may be thousands of them."""
    groups: dict[date, list[tuple[datetime, timedelta, float]]] = {}
    rows = ((one.start, one.length, one.kwh) for one in readings)
    for row in sorted(rows, key=itemgetter(0)):
        groups.setdefault(local_date(row[0]), []).append(row)
    return {day: Packed(Reading, tuple(found)) for day, found in groups.items()}


def digest_of(readings: Iterable[Reading]) -> int:
    """Return a number that is equal for readings of equal start and energy."""
    return crc32(repr([(one.start.timestamp(), one.kwh) for one in readings]).encode())


def days_and_hours_of(
    readings: Mapping[date, Sequence[Reading]],
    prices: Callable[[datetime, datetime], PriceTable],
    supply: tuple[datetime, datetime],
) -> tuple[dict[date, DayUsage], Mapping[datetime, HourUsage]]:
    """Return usage and cost by tariff day and by the UTC hour.

    Goes day by day, as the prices of a month would be thousands of objects.

    Args:
        readings: by day, in order, none of them empty.
        prices: returns the known prices between two instants.
        supply: when the contract runs; nothing is missing outside it.

    """
    days: dict[date, DayUsage] = {}
    hours: dict[datetime, tuple[Any, ...]] = {}
    for day, found in readings.items():
        start, end = day_bounds(day)
        # A reading may go on after midnight.
        table = prices(start, max(end, found[-1].start + found[-1].length))
        days[day] = _day(day, found, table, supply)
        hours |= hours_of(found, table).rows
    return days, PackedMapping(HourUsage, hours)


def _day(
    day: date,
    readings: Sequence[Reading],
    table: PriceTable,
    supply: tuple[datetime, datetime],
) -> DayUsage:
    costs = [
        (one.kwh, one.kwh * price)
        for one in readings
        if (price := price_of(one, table)) is not None
    ]
    start, end = day_bounds(day)
    start, end = max(start, supply[0]), min(end, supply[1])
    expected = round((end - start) / readings[0].length)
    return DayUsage(
        day=day,
        kwh=round(fsum(one.kwh for one in readings), DECIMALS),
        cost=round(fsum(cost for _, cost in costs), DECIMALS) if costs else None,
        priced_kwh=round(fsum(kwh for kwh, _ in costs), DECIMALS),
        readings=len(readings),
        missing=max(0, expected - len(readings)),
        digest=digest_of(readings),
    )


def hours_of(
    readings: Iterable[Reading], table: PriceTable
) -> PackedMapping[datetime, HourUsage]:
    """Return usage and cost by the UTC hour, in order, and packed; hours without a reading are not there.

    Each reading costs its energy times the price of its own interval, so that the sum is what the invoice says.
    """
    energies: dict[datetime, list[float]] = {}
    costs: dict[datetime, list[float]] = {}
    for reading in readings:
        hour = reading.start.replace(minute=0, second=0, microsecond=0)
        energies.setdefault(hour, []).append(reading.kwh)
        if (price := price_of(reading, table)) is not None:
            costs.setdefault(hour, []).append(reading.kwh * price)
    rows = {
        hour: (
            round(fsum(energies[hour]), DECIMALS),
            round(fsum(costs[hour]), DECIMALS) if hour in costs else None,
            len(costs.get(hour, ())) == len(energies[hour]),
        )
        for hour in sorted(energies)
    }
    return PackedMapping(HourUsage, rows)


def price_of(reading: Reading, table: PriceTable) -> float | None:
    """Return the price of a reading in EUR/kWh: that of its interval, or the mean over those that it spans.

    None if a part of it has no known price.
    """
    end, at = reading.start + reading.length, reading.start
    weighted = []
    while at < end:
        interval = table.at(at)
        if interval is None or interval.price is None:
            return None
        until = min(interval.end, end)
        if at == reading.start and until == end:
            return interval.price
        weighted.append(interval.price * (until - at).total_seconds())
        at = until
    return fsum(weighted) / reading.length.total_seconds()


def period(days: Iterable[DayUsage]) -> PeriodUsage | None:
    """Return the sum over days in order; None over no day."""
    if not (summed := list(days)):
        return None
    costs = [one.cost for one in summed if one.cost is not None]
    cost = round(fsum(costs), DECIMALS) if costs else None
    kwh = fsum(one.kwh for one in summed)
    priced = fsum(one.priced_kwh for one in summed)
    return PeriodUsage(
        last=summed[-1].day,
        kwh=round(kwh, DECIMALS),
        cost=cost,
        paid=cost / priced if cost is not None and priced > 0 else None,
        unpriced=round(max(kwh - priced, 0.0), DECIMALS),
        missing=sum(one.missing for one in summed),
    )
