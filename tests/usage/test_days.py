"""Tests of usage by the day."""

from datetime import date, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.pricing import EMPTY_TABLE, day_bounds, local_date
from custom_components.nomos.usage.metering import (
    DayUsage,
    days_and_hours_of,
    digest_of,
    hours_of,
    period,
    readings_by_day,
)
from tests.usage.samples import (
    ALWAYS,
    AUTUMN,
    DAY,
    HOUR,
    PLAIN,
    QUARTER,
    SPRING,
    property_test,
    readings_of,
    starts_of,
    table_of,
)


def grouped(readings):
    """Return readings by their days."""
    return readings_by_day(readings, date(2026, 1, 1), date(2027, 1, 1))


def day_of(readings, table=EMPTY_TABLE, supply=ALWAYS, *, length=QUARTER) -> DayUsage:
    """Return the usage of the only day of some readings."""
    days, _ = days_and_hours_of(grouped(readings), length, table.between, supply)
    (found,) = days.values()
    return found


def test_a_whole_day():
    """The day has its sums and its prices."""
    starts = starts_of(PLAIN)
    day = day_of(
        readings_of(starts, lambda index: index / 1000),
        table_of(starts, lambda index: (index - 10) / 100),
    )
    assert day.day == PLAIN
    assert day.kwh == day.priced_kwh == 4.56
    # The sum of i/1000 · (i-10)/100 over all quarter-hours.
    expected = sum(index * (index - 10) for index in range(96)) / 100_000
    assert day.cost == pytest.approx(expected, abs=1e-9)
    assert (day.readings, day.missing) == (96, 0)
    assert day.complete
    assert day.priced


@pytest.mark.parametrize("length", [QUARTER, HOUR])
@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (PLAIN, 24)])
def test_missing_readings_are_counted(day, hours, length):
    """They are compared with the length of the day, on days of a clock change, too."""
    starts = starts_of(day, length)
    count = hours * HOUR // length
    assert len(starts) == count
    whole = day_of(readings_of(starts), length=length)
    assert (whole.readings, whole.missing) == (count, 0)
    some = day_of(readings_of([*starts[:5], *starts[8:]]), length=length)
    assert (some.readings, some.missing) == (count - 3, 3)
    assert not some.complete


def test_nothing_is_missing_outside_the_contract():
    """On its first and its last day, only intervals within the contract are expected."""
    starts = starts_of(SPRING)
    begin, end = starts[40], starts[60]
    assert day_of(readings_of(starts[40:]), supply=(begin, ALWAYS[1])).missing == 0
    assert day_of(readings_of(starts[44:]), supply=(begin, ALWAYS[1])).missing == 4
    assert day_of(readings_of(starts[:60]), supply=(ALWAYS[0], end)).missing == 0
    assert day_of(readings_of(starts[:50]), supply=(ALWAYS[0], end)).missing == 10
    assert day_of(readings_of(starts[41:59]), supply=(begin, end)).missing == 2
    # Readings outside the contract do not make the number negative.
    assert day_of(readings_of(starts), supply=(begin, end)).missing == 0


def test_days_without_all_prices():
    """The cost covers intervals with a price; a day without prices has no cost."""
    starts = starts_of(PLAIN)
    readings = readings_of(starts)
    some = day_of(readings, table_of(starts[:40]))
    assert (some.kwh, some.priced_kwh, some.cost) == (9.6, 4.0, 1.2)
    assert not some.priced
    assert not some.complete
    none = day_of(readings)
    assert (none.cost, none.priced_kwh) == (None, 0)


def test_readings_are_grouped_by_the_tariffs_day():
    """Days begin at local midnight; those that were not asked for, and those without readings, are left out."""
    days = [PLAIN + number * DAY for number in (-1, 0, 1, 3, 4)]
    readings = readings_of(start for day in days for start in starts_of(day))
    groups = readings_by_day(readings, PLAIN, PLAIN + 4 * DAY)
    assert list(groups) == days[1:4]
    for day, found in groups.items():
        assert len(found) == 96
        assert {local_date(one.start) for one in found} == {day}


def test_prices_are_requested_by_the_day():
    """At most one day's prices are requested at once, unless a reading crosses midnight; hours cover all days."""
    asked = []
    starts = [*starts_of(PLAIN), *starts_of(PLAIN + DAY)]
    table = table_of([*starts, *starts_of(PLAIN + 2 * DAY)], lambda index: index / 100)

    def prices(start, end):
        asked.append((start, end))
        return table.between(start, end)

    readings = readings_of([*starts[:-1:2], starts[-1]])
    days, hours = days_and_hours_of(grouped(readings), 2 * QUARTER, prices, ALWAYS)
    first, second = day_bounds(PLAIN), day_bounds(PLAIN + DAY)
    assert asked == [first, (second[0], second[1] + QUARTER)]
    assert all(day.priced for day in days.values())
    assert hours == hours_of(readings, 2 * QUARTER, table)


@property_test
@given(
    st.lists(st.integers(0, 9999), min_size=1, max_size=30),
    st.lists(st.integers(0, 9999), min_size=1, max_size=30),
)
def test_digest(one, two):
    """It is equal only for equal energies at equal times."""
    starts = starts_of(PLAIN)

    def readings(values, shift=0):
        return readings_of(
            starts[shift : shift + len(values)],
            lambda index: values[index] / 1000,
        )

    assert digest_of(readings(one)) == digest_of(list(readings(one)))
    assert (digest_of(readings(one)) == digest_of(readings(two))) == (one == two)
    assert digest_of(readings(one)) != digest_of(readings(one, shift=1))


def test_a_period():
    """The mean price covers the energy with a price."""
    first, second = starts_of(PLAIN), starts_of(PLAIN + DAY)
    days, _ = days_and_hours_of(
        grouped(readings_of([*first, *second[:90]])),
        QUARTER,
        table_of(first, lambda _: -0.2).between,
        ALWAYS,
    )
    sums = period(days.values())
    assert sums is not None
    assert sums.last == PLAIN + DAY
    assert sums.kwh == pytest.approx(18.6)
    assert sums.cost == pytest.approx(-1.92)
    assert sums.paid == pytest.approx(-0.2)
    assert sums.unpriced == pytest.approx(9.0)
    assert sums.missing == 6


def test_periods_without_prices_or_energy():
    """Without days there is no period, and without energy no mean price."""
    assert period([]) is None
    starts = starts_of(PLAIN)
    unpriced = period([day_of(readings_of(starts))])
    assert unpriced.unpriced == pytest.approx(unpriced.kwh)
    assert (unpriced.cost, unpriced.paid) == (None, None)
    idle = period([day_of(readings_of(starts, lambda _: 0.0), table_of(starts))])
    assert (idle.kwh, idle.cost, idle.paid) == (0, 0, None)


def test_a_contract_that_begins_within_an_interval():
    """An interval in which the contract begins is expected."""
    starts = starts_of(PLAIN)
    begin = starts[40] + timedelta(minutes=10)
    found = day_of(readings_of(starts[40:]), supply=(begin, ALWAYS[1]))
    assert found.missing == 0
