"""Stand-ins for unknown prices: the price at the same clock time on the last day that has one."""

from datetime import UTC, datetime, timedelta
from typing import Final

from .days import QUARTER, TARIFF_ZONE, quarter_of
from .table import Interval, PriceTable

_DAYS_BACK: Final = 14
"""How old a stand-in may be: after a long outage an old price is a better guess than none."""


def with_stand_ins(table: PriceTable, start: datetime, end: datetime) -> PriceTable:
    """Return a table with stand-ins for unknown prices between two aware instants, as far as there are any.

    A price of the day before, at the same clock time, is about as good a guess as a mean of seven days.
    """
    stand_ins: list[Interval] = []
    at = start.astimezone(UTC)
    while at < end:
        known, boundary = table.at(at), table.next_boundary(at)
        until = quarter_of(at) + QUARTER
        if boundary is not None:
            until = min(until, boundary)
        if known is None or known.price is None:
            if (price := _earlier_price(table, at)) is not None:
                stand_ins.append(Interval(at, until, price))
            at = until
        else:
            at = known.end
    priced = (one for one in table.intervals if one.price is not None)
    return PriceTable.of([*priced, *stand_ins]) if stand_ins else table


def _earlier_price(table: PriceTable, instant: datetime) -> float | None:
    """Return the price at the same clock time on the last day on which it is known."""
    local = instant.astimezone(TARIFF_ZONE)
    days = (timedelta(days=number) for number in range(1, _DAYS_BACK + 1))
    found = (table.at((local - back).astimezone(UTC)) for back in days)
    return next((one.price for one in found if one and one.price is not None), None)
