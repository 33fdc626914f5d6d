"""Readings and prices for tests of usage."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import settings

from custom_components.nomos.api import (
    GridFeeModule,
    GridFeeReduction,
    GridFeeStatus,
    InvoiceStatus,
    InvoiceType,
    MeterType,
    UsageItem,
)
from custom_components.nomos.pricing import Interval, PriceTable, day_bounds
from custom_components.nomos.usage.ledger import StatisticKind
from custom_components.nomos.usage.metering import AnalogMonth, DayUsage
from custom_components.nomos.usage.record import (
    LatestInvoice,
    MonthState,
    MonthStatus,
    UsageRecord,
)

# A test must not fail because the machine is busy.
property_test = settings(deadline=None, database=None)

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SPRING = date(2026, 3, 29)
"""The day on which the clocks go forward: an hour is missing."""
AUTUMN = date(2026, 10, 25)
"""The day on which the clocks go back: an hour is repeated."""
PLAIN = date(2026, 6, 10)

ALWAYS = (datetime(2020, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
"""A contract that runs throughout."""


def starts_of(day: date, length: timedelta = QUARTER) -> list[datetime]:
    """Return the starts of the intervals of a tariff day."""
    start, end = day_bounds(day)
    return [start + number * length for number in range((end - start) // length)]


def readings_of(
    starts: Iterable[datetime],
    kwh: Callable[[int], float] = lambda index: 0.1,
) -> list[UsageItem]:
    """Return readings."""
    return [
        UsageItem(start, kwh(index), final=True) for index, start in enumerate(starts)
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
    """Return a number exactly as its decimal notation."""
    return Fraction(str(number))


DAY = timedelta(days=1)

FIRST = date(2026, 3, 1)


def day_usage(day: date, **changes: Any) -> DayUsage:
    """Return a day."""
    values: dict[str, Any] = {
        "day": day,
        "kwh": 9.6,
        "cost": 2.88,
        "priced_kwh": 9.6,
        "readings": 96,
        "missing": 0,
        "digest": 12345,
    }
    return DayUsage(**(values | changes))


FULL = UsageRecord(
    meter=MeterType.SMART,
    analog_on=date(2026, 4, 2),
    days={
        FIRST: day_usage(FIRST),
        FIRST + DAY: day_usage(FIRST + DAY, cost=None, missing=4),
    },
    months={
        date(2025, 12, 1): MonthState(
            MonthStatus.INCOMPLETE, date(2026, 2, 20), date(2026, 2, 17), 1439, True
        ),
        date(2026, 1, 1): MonthState(
            MonthStatus.INCOMPLETE, date(2026, 2, 17), date(2026, 2, 17), None
        ),
        date(2026, 2, 1): MonthState(MonthStatus.SETTLED, date(2026, 3, 19)),
        FIRST: MonthState(MonthStatus.OPEN, date(2026, 4, 3)),
    },
    analog_months=(
        AnalogMonth(FIRST, 210.5, True),
        AnalogMonth(date(2026, 4, 1), 190.0, False),
    ),
    synced_on=date(2026, 4, 3),
    answered_on=date(2026, 4, 4),
    recorded={StatisticKind.USAGE: datetime(2026, 4, 2, 21, tzinfo=UTC)},
    fees={FIRST: 10.99},
    refused={"invoices": date(2026, 4, 1)},
    invoice=LatestInvoice(
        type=InvoiceType.USAGE,
        status=InvoiceStatus.OPEN,
        total=-12.34,
        period_start=datetime(2026, 2, 28, 23, tzinfo=UTC),
        period_end=datetime(2026, 3, 31, 22, tzinfo=UTC),
    ),
    reductions=(
        GridFeeReduction(
            subscription_id="sub",
            module=GridFeeModule.FLAT,
            status=GridFeeStatus.ACTIVATED,
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            valid_until=None,
        ),
    ),
    reductions_on=date(2026, 4, 1),
)


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything in decoded JSON."""
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    return [path, *(found for key, one in items for found in paths(one, (*path, key)))]
