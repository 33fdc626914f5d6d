"""Which days a look at a contract's usage asks for: pure functions of what is known and of the day.

Days are tariff days. A stretch has a first day and, exclusive, an end.
"""

from datetime import date, timedelta
from typing import Final

from ..api import MeterType, Subscription
from ..pricing import local_date
from .metering import is_settled, month_chunks, month_start, months_before, next_month
from .record import UNWRITTEN, UsageRecord

_DAY: Final = timedelta(days=1)

_LATE_DAYS: Final = 7
"""How far back every look reaches for what is missing."""

_THOROUGH_EVERY: Final = 7
"""Days between looks at a whole month that may have changed."""

_THOROUGH_ON: Final = 0
"""The day, counted from the installation's own, on which that is done."""

_DOUBTS_ON: Final = 3
"""The day on which a month is asked for again that was settled with gaps: each time another one."""

_READ_FOR: Final = timedelta(days=365)
"""How long after the end of a contract its analog meter may still be read."""

_OWED_FOR: Final = timedelta(days=7)
"""How long every look asks for one month that Nomos failed to tell; then it waits for its turn like the others."""


def begin_of_usage(
    subscription: Subscription, today: date, *, history_kept: bool
) -> date:
    """Return the first day that is of interest."""
    begin = local_date(subscription.start_at or subscription.created_at)
    # Without statistics to fill, older months would be asked for in vain.
    return begin if history_kept else max(begin, months_before(today, 1))


def end_of_usage(subscription: Subscription, today: date) -> date:
    """Return the day after the last one that can have been metered."""
    if subscription.end_at is None:
        return today
    # A contract may end within a day.
    return min(today, local_date(subscription.end_at - timedelta.resolution) + _DAY)


def is_over(known: UsageRecord, subscription: Subscription, today: date) -> bool:
    """Return whether nothing more is to be expected of a contract that has ended."""
    end = end_of_usage(subscription, today)
    if known.looked_to is None:
        return False
    if known.meter is MeterType.ANALOG:
        last = known.months[-1].month if known.months else date.min
        return known.looked_to - end >= _READ_FOR or (
            last >= month_start(end - _DAY) and all(one.final for one in known.months)
        )
    if subscription.end_at is None:
        return not (known.days or known.doubts)
    settled = known.settled_to
    return settled is not None and settled >= end and not known.doubts


def own_week(today: date, phase: float) -> tuple[int, int]:
    """Return the number of the installation's own week, and of the day in it; ``phase`` is from 0 up to 1."""
    return divmod(today.toordinal() + int(phase * _THOROUGH_EVERY), _THOROUGH_EVERY)


def ranges_due(
    known: UsageRecord, begin: date, end: date, *, today: date, phase: float
) -> list[tuple[date, date]]:
    """Return what a look asks for between two days, no stretch of it longer than a month.

    What is new or late, and besides, in turn, one month: one that can be settled now, one that may have changed, or
    one that was settled with gaps or could not be had. So a look stays within what a day may cost.
    """
    looked_to, settled_to = known.looked_to, known.settled_to
    if looked_to is None or settled_to is None:
        return list(month_chunks(max(begin, settled_to or begin), end))
    late = (
        day
        for back in range(_LATE_DAYS, 0, -1)
        if settled_to <= (day := today - back * _DAY) < end
        and (
            (found := known.days.get(day)) is None
            or not found.complete
            or found.digest == UNWRITTEN
        )
    )
    # Yesterday is looked at until the evening; of a contract that has ended the last day is enough once.
    newest = end if end < today and end <= looked_to else end - _DAY
    new = min(looked_to, next(late, newest), newest)
    unsettled = list(month_chunks(max(begin, settled_to), end))
    again = [one for one in unsettled if is_settled(one[0], today)]
    week, turn = own_week(today, phase)
    if not again and turn == _THOROUGH_ON and unsettled:
        again = [unsettled[week % len(unsettled)]]
    owed = (
        day
        for day, one in known.doubts.items()
        if one.readings is None and today - one.since <= _OWED_FOR
    )
    doubt = next(owed, next(iter(known.doubts), None) if turn == _DOUBTS_ON else None)
    if not again and doubt is not None:
        again = [(doubt, min(next_month(doubt), end))]
    fresh = [
        one
        for one in month_chunks(max(begin, new), end)
        if not any(start <= one[0] and one[1] <= stop for start, stop in again)
    ]
    return sorted([*again, *fresh])
