"""Days and quarter-hours in the customers' time zone, Europe/Berlin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@lru_cache(maxsize=4096)
def midnight(day: date) -> datetime:
    """Return the instant (UTC) at which a local day begins."""
    return datetime.combine(day, time(), BERLIN).astimezone(UTC)


def local_date(instant: datetime) -> date:
    """Return the local date of an aware instant."""
    return instant.astimezone(BERLIN).date()


def intervals(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield the interval starts in [start, end), in UTC."""
    while start < end:
        yield start
        start += step


def day_intervals(day: date, step: timedelta = QUARTER) -> list[datetime]:
    """Return the interval starts (UTC) of a local day: 92, 96 or 100 quarter-hours."""
    return list(intervals(midnight(day), midnight(day + DAY), step))


def days(first: date, last: date) -> Iterator[date]:
    """Yield the dates from the first to the last, both inclusive."""
    while first <= last:
        yield first
        first += DAY


def month_start(day: date) -> date:
    """Return the first day of the month."""
    return day.replace(day=1)


def add_months(day: date, months: int) -> date:
    """Return the first day of the month that is `months` after the day's month."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def at_local(day: date, clock: time) -> datetime:
    """Return the instant (UTC) of a local wall-clock time on a day."""
    return datetime.combine(day, clock, BERLIN).astimezone(UTC)


def working_day(month: date, number: int) -> date:
    """Return the nth working day (Monday to Friday) of a month; public holidays are ignored."""
    day = month_start(month)
    while True:
        if day.weekday() < 5:
            number -= 1
            if number == 0:
                return day
        day += DAY


def api_time(instant: datetime, *, millis: bool = False) -> str:
    """Write an instant as the API does: UTC with `Z`, with or without milliseconds."""
    text = (
        instant.astimezone(UTC)
        .replace(tzinfo=None)
        .isoformat(timespec="milliseconds" if millis else "seconds")
    )
    return text + "Z"


def parse_instant(text: str) -> datetime:
    """Return an ISO 8601 instant in UTC; ValueError without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} needs an offset")
    return instant.astimezone(UTC)
