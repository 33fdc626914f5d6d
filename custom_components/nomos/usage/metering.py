"""Usage and its cost: readings, hours, days and longer periods. Pure functions and frozen data."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from math import fsum
from zlib import crc32

from ..api import UsageItem
from ..api.columns import CompactMapping
from ..pricing import PriceTable, day_bounds, days_between
from ..totals import DECIMALS


@dataclass(frozen=True, slots=True)
class HourUsage:
    """Energy in kWh and cost in EUR of the readings within one hour.

    The cost covers the readings whose price is known; None if there are none. ``priced`` means that it covers all of
    them.
    """

    kwh: float
    cost: float | None
    priced: bool


@dataclass(frozen=True, slots=True)
class DayUsage:
    """The usage of one tariff day.

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

    Cost and mean price cover the energy whose price is known; None if there is none. ``unpriced`` is the rest of the
    energy in kWh.
    """

    last: date
    kwh: float
    cost: float | None
    paid: float | None
    unpriced: float
    missing: int


def readings_by_day(
    readings: Sequence[UsageItem], first: date, end: date
) -> dict[date, Sequence[UsageItem]]:
    """Return sorted readings by tariff day, from the first day to the end, without days that have none."""
    found = {}
    for day in days_between(first, end):
        start, stop = (
            bisect_left(readings, at, key=lambda one: one.start)
            for at in day_bounds(day)
        )
        if start < stop:
            found[day] = readings[start:stop]
    return found


def digest_of(readings: Iterable[UsageItem]) -> int:
    """Return a checksum of the starts and energies of readings."""
    return crc32(repr([(one.start.timestamp(), one.kwh) for one in readings]).encode())


def days_and_hours_of(
    readings: Mapping[date, Sequence[UsageItem]],
    length: timedelta,
    prices: Callable[[datetime, datetime], PriceTable],
    supply: tuple[datetime, datetime],
) -> tuple[dict[date, DayUsage], Mapping[datetime, HourUsage]]:
    """Return usage and cost by tariff day and by the UTC hour.

    It works day by day, as the prices of a month would be thousands of objects.

    Args:
        readings: by day, in order; no day is empty.
        length: the time that each reading covers.
        prices: returns the known prices between two instants.
        supply: when the contract runs; nothing is missing outside it.

    """
    days: dict[date, DayUsage] = {}
    hours: dict[datetime, tuple[float, float | None, bool]] = {}
    for day, found in readings.items():
        start, end = day_bounds(day)
        # A reading may extend past midnight.
        table = prices(start, max(end, found[-1].start + length))
        priced = _priced(found, length, table)
        start, end = max(start, supply[0]), min(end, supply[1])
        days[day] = DayUsage(
            day=day,
            kwh=_sum(one.kwh for one in found),
            cost=_cost(priced),
            priced_kwh=_sum(kwh for kwh, _ in priced),
            readings=len(found),
            missing=max(0, round((end - start) / length) - len(found)),
            digest=digest_of(found),
        )
        hours |= {
            hour: (one.kwh, one.cost, one.priced)
            for hour, one in hours_of(found, length, table).items()
        }
    return days, CompactMapping(HourUsage, hours)


def hours_of(
    readings: Iterable[UsageItem], length: timedelta, table: PriceTable
) -> dict[datetime, HourUsage]:
    """Return usage and cost of sorted readings by UTC hour, without hours that have no reading.

    Each reading costs its energy times the price of its own interval, so that the sum matches the invoice.
    """
    hours = {}
    for hour, group in groupby(
        readings, lambda one: one.start.replace(minute=0, second=0, microsecond=0)
    ):
        found = list(group)
        priced = _priced(found, length, table)
        hours[hour] = HourUsage(
            kwh=_sum(one.kwh for one in found),
            cost=_cost(priced),
            priced=len(priced) == len(found),
        )
    return hours


def _priced(
    readings: Iterable[UsageItem], length: timedelta, table: PriceTable
) -> list[tuple[float, float]]:
    """Return energy and cost of the readings whose price is known."""
    return [
        (one.kwh, one.kwh * price)
        for one in readings
        if (price := price_of(one.start, one.start + length, table)) is not None
    ]


def _cost(priced: Sequence[tuple[float, float]]) -> float | None:
    return _sum(cost for _, cost in priced) if priced else None


def _sum(amounts: Iterable[float]) -> float:
    return round(fsum(amounts), DECIMALS)


def price_of(start: datetime, end: datetime, table: PriceTable) -> float | None:
    """Return the price of a reading in EUR/kWh: that of its interval, or the mean over those that it spans.

    None if a part of it has no known price.
    """
    weighted, at = [], start
    while at < end:
        interval = table.at(at)
        if interval is None or interval.price is None:
            return None
        until = min(interval.end, end)
        if at == start and until == end:
            return interval.price
        weighted.append(interval.price * (until - at).total_seconds())
        at = until
    return fsum(weighted) / (end - start).total_seconds()


def period(days: Iterable[DayUsage]) -> PeriodUsage | None:
    """Return the sum over days, given in order; None if there are none."""
    if not (summed := list(days)):
        return None
    cost = _cost([(one.priced_kwh, one.cost) for one in summed if one.cost is not None])
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
