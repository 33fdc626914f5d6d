"""Tests of usage and cost by the hour."""

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.api import UsageItem
from custom_components.nomos.pricing import EMPTY_TABLE, Interval, PriceTable
from custom_components.nomos.usage.metering import HourUsage, hours_of
from tests.usage.samples import (
    AUTUMN,
    HOUR,
    PLAIN,
    QUARTER,
    SPRING,
    exact,
    property_test,
    readings_of,
    starts_of,
    table_of,
)

NOON = starts_of(PLAIN, HOUR)[12]
ENERGIES = st.integers(0, 5000).map(lambda thousandths: thousandths / 1000)
PRICES = st.none() | st.integers(-500_000, 900_000).map(lambda ppm: ppm / 1_000_000)


def test_each_quarter_costs_its_own_price():
    """The cost of an hour is not its energy times its mean price."""
    starts = starts_of(PLAIN)[:4]
    hours = hours_of(
        readings_of(starts, lambda index: (1.0, 0.0, 0.0, 2.0)[index]),
        QUARTER,
        table_of(starts, lambda index: (0.1, 0.5, 0.7, -0.2)[index]),
    )
    assert hours == {starts[0]: HourUsage(3.0, -0.3, True)}


def test_hours_without_a_reading_are_missing():
    """A missing hour is not zero."""
    starts = starts_of(PLAIN)
    kept = [*starts[:4], starts[6], *starts[12:]]
    hours = hours_of(readings_of(kept), QUARTER, table_of(starts))
    assert list(hours) == [starts[0], starts[4], *starts[12::4]]
    assert hours[starts[4]] == HourUsage(0.1, 0.03, True)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((0.1, None, 0.3, 0.4), HourUsage(4.0, 0.8, False)),
        ((None,) * 4, HourUsage(4.0, None, False)),
        ((0.0,) * 4, HourUsage(4.0, 0.0, True)),
    ],
)
def test_a_missing_price_is_flagged(prices, expected):
    """The cost covers readings with a price, and a flag says whether these are all."""
    starts = starts_of(PLAIN)[:4]
    hours = hours_of(
        readings_of(starts, lambda index: 1.0),
        QUARTER,
        table_of(starts, lambda index: prices[index]),
    )
    assert hours == {starts[0]: expected}


def test_no_table():
    """Energy is known even without prices."""
    hours = hours_of(readings_of([NOON]), QUARTER, EMPTY_TABLE)
    assert hours == {NOON: HourUsage(0.1, None, False)}


def test_quarters_on_an_hourly_plan():
    """The quarter-hours of an hour share its price."""
    hours = hours_of(
        readings_of(starts_of(PLAIN)),
        QUARTER,
        table_of(starts_of(PLAIN, HOUR), lambda index: index / 100, length=HOUR),
    )
    assert len(hours) == 24
    assert hours[NOON] == HourUsage(0.4, 0.048, True)


def test_hourly_reading_costs_the_mean_of_quarterly_prices():
    """An hourly reading cannot be split."""
    starts = starts_of(PLAIN)[48:52]
    table = table_of(starts, lambda index: (0.1, 0.2, 0.3, 0.8)[index])
    reading = UsageItem(starts[0], 2.0, final=True)
    assert hours_of([reading], HOUR, table) == {starts[0]: HourUsage(2.0, 0.7, True)}
    without = PriceTable.of(table.intervals[:3])
    assert hours_of([reading], HOUR, without) == {
        starts[0]: HourUsage(2.0, None, False)
    }


def test_a_reading_across_a_price_change():
    """Each price counts by its duration."""
    third = timedelta(minutes=5)
    table = PriceTable.of(
        [
            Interval(NOON, NOON + third, 0.9),
            Interval(NOON + third, NOON + HOUR, 0.3),
        ]
    )
    hours = hours_of(readings_of([NOON], lambda _: 1.0), QUARTER, table)
    assert hours == {NOON: HourUsage(1.0, 0.5, True)}


@pytest.mark.parametrize(("day", "count"), [(SPRING, 23), (AUTUMN, 25), (PLAIN, 24)])
def test_days_of_any_length(day, count):
    """The repeated hour counts as two, the skipped one as none."""
    starts = starts_of(day)
    hours = hours_of(
        readings_of(starts, lambda index: index / 1000),
        QUARTER,
        table_of(starts, lambda _: 1.0),
    )
    assert len(hours) == count
    assert list(hours) == starts_of(day, HOUR)
    for number, usage in enumerate(hours.values()):
        kwh = Fraction(16 * number + 6, 1000)
        assert usage == HourUsage(float(kwh), float(kwh), True)


@property_test
@given(
    st.sampled_from([SPRING, AUTUMN, PLAIN]),
    st.lists(st.tuples(ENERGIES, PRICES, st.booleans()), min_size=100, max_size=100),
    st.booleans(),
)
def test_hours_are_the_sums_of_their_quarters(day, values, hourly):
    """Sums of energy and cost are exact to nine decimals."""
    starts = starts_of(day)
    length = HOUR if hourly else QUARTER
    prices = starts_of(day, length)
    table = table_of(prices, lambda index: values[index][1], length=length)
    readings = [
        UsageItem(start, kwh, final=True)
        for start, (kwh, _, there) in zip(starts, values, strict=False)
        if there
    ]
    energy: dict[datetime, Fraction] = defaultdict(Fraction)
    money: dict[datetime, Fraction] = defaultdict(Fraction)
    lacking = set()
    for reading in readings:
        hour = reading.start.replace(minute=0)
        energy[hour] += exact(reading.kwh)
        price = values[prices.index(hour if hourly else reading.start)][1]
        if price is None:
            lacking.add(hour)
        else:
            money[hour] += exact(reading.kwh) * exact(price)
    hours = hours_of(readings, QUARTER, table)
    assert list(hours) == sorted(energy)
    for hour, usage in hours.items():
        assert abs(Fraction(usage.kwh) - energy[hour]) < 1e-9
        assert usage.priced == (hour not in lacking)
        if hour in money:
            assert usage.cost is not None
            assert abs(Fraction(usage.cost) - money[hour]) < 1e-9
        else:
            assert usage.cost is None
