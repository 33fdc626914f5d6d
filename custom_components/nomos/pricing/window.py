"""Windows between two local times."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo


def window(
    now: datetime, start: time | None, end: time | None, zone: tzinfo
) -> tuple[datetime, datetime]:
    """Return the window between two local times that is open at ``now``, or the next one, in UTC.

    An end at or before the start is on the next day; an end equal to the start makes a full day by the wall clock
    (23 to 25 hours). Without a start the window opens now; without an end it closes a day after its start by the
    wall clock.

    A local time means the first instant at which the clock shows it or a later one: in a repeated hour the first
    time, and for a skipped time the moment of the clock change. A window that vanishes in a clock change is skipped.
    """
    local, instant = now.astimezone(zone), now.astimezone(UTC)

    def at(wall: time, days: int) -> datetime:
        return _first_instant(local.date() + timedelta(days=days), wall, zone)

    if start is None:
        if end is None:
            return instant, at(local.time(), 1)
        return instant, next(
            closes for days in range(3) if (closes := at(end, days)) > instant
        )
    if end is None:
        end = start
    nights = 0 if end > start else 1
    windows = ((at(start, day), at(end, day + nights)) for day in range(-1, 4))
    return next(
        (opens, closes) for opens, closes in windows if opens < closes > instant
    )


def _first_instant(day: date, wall: time, zone: tzinfo) -> datetime:
    """Return the first instant of a local day at which the clock shows a time or a later one."""
    naive = datetime.combine(day, wall.replace(tzinfo=None, fold=0))
    first, second = (
        naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    if first <= second:
        return first
    # The clock skips this time, somewhere between the two.
    seconds = range(int(second.timestamp()), int(first.timestamp()) + 1)

    def shown(timestamp: int) -> datetime:
        return datetime.fromtimestamp(timestamp, zone).replace(tzinfo=None)

    jump = seconds[bisect_left(seconds, naive, key=shown)]
    return datetime.fromtimestamp(jump, UTC)
