"""Tests of the conversion of API prices to tables."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.api import PriceItem, PriceSeries
from custom_components.nomos.prices.conversion import price_table

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)

SERIES = PriceSeries(
    resolution=QUARTER,
    items=tuple(
        PriceItem(NOON + QUARTER * index, 10.0 + index, None, None, None)
        # There is a gap after the second interval.
        for index in (0, 1, 3, 4)
    ),
)


@pytest.mark.parametrize(
    ("since", "until", "prices"),
    [
        (NOON, NOON + 5 * QUARTER, [0.1, 0.11, 0.13, 0.14]),
        (NOON + QUARTER, NOON + 4 * QUARTER, [0.11, 0.13]),
        (NOON + QUARTER - MINUTE, NOON + 4 * QUARTER + MINUTE, [0.1, 0.11, 0.13, 0.14]),
        (NOON + 2 * QUARTER, NOON + 3 * QUARTER, []),
        (NOON - QUARTER, NOON, []),
        (NOON + 5 * QUARTER, NOON + 6 * QUARTER, []),
    ],
)
def test_part_of_a_series(since, until, prices) -> None:
    """The table has exactly the intervals that overlap the range."""
    intervals = price_table(SERIES, since, until).intervals
    assert [one.price for one in intervals] == prices


def test_the_whole_series() -> None:
    """Without a range, the table has all intervals."""
    assert len(price_table(SERIES).intervals) == 4
