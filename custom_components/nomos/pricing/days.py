"""The customer's local days, as the tariff counts them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

TARIFF_ZONE: Final = ZoneInfo("Europe/Berlin")
"""Nomos counts days in the customer's local time, which is German time for every contract (Nomos API, Price)."""


QUARTER: Final = timedelta(minutes=15)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def local_date(instant: datetime) -> date:
    """Return the tariff day that an aware instant falls into."""
    return instant.astimezone(TARIFF_ZONE).date()


def quarter_of(instant: datetime) -> datetime:
    """Return the start of the quarter-hour that an aware instant falls into, in UTC."""
    return instant.astimezone(UTC) - (instant - _EPOCH) % QUARTER


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Return the first instant of a tariff day and of the next one, in UTC: 23, 24 or 25 hours apart."""
    return _midnight(day), _midnight(day + timedelta(days=1))


def days_between(first: date, end: date) -> Iterator[date]:
    """Yield the days from the first one to the end, which is exclusive."""
    return (first + timedelta(days=number) for number in range((end - first).days))


def next_midnight(instant: datetime) -> datetime:
    """Return the first tariff midnight after an aware instant, in UTC."""
    return day_bounds(local_date(instant))[1]


def last_day(end: datetime) -> date:
    """Return the last tariff day of a range with an exclusive end."""
    return local_date(end - timedelta(microseconds=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, TARIFF_ZONE).astimezone(UTC)
