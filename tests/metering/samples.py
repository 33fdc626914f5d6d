"""Readings and prices to compute with."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hypothesis import settings

from custom_components.nomos.pricing import Interval, PriceTable, day_bounds
from custom_components.nomos.usage.metering import Reading

# A busy machine is no reason to fail.
property_test = settings(deadline=None, database=None)

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SPRING = date(2026, 3, 29)
"""The day that lacks an hour."""
AUTUMN = date(2026, 10, 25)
"""The day that has one hour twice."""
PLAIN = date(2026, 6, 10)

ALWAYS = (datetime(2020, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
"""A contract that runs all the time."""


def starts_of(day: date, length: timedelta = QUARTER) -> list[datetime]:
    """Return when the intervals of a tariff day begin."""
    start, end = day_bounds(day)
    return [start + number * length for number in range((end - start) // length)]


def readings_of(
    starts: Iterable[datetime],
    kwh: Callable[[int], float] = lambda index: 0.1,
    *,
    length: timedelta = QUARTER,
    final: bool = True,
) -> list[Reading]:
    """Return readings."""
    return [
        Reading(start, length, kwh(index), final) for index, start in enumerate(starts)
    ]


def table_of(
    starts: Iterable[datetime],
    price: Callable[[int], float | None] = lambda index: 0.3,
    *,
    length: timedelta = QUARTER,
) -> PriceTable:
    """Return a price table."""
    return PriceTable.of(
        Interval(start, start + length, price(index))
        for index, start in enumerate(starts)
    )


def exact(number: float) -> Fraction:
    """Return a decimal number as it is written."""
    return Fraction(str(number))
