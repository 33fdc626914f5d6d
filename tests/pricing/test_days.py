"""Tests of the tariff's days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.nomos.pricing import day_bounds, local_date, next_midnight


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 29), 23),
        (date(2026, 6, 1), 24),
        (date(2026, 10, 25), 25),
        (date(2026, 12, 31), 24),
    ],
)
def test_day_length(day, hours):
    """A day lasts 23, 24 or 25 hours."""
    start, end = day_bounds(day)
    assert end - start == timedelta(hours=hours)
    assert start.tzinfo is UTC


def test_days_are_german_days():
    """An instant belongs to the German day, whatever time zone it is given in."""
    late = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    assert local_date(late) == date(2026, 6, 2)
    assert local_date(late.astimezone(ZoneInfo("America/New_York"))) == date(2026, 6, 2)
    assert local_date(datetime(2026, 12, 1, 22, 30, tzinfo=UTC)) == date(2026, 12, 1)


def test_next_midnight():
    """Midnight itself belongs to the new day."""
    midnight = datetime(2026, 6, 1, 22, tzinfo=UTC)
    assert next_midnight(midnight - timedelta(microseconds=1)) == midnight
    assert next_midnight(midnight) == midnight + timedelta(days=1)
