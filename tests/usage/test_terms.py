"""Tests of months, and of when they are settled."""

from datetime import date, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.usage.months import (
    is_settled,
    month_chunks,
    month_start,
    months_before,
    next_month,
)
from simulator.usage import final_at
from tests.usage.samples import property_test

DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "following", "before"),
    [
        (date(2026, 1, 1), date(2026, 2, 1), date(2025, 12, 1)),
        (date(2026, 1, 31), date(2026, 2, 1), date(2025, 12, 1)),
        (date(2026, 2, 28), date(2026, 3, 1), date(2026, 1, 1)),
        (date(2028, 2, 29), date(2028, 3, 1), date(2028, 1, 1)),
        (date(2026, 3, 31), date(2026, 4, 1), date(2026, 2, 1)),
        (date(2026, 12, 31), date(2027, 1, 1), date(2026, 11, 1)),
    ],
)
def test_neighbours(day, following, before):
    """Months differ in length, and the year turns."""
    assert next_month(day) == following
    assert months_before(day, 1) == before
    assert month_start(day) == months_before(day, 0) == next_month(before)


@property_test
@given(DAYS, st.integers(0, 30))
def test_months_before_counts(day, count):
    """Going back and forth by the same number of months returns to the start."""
    first = months_before(day, count)
    assert first.day == 1
    for _ in range(count):
        first = next_month(first)
    assert first == month_start(day)


@pytest.mark.parametrize(
    ("month", "settled"),
    [
        # Twelve weekdays have passed: 1 to 12 and 15, 16 June.
        (date(2026, 5, 1), date(2026, 6, 17)),
        # The year's end: 1, 2, 5 to 9 and 12 to 16 January.
        (date(2025, 12, 1), date(2026, 1, 17)),
        # A month that begins on a Saturday: 3 to 7, 10 to 14, 17 and 18 August.
        (date(2026, 7, 1), date(2026, 8, 19)),
        (date(2028, 2, 29), date(2028, 3, 17)),
    ],
)
def test_settled_from(month, settled):
    """It is the eighth working day plus four more in case of public holidays."""
    assert not is_settled(month, settled - DAY)
    assert is_settled(month, settled)


@property_test
@given(DAYS, st.integers(-40, 90))
def test_once_settled_always_settled(month, days):
    """A month is settled once the simulator's values are final, within a month, and stays so."""
    today = next_month(month) + days * DAY
    if is_settled(month, today):
        assert final_at(month).date() < today
        assert is_settled(month, today + DAY)
        assert is_settled(months_before(month, 1), today)
    assert not is_settled(today, today)
    assert is_settled(month, next_month(month) + 20 * DAY)


@property_test
@given(DAYS, st.integers(-3, 900))
def test_chunks_cover_exactly(first, days):
    """Chunks contain every day once and in order, and none crosses the end of a month."""
    end = first + days * DAY
    chunks = list(month_chunks(first, end))
    covered = [
        start + number * DAY
        for start, until in chunks
        for number in range((until - start).days)
    ]
    assert covered == [first + number * DAY for number in range(max(days, 0))]
    for start, until in chunks:
        assert start < until <= next_month(start)
    # There are no more chunks than months.
    assert len({month_start(start) for start, _ in chunks}) == len(chunks)
