"""Parsing of the times in calls of actions."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from .api import harmless_text
from .errors import invalid_input
from .pricing import day_bounds, last_day, local_date, next_midnight, window

MAX_DAYS: Final = 400
"""The longest range of prices that is returned at once: a year and a month."""

_YEARS: Final = range(2000, 2200)
"""Other years are mistakes, and too close to the ends of the calendar for arithmetic."""

_TICK: Final = timedelta(microseconds=1)

_LONGEST: Final = 40
"""Maximum characters, more than a date and time with microseconds and offset needs."""


def price_range(
    start: str | None, end: str | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return the requested range of prices, in UTC, with an exclusive end.

    A date is a tariff day; as an end, it is included. A time without an offset is in the hub's local time. Without a
    start the range begins with today; without an end it ends with tomorrow.

    Raises:
        ServiceValidationError: the range is invalid, empty or too long.

    """
    opens, midnight = day_bounds(local_date(now))
    closes = next_midnight(midnight)
    if start is not None:
        opens = _bound(start, 0)
    if end is not None:
        closes = _bound(end, 1)
    if closes <= opens:
        raise invalid_input("end_before_start")
    if (last_day(closes) - local_date(opens)).days >= MAX_DAYS:
        raise invalid_input("range_too_long", days=MAX_DAYS)
    return opens, closes


def plan_window(
    earliest: str | None, latest: str | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return the window for a plan, in UTC.

    Times of day are in the hub's local time. Two of them mean the window that is open now, or else the next one;
    together with a date and time, one means its next occurrence. Without an earliest start the window opens now;
    without a latest end it closes a day later.

    Raises:
        ServiceValidationError: the window is invalid or over.

    """
    zone = dt_util.get_default_time_zone()
    start = None if earliest is None else _read(earliest, dt_util.parse_time)
    end = None if latest is None else _read(latest, dt_util.parse_time)
    if isinstance(start, time) and isinstance(end, time):
        opens, closes = window(now, start, end, zone)
    else:
        if isinstance(start, time):
            # An automation that is triggered at a time of day calls some milliseconds later.
            minute = now.replace(second=0, microsecond=0)
            opens = after = window(minute - _TICK, None, start, zone)[1]
        else:
            opens = start or now
            after = max(opens, now)
        closes = end if isinstance(end, datetime) else window(after, None, end, zone)[1]
    if closes <= now:
        raise invalid_input("window_over")
    if closes <= opens:
        raise invalid_input("end_before_start")
    return opens, closes


def instant(text: str) -> datetime:
    """Return a date and time as an instant in UTC; without an offset it is in the hub's local time.

    Raises:
        ServiceValidationError: it is invalid.

    """
    return _read(text, dt_util.parse_datetime)


def _bound(text: str, side: int) -> datetime:
    """Return an instant, or a bound of a tariff day: 0 for its start, 1 for its end."""
    found = _read(text, dt_util.parse_date)
    return found if isinstance(found, datetime) else day_bounds(found)[side]


def _read[T: date | time](text: str, parse: Callable[[str], T | None]) -> T | datetime:
    """Return a text as parsed by ``parse``, or else as an instant in UTC.

    Characters that no time has are rejected first: a lone surrogate crashes the parser that Home Assistant uses, and
    all of Home Assistant with it.
    """
    found: T | datetime | None = None
    if len(text) <= _LONGEST and text.isascii() and text.isprintable():
        with suppress(ValueError, OverflowError):
            found = parse(text) or dt_util.parse_datetime(text)
    if found is None or (isinstance(found, date) and found.year not in _YEARS):
        raise invalid_input("invalid_time", value=harmless_text(text))
    if not isinstance(found, datetime):
        return found
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt_util.get_default_time_zone())
    return found.astimezone(UTC)
