"""Calendar months of the tariff, and when their metered values are settled. Pure functions."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

type DateRange = tuple[date, date]
"""The first day, and the end (exclusive)."""

_SETTLED_WORKING_DAY: Final = 8
"""Preliminary values may be replaced until this working day of the following month (Nomos API, Usage)."""

_HOLIDAYS: Final = 4
"""Working days added for public holidays: no month has more of them on weekdays."""


def month_start(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """Return the first day of the month after a day's month."""
    return months_before(day, -1)


def months_before(day: date, count: int) -> date:
    """Return the first day of the month that lies ``count`` months before a day's month."""
    year, month = divmod(12 * day.year + day.month - 1 - count, 12)
    return date(year, month + 1, 1)


def is_settled(month: date, today: date) -> bool:
    """Return whether the values of a month no longer change, as of ``today``."""
    day = next_month(month)
    working_days = _SETTLED_WORKING_DAY + _HOLIDAYS
    while working_days:
        if day >= today:
            return False
        working_days -= day.weekday() < 5
        day += timedelta(days=1)
    return True


def month_chunks(first: date, end: date) -> Iterator[DateRange]:
    """Yield the calendar months, or parts of them, between two days."""
    while first < end:
        following = min(next_month(first), end)
        yield first, following
        first = following
