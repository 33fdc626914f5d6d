"""Usage by day and month: what people compare."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum
from operator import itemgetter
from typing import Any
from zlib import crc32

from ...api.columns import Packed, PackedMapping
from ...pricing import PriceTable, day_bounds, local_date
from .readings import DECIMALS, HourUsage, Reading, hours_of, price_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """What was metered on one tariff day.

    Attributes:
        day: The tariff's local day.
        kwh: The energy of all readings.
        cost: EUR for the readings whose price is known; None when there is none.
        priced_kwh: The energy of those readings.
        lowest: The lowest known price of the day in EUR/kWh, None when none is known.
        mean: The mean price of the day in EUR/kWh, None when none is known.
        highest: The highest known price of the day in EUR/kWh, None when none is known.
        readings: How many readings there are.
        missing: How many there should be more.
        final: Whether no value will be replaced any more.
        digest: Equal for equal readings.
    """

    day: date
    kwh: float
    cost: float | None
    priced_kwh: float
    lowest: float | None
    mean: float | None
    highest: float | None
    readings: int
    missing: int
    final: bool
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
class MonthUsage:
    """What an analog meter counted in one calendar month of the tariff's zone, in kWh; an estimate until final."""

    month: date
    kwh: float
    final: bool


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """The sum over several days: energy in kWh, cost in EUR, and the mean price paid in EUR/kWh.

    Cost and mean price are None where no price is known; the mean is over the energy whose price is known.
    ``unpriced`` is the rest of the energy in kWh, which the cost lacks.
    """

    first: date
    last: date
    kwh: float
    cost: float | None
    paid: float | None
    unpriced: float
    missing: int


def group_by_day(readings: Iterable[Reading]) -> dict[date, Sequence[Reading]]:
    """Return readings by tariff day, in order, and packed: there may be thousands of them."""
    groups: dict[date, list[tuple[datetime, timedelta, float, bool]]] = {}
    rows = ((one.start, one.length, one.kwh, one.final) for one in readings)
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
        prices: returns what is known of the prices between two instants.
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
    prices = table.day(day)
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
        lowest=prices.lowest.price if prices.lowest else None,
        mean=prices.average,
        highest=prices.highest.price if prices.highest else None,
        readings=len(readings),
        missing=max(0, expected - len(readings)),
        final=all(one.final for one in readings),
        digest=digest_of(readings),
    )


def period(days: Iterable[DayUsage]) -> PeriodUsage | None:
    """Return the sum over days in order; None over no day."""
    if not (summed := list(days)):
        return None
    costs = [one.cost for one in summed if one.cost is not None]
    cost = round(fsum(costs), DECIMALS) if costs else None
    kwh = fsum(one.kwh for one in summed)
    priced = fsum(one.priced_kwh for one in summed)
    return PeriodUsage(
        first=summed[0].day,
        last=summed[-1].day,
        kwh=round(kwh, DECIMALS),
        cost=cost,
        paid=cost / priced if cost is not None and priced > 0 else None,
        unpriced=round(max(kwh - priced, 0.0), DECIMALS),
        missing=sum(one.missing for one in summed),
    )


def share_of_optimum(day: DayUsage, *, selling: bool) -> float | None:
    """Return how much of the day's possible advantage was taken, in percent.

    100 when all energy fell into the day's best interval, 0 when it cost what the day's average would have, negative
    when it cost more. None where prices are missing, or where the day had the same price throughout.
    """
    best = day.highest if selling else day.lowest
    if day.cost is None or best is None or day.mean is None or day.priced_kwh <= 0:
        return None
    possible = day.priced_kwh * (best - day.mean)
    if abs(possible) < 1e-9:
        return None
    return 100 * (day.cost - day.priced_kwh * day.mean) / possible
