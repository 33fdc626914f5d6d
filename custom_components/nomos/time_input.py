"""The times that an action is called with."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from .api import harmless_text
from .errors import invalid_input
from .pricing import day_bounds, last_day, local_date, next_midnight, window

MAX_DAYS: Final = 400
"""The longest range of prices that is returned at once: a year and a month."""

_YEARS: Final = range(2000, 2200)
"""Years outside are a mistake, and too near to the ends of the calendar for arithmetic."""

_TICK: Final = timedelta(microseconds=1)

_LONGEST: Final = 40
"""Characters of a date with time, to the microsecond and with its offset, and some more."""


def price_range(
    start: str | None, end: str | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return the range of prices that is asked for, in UTC, without its end.

    A date is a tariff day, and as an end it is included. A time without an offset is the hub's local time. Without a
    start the range begins with today, without an end it ends with tomorrow.

    Raises:
        ServiceValidationError: the range is empty or too long, or no range.

    """
    opens, midnight = day_bounds(local_date(now))
    closes = next_midnight(midnight)
    if start is not None:
        opens = _begin_or_end(start, 0)
    if end is not None:
        closes = _begin_or_end(end, 1)
    if closes <= opens:
        raise invalid_input("end_before_start")
    if (last_day(closes) - local_date(opens)).days >= MAX_DAYS:
        raise invalid_input("range_too_long", days=MAX_DAYS)
    return opens, closes


def plan_window(
    earliest: str | None, latest: str | None, now: datetime, zone: tzinfo
) -> tuple[datetime, datetime]:
    """Return the window for a plan, in UTC.

    Times of day are the hub's. Two of them mean the window that is open now, or else the next one; one beside a date
    with time means the next such time. Without an earliest start the window opens now; without a latest end it closes
    a day later.

    Raises:
        ServiceValidationError: the window is no window, or is over.

    """
    start = None if earliest is None else _time_or_instant(earliest)
    end = None if latest is None else _time_or_instant(latest)
    if isinstance(end, datetime):
        if isinstance(start, time):
            start = next_at(start, now, zone)
        opens, closes = now if start is None else start, end
    elif isinstance(start, datetime):
        opens, closes = start, window(max(start, now), None, end, zone)[1]
    elif start is not None and end is None:
        opens = next_at(start, now, zone)
        closes = window(opens, None, None, zone)[1]
    else:
        opens, closes = window(now, start, end, zone)
    if closes <= now:
        raise invalid_input("window_over")
    if closes <= opens:
        raise invalid_input("end_before_start")
    return opens, closes


def next_at(wall: time, now: datetime, zone: tzinfo) -> datetime:
    """Return the next instant, which may be in the current minute, at which the clock shows a time.

    What is triggered at a time of day calls some milliseconds after it.
    """
    minute = now.replace(second=0, microsecond=0)
    return window(minute - _TICK, None, wall, zone)[1]


def instant(text: str) -> datetime:
    """Return a date with time as an instant in UTC; without an offset it is the hub's local time.

    Raises:
        ServiceValidationError: it is none.

    """
    _check(text)
    return _instant(text)


def _begin_or_end(text: str, days: int) -> datetime:
    """Return an instant, or the bound of a tariff day."""
    _check(text)
    if (day := dt_util.parse_date(text)) is None:
        return _instant(text)
    if day.year not in _YEARS:
        raise _invalid(text)
    return day_bounds(day)[days]


def _time_or_instant(text: str) -> time | datetime:
    _check(text)
    wall = dt_util.parse_time(text)
    return _instant(text) if wall is None else wall


def _check(text: str) -> None:
    """Refuse what no time is written with, before it is parsed.

    Half a character crashes the parser that Home Assistant uses, and all of Home Assistant with it.
    """
    if len(text) > _LONGEST or not (text.isascii() and text.isprintable()):
        raise _invalid(text)


def _instant(text: str) -> datetime:
    try:
        moment = dt_util.parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.year not in _YEARS:
        raise _invalid(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt_util.get_default_time_zone())
    return moment.astimezone(UTC)


def _invalid(text: str) -> ServiceValidationError:
    return invalid_input("invalid_time", value=harmless_text(text))
