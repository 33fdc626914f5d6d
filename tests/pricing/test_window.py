"""Tests of windows between local times, across midnight and both clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.nomos.pricing import TARIFF_ZONE, window

HOUR = timedelta(hours=1)


def local(text: str, fold: int = 0) -> datetime:
    """Return an instant by German time."""
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=TARIFF_ZONE)


@pytest.mark.parametrize(
    ("now", "start", "end", "opens", "closes"),
    [
        # Before, in and after a window of one day, and one across midnight.
        ("2026-06-01T05:00", "06:00", "08:00", "2026-06-01T06:00", "2026-06-01T08:00"),
        ("2026-06-01T07:00", "06:00", "08:00", "2026-06-01T06:00", "2026-06-01T08:00"),
        ("2026-06-01T08:00", "06:00", "08:00", "2026-06-02T06:00", "2026-06-02T08:00"),
        ("2026-06-01T01:00", "20:00", "07:00", "2026-05-31T20:00", "2026-06-01T07:00"),
        ("2026-06-01T07:00", "20:00", "07:00", "2026-06-01T20:00", "2026-06-02T07:00"),
        # A day in local time.
        ("2026-06-01T05:00", "06:00", "06:00", "2026-05-31T06:00", "2026-06-01T06:00"),
        ("2026-03-28T12:00", "06:00", "06:00", "2026-03-28T06:00", "2026-03-29T06:00"),
        ("2026-06-01T06:00", "06:00", None, "2026-06-01T06:00", "2026-06-02T06:00"),
        # Open ends.
        ("2026-06-01T05:00", None, "04:00", "2026-06-01T05:00", "2026-06-02T04:00"),
        ("2026-06-01T05:00", None, "05:00", "2026-06-01T05:00", "2026-06-02T05:00"),
        ("2026-10-24T12:00", None, None, "2026-10-24T12:00", "2026-10-25T12:00"),
        # The clock jumps from 2:00 to 3:00.
        ("2026-03-28T22:00", "02:30", "05:00", "2026-03-29T03:00", "2026-03-29T05:00"),
        ("2026-03-28T22:00", "23:00", "02:30", "2026-03-28T23:00", "2026-03-29T03:00"),
        ("2026-03-28T22:00", "02:15", "02:45", "2026-03-30T02:15", "2026-03-30T02:45"),
        # The hour from 2:00 is repeated; its first pass counts.
        ("2026-10-24T22:00", "02:30", "03:00", "2026-10-25T02:30", "2026-10-25T03:00"),
        ("2026-10-24T22:00", "23:00", "02:30", "2026-10-24T23:00", "2026-10-25T02:30"),
    ],
)
def test_window(
    now: str, start: str | None, end: str | None, opens: str, closes: str
) -> None:
    """The current or next window is found in local time, across midnight and both clock changes."""
    found = window(
        local(now).astimezone(UTC),
        time.fromisoformat(start) if start else None,
        time.fromisoformat(end) if end else None,
        TARIFF_ZONE,
    )
    assert found == (local(opens).astimezone(UTC), local(closes).astimezone(UTC))
    assert all(moment.tzinfo is UTC for moment in found)


def test_window_lengths_across_changes() -> None:
    """A local day lasts 23 or 25 hours when the clock changes; an hour in the second pass is in it."""
    six = time(6)
    for now, hours in (("2026-03-28T12:00", 23), ("2026-10-24T12:00", 25)):
        opens, closes = window(local(now), six, six, TARIFF_ZONE)
        assert closes - opens == hours * HOUR
    second = local("2026-10-25T02:45", fold=1)
    opens, closes = window(second, time(2), time(3), TARIFF_ZONE)
    assert opens == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    assert closes - opens == 2 * HOUR


def test_window_of_another_zone() -> None:
    """The caller chooses the zone; a clock change of half an hour is found to the second."""
    zone = ZoneInfo("Australia/Lord_Howe")
    opens, _ = window(datetime(2026, 10, 3, 12, tzinfo=UTC), time(2, 10), time(5), zone)
    assert opens == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
