"""Tests of what a sync of usage requests."""

from datetime import date
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.usage.days import months_due, own_week
from custom_components.nomos.usage.months import (
    is_settled,
    month_chunks,
    month_start,
    next_month,
)
from custom_components.nomos.usage.record import MonthState, MonthStatus, UsageRecord
from tests.usage.samples import DAY, day_usage, property_test

BEGIN, TODAY = date(2026, 2, 10), date(2026, 6, 10)
MONTHS = [date(2026, month, 1) for month in range(2, 7)]
PHASE = 0.0


def on(weekday: int, first: date = TODAY) -> date:
    """Return the first date from `first` on that is a given day in the installation's week."""
    while own_week(first, PHASE)[1] != weekday:
        first += DAY
    return first


def record_on(today: date, **states: Any) -> UsageRecord:
    """Return a record that was synced yesterday, with exceptions for some months."""
    days = [today - number * DAY for number in range(1, 40)]
    months = {
        month_start(start): MonthState(MonthStatus.SETTLED, today - DAY)
        if is_settled(start, today)
        else MonthState(MonthStatus.OPEN, today - DAY)
        for start, _ in month_chunks(BEGIN, today)
    }
    return UsageRecord(
        days={day: day_usage(day) for day in sorted(days)}, months=months, **states
    )


def due(record: UsageRecord, today: date, end: date | None = None) -> list[Any]:
    """Return the ranges that are due."""
    return months_due(record, BEGIN, end or today, today=today, phase=PHASE)


def changed(record: UsageRecord, month: date, state: MonthState | None) -> UsageRecord:
    """Return a record with another state of a month, or without one."""
    months = {key: one for key, one in record.months.items() if key != month}
    if state is not None:
        months[month] = state
    return UsageRecord(days=record.days, months=months)


def failed(since: date, tried_on: date) -> MonthState:
    """Return the state of a month for which a request failed."""
    return MonthState(MonthStatus.INCOMPLETE, tried_on, since)


def test_everything_at_first():
    """Every month is due, the first and the last one in part."""
    assert due(UsageRecord(), TODAY) == list(month_chunks(BEGIN, TODAY))


def test_an_ordinary_day():
    """Only yesterday is due."""
    today = on(1)
    assert due(record_on(today), today) == [(today - DAY, today)]


def test_days_while_the_hub_was_off():
    """All days since then are due, by month."""
    today = date(2026, 7, 4)
    record = record_on(date(2026, 6, 22))
    assert due(record, today) == [
        (date(2026, 6, 21), date(2026, 7, 1)),
        (date(2026, 7, 1), today),
    ]


@pytest.mark.parametrize("back", range(1, 9))
def test_a_late_day(back):
    """It is requested for up to a week."""
    today = on(1, date(2026, 6, 16))
    record, late = record_on(today), today - back * DAY
    days = {day: one for day, one in record.days.items() if day != late}
    days[late] = day_usage(late, missing=1)
    first = late if back <= 7 else today - DAY
    record = UsageRecord(days=days, months=record.months)
    assert due(record, today) == [(first, today)]


def test_a_month_is_settled():
    """It is requested as a whole once its values are final, and not before."""
    today = date(2026, 6, 17)
    record = record_on(today - DAY)
    assert record.status(MONTHS[3]) is MonthStatus.OPEN
    assert due(record, today)[0] == (MONTHS[3], MONTHS[4])
    assert len(due(record_on(today), today)) == 1


def test_the_weekly_recheck():
    """Once a week, one of the open months is due, in turn."""
    today = on(0, date(2026, 6, 3))
    weeks = [today, today + 7 * DAY]
    first = {due(record_on(day), day)[0][0] for day in weeks}
    assert first == {MONTHS[3], MONTHS[4]}


def test_incomplete_months_take_turns():
    """On one day of the week, the month that was tried least recently is due."""
    today = on(3)
    record = record_on(today)
    for number, month in enumerate((MONTHS[2], MONTHS[0], MONTHS[1])):
        state = MonthState(
            MonthStatus.INCOMPLETE, today + (number - 20) * DAY, BEGIN, 7
        )
        record = changed(record, month, state)
    assert due(record, today)[0] == (MONTHS[2], MONTHS[3])
    assert len(due(record, today + DAY)) == 1


def test_failed_months_go_first():
    """A month for which a request failed is retried every day for a week."""
    today = on(4, date(2026, 6, 18))
    record = changed(record_on(today), MONTHS[0], failed(today, today))
    for days in range(1, 7):
        day = today + days * DAY
        if own_week(day, PHASE)[1]:
            assert (BEGIN, MONTHS[1]) in due(record, day)
    assert (BEGIN, MONTHS[1]) not in due(record, on(5, today + 8 * DAY))


def test_a_contract_that_has_ended():
    """Its last day is requested on the next day, and later only if something is missing."""
    today = on(1)
    record = record_on(today)
    assert due(record, today, today) == [(today - DAY, today)]
    looked = changed(record, MONTHS[4], MonthState(MonthStatus.OPEN, today))
    assert due(looked, today + DAY, today) == []
    days = {day: one for day, one in looked.days.items() if day != today - DAY}
    late = UsageRecord(days=days, months=looked.months)
    assert due(late, today + DAY, today) == [(today - DAY, today)]


STATES = st.builds(
    MonthState,
    st.sampled_from(MonthStatus),
    st.dates(date(2026, 5, 1), date(2026, 8, 1)),
    st.dates(date(2026, 5, 1), date(2026, 8, 1)),
    st.none() | st.integers(0, 9),
)


@property_test
@given(
    st.dates(date(2026, 2, 1), date(2026, 9, 1)),
    st.dictionaries(st.sampled_from(MONTHS), STATES),
    st.floats(0, 1, exclude_max=True),
)
def test_any_record(today, months, phase):
    """Ranges are within months, sorted and disjoint, and a month that was never requested is due as a whole."""
    found = months_due(
        UsageRecord(months=months), BEGIN, today, today=today, phase=phase
    )
    assert found == sorted(found)
    assert len({month_start(start) for start, _ in found}) == len(found)
    for start, end in found:
        assert BEGIN <= start < end <= min(today, next_month(start))
    never = {
        chunk
        for chunk in month_chunks(BEGIN, today)
        if month_start(chunk[0]) not in months
    }
    assert never <= set(found)
