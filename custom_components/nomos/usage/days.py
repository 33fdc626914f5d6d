"""Which months, or parts of months, a sync of usage requests. Pure functions of the record and the day."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from ..api import MeterType, Subscription
from ..pricing import days_between, last_day, local_date
from .months import DateRange, is_settled, month_chunks, month_start, months_before
from .record import MonthStatus, UsageRecord

_DAY: Final = timedelta(days=1)

_LATE: Final = timedelta(days=7)
"""How far back every sync checks for gaps."""

_RECHECK_ON: Final = 0
"""The day of the installation's own week on which a whole month that may have changed is requested again."""

_RETRY_ON: Final = 3
"""The day of that week on which an incomplete month is requested again, in turn."""

_FAILED_FOR: Final = timedelta(days=7)
"""How long every sync retries a month for which Nomos failed to answer; then it takes turns with the others."""

_READ_FOR: Final = timedelta(days=365)
"""How long after the end of a contract its analog meter may still be read."""


def metered_days(
    contract: Subscription, today: date, *, history_kept: bool
) -> DateRange:
    """Return the days of a contract to import; from last month on if no history is kept."""
    begin = local_date(contract.start_at or contract.created_at)
    if not history_kept:
        # Older months are requested only to fill the statistics.
        begin = max(begin, months_before(today, 1))
    if contract.end_at is None:
        return begin, today
    # A contract may end in the middle of a day.
    return begin, min(today, last_day(contract.end_at) + _DAY)


def is_over(
    known: UsageRecord, contract: Subscription, today: date, *, history_kept: bool
) -> bool:
    """Return whether no more usage is expected of a contract that has ended."""
    begin, end = metered_days(contract, today, history_kept=history_kept)
    if known.synced_on is None:
        return False
    if known.meter is MeterType.ANALOG:
        last = known.analog_months[-1].month if known.analog_months else date.min
        return known.synced_on - end >= _READ_FOR or (
            last >= month_start(end - _DAY)
            and all(one.final for one in known.analog_months)
        )
    if contract.end_at is None:
        states = {one.status for one in known.months.values()}
        return not known.days and MonthStatus.INCOMPLETE not in states
    return all(
        known.status(month_start(start)) is MonthStatus.SETTLED
        for start, _ in month_chunks(begin, end)
    )


def own_week(today: date, phase: float) -> tuple[int, int]:
    """Return the numbers of the installation's own week and of the day in it, for 0 ≤ ``phase`` < 1."""
    return divmod(today.toordinal() + int(phase * 7), 7)


def months_due(
    known: UsageRecord, begin: date, end: date, *, today: date, phase: float
) -> list[DateRange]:
    """Return the ranges that a sync requests between two days, each within one month.

    New and late days, plus the first that exists of: months that can be settled now, one that may have changed, one
    that is incomplete. That keeps a sync within a day's budget of requests.
    """
    months = {
        month_start(start): (start, stop) for start, stop in month_chunks(begin, end)
    }
    due = {
        month: found
        for month, days in months.items()
        if (found := _new_days(known, month, days, today))
    }
    unsettled = [one for one in months if known.status(one) is MonthStatus.OPEN]
    week, weekday = own_week(today, phase)
    again = [one for one in unsettled if is_settled(one, today)]
    if not again and weekday == _RECHECK_ON and unsettled:
        again = [unsettled[week % len(unsettled)]]
    if not again:
        again = _retried(known, months, today, any_month=weekday == _RETRY_ON)[:1]
    due |= {month: months[month] for month in again}
    return [due[month] for month in sorted(due)]


def _new_days(
    known: UsageRecord, month: date, days: DateRange, today: date
) -> DateRange | None:
    """Return a whole month that was never requested, or the new or late days of an open one."""
    if (state := known.months.get(month)) is None:
        return days
    if state.status is not MonthStatus.OPEN:
        return None
    start, end = days
    late = [
        day
        for day in days_between(max(start, today - _LATE), min(end, today))
        if (found := known.days.get(day)) is None or not found.complete
    ]
    # Yesterday is requested until the evening.
    newest = end - _DAY if end == today else end
    first = max(start, min(state.tried_on, newest, *late))
    return (first, end) if first < end else None


def _retried(
    known: UsageRecord, months: Collection[date], today: date, *, any_month: bool
) -> list[date]:
    """Return incomplete months: first those for which Nomos failed to answer, then those tried longest ago."""
    failed = {
        month: state.readings is None
        and state.since is not None
        and today - state.since <= _FAILED_FOR
        for month, state in known.months.items()
        if month in months and state.status is MonthStatus.INCOMPLETE
    }
    return sorted(
        (month for month in failed if failed[month] or any_month),
        key=lambda month: (not failed[month], known.months[month].tried_on, month),
    )
