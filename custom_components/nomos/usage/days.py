"""Which months, or parts of them, a sync of a contract's usage asks for. Pure functions of what is known and of the day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from ..api import MeterType, Subscription
from ..pricing import last_day, local_date
from .months import DateRange, is_settled, month_chunks, month_start, months_before
from .record import MonthStatus, UsageRecord

_DAY: Final = timedelta(days=1)

_LATE_DAYS: Final = 7
"""How many past days every sync checks for something missing."""

_RECHECK_ON: Final = 0
"""The day of the installation's own week on which a whole month is asked for again that may have changed."""

_RETRY_ON: Final = 3
"""The day on which an incomplete month is asked for again, each time another one."""

_FAILED_FOR: Final = timedelta(days=7)
"""How long every sync asks for a month that Nomos failed to answer for; then it takes turns with the others."""

_READ_FOR: Final = timedelta(days=365)
"""How long after the end of a contract its analog meter may still be read."""


def metered_days(
    contract: Subscription, today: date, *, history_kept: bool
) -> DateRange:
    """Return the days of a contract that may have been metered and are of interest."""
    begin = local_date(contract.start_at or contract.created_at)
    if not history_kept:
        # Older months are asked for only to fill the statistics.
        begin = max(begin, months_before(today, 1))
    if contract.end_at is None:
        return begin, today
    # A contract may end within a day.
    return begin, min(today, last_day(contract.end_at) + _DAY)


def is_over(
    known: UsageRecord, contract: Subscription, today: date, *, history_kept: bool
) -> bool:
    """Return whether nothing more is to be expected of a contract that has ended."""
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
        return not (known.days or known.months_of(MonthStatus.INCOMPLETE))
    return all(
        known.status(month_start(start)) is MonthStatus.SETTLED
        for start, _ in month_chunks(begin, end)
    )


def own_week(today: date, phase: float) -> tuple[int, int]:
    """Return the number of the installation's own week, and of the day in it; ``phase`` is from 0 up to 1."""
    return divmod(today.toordinal() + int(phase * 7), 7)


def months_due(
    known: UsageRecord, begin: date, end: date, *, today: date, phase: float
) -> list[DateRange]:
    """Return what a sync asks for between two days, each part of it within a month.

    What is new or late, and besides, in turn, months that can be settled now, one that may have changed, or one that is
    incomplete. So a sync stays within what a day may cost.
    """
    months = {
        month_start(start): (start, stop) for start, stop in month_chunks(begin, end)
    }
    week, weekday = own_week(today, phase)
    again = due_settling(known, months, today)
    if not again and weekday == _RECHECK_ON:
        again = due_recheck(known, months, week)
    if not again:
        again = due_retry(known, months, today, any_month=weekday == _RETRY_ON)
    due = due_new(known, months, today) | {month: months[month] for month in again}
    return [due[month] for month in sorted(due)]


def due_new(
    known: UsageRecord, months: Mapping[date, DateRange], today: date
) -> dict[date, DateRange]:
    """Return the months that were never asked for, and of open months the days that are new or late."""
    recent = [today - back * _DAY for back in range(_LATE_DAYS, 0, -1)]
    due = {}
    for month, (start, end) in months.items():
        if (state := known.months.get(month)) is None:
            due[month] = start, end
        elif state.status is MonthStatus.OPEN:
            late = [
                day
                for day in recent
                if start <= day < end
                and ((found := known.days.get(day)) is None or not found.complete)
            ]
            # Yesterday is asked for until the evening.
            newest = end - _DAY if end == today else end
            first = max(start, min(state.tried_on, newest, *late))
            if first < end:
                due[month] = first, end
    return due


def due_settling(
    known: UsageRecord, months: Mapping[date, DateRange], today: date
) -> list[date]:
    """Return the open months whose values no longer change."""
    return [
        month
        for month in months
        if known.status(month) is MonthStatus.OPEN and is_settled(month, today)
    ]


def due_recheck(
    known: UsageRecord, months: Mapping[date, DateRange], week: int
) -> list[date]:
    """Return one of the open months, each week another one."""
    unsettled = [one for one in months if known.status(one) is MonthStatus.OPEN]
    return [unsettled[week % len(unsettled)]] if unsettled else []


def due_retry(
    known: UsageRecord,
    months: Mapping[date, DateRange],
    today: date,
    *,
    any_month: bool,
) -> list[date]:
    """Return the incomplete month that was not tried for longest; one that Nomos failed to answer for goes first."""
    waiting = [
        (not failed, state.tried_on, month)
        for month, state in known.months_of(MonthStatus.INCOMPLETE).items()
        if month in months
        and (
            (
                failed := state.readings is None
                and state.since is not None
                and today - state.since <= _FAILED_FOR
            )
            or any_month
        )
    ]
    return [min(waiting)[-1]] if waiting else []
