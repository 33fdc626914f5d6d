"""The typical day of a house, and the standard profile."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from math import nan
import random
from statistics import fmean, median

import pytest

from custom_components.nomos.forecast.typical import (
    hourly_forecast,
    plausible,
    standard_household,
    typical_day,
)
from custom_components.nomos.pricing import TARIFF_ZONE, day_bounds
from tests.forecast.households import HOUSEHOLDS, hours_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = day_bounds(date(2026, 6, 1))[0]
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def by_clock(start: datetime, days: int) -> dict[datetime, float]:
    """Return hours whose energy equals their clock hour, doubled at the weekend."""
    found = {}
    for index in range(days * 24):
        at = start + index * HOUR
        local = at.astimezone(TARIFF_ZONE)
        found[at] = local.hour * (2.0 if local.weekday() >= 5 else 1.0)
    return found


def test_workdays_and_weekends_differ() -> None:
    """Each clock hour has one energy for workdays and one for weekends."""
    day = typical_day(by_clock(MONDAY, 28))
    assert day is not None
    assert day.days == 28
    assert day.workday == tuple(range(24))
    assert day.weekend == tuple(2 * hour for hour in range(24))
    assert day.of(date(2026, 7, 3), 7) == 7
    assert day.of(date(2026, 7, 4), 7) == 14


def test_one_kind_of_day_stands_in_for_the_other() -> None:
    """Until a weekend has passed, workdays stand in for it, and the other way round."""
    day = typical_day(by_clock(MONDAY, 4))
    assert day is not None
    assert day.weekend == day.workday == tuple(range(24))
    weekend = typical_day(by_clock(MONDAY + 5 * DAY, 3))
    assert weekend is not None
    assert weekend.weekend[10] == 20
    assert weekend.workday[10] == 10


def test_too_little_history() -> None:
    """Two days, or days that all lack the same quarter, make no typical day."""
    assert typical_day({}) is None
    assert typical_day(by_clock(MONDAY, 2)) is None
    hours = by_clock(MONDAY, 28)
    by_day = {at: one for at, one in hours.items() if at.hour >= 7}
    assert typical_day(by_day) is None
    mornings = {at: one for at, one in hours.items() if at.hour < 9}
    assert typical_day(mornings) is None


def test_holes_are_left_out() -> None:
    """A missing day and some missing hours change nothing."""
    chance = random.Random(5)
    hours = by_clock(MONDAY, 28)
    kept = {
        at: one
        for at, one in hours.items()
        if chance.random() > 0.2 and not MONDAY + 3 * DAY <= at < MONDAY + 4 * DAY
    }
    day = typical_day(kept)
    assert day is not None
    assert day.days == 27
    assert day.workday == tuple(range(24))


def test_a_clock_hour_that_is_never_known() -> None:
    """The clock hour before it stands in."""
    hours = {
        at: one for at, one in by_clock(MONDAY, 28).items() if at.hour not in {3, 4}
    }
    day = typical_day(hours)
    assert day is not None
    assert day.workday[4:8] == (4, 4, 4, 7)
    assert day.weekend[5] == 8


def test_impossible_hours() -> None:
    """Negative, non-finite and too large values are left out; one just below zero is a rounding error."""
    odd = {
        MONDAY + index * HOUR: one
        for index, one in enumerate((-0.05, -0.2, nan, 50.1, 50.0, float("inf"), 0.0))
    }
    assert list(plausible(odd).values()) == [0.0, 50.0, 0.0]


def test_outliers_do_not_count() -> None:
    """A few hours in which a meter caught up do not change the typical day."""
    hours = by_clock(MONDAY, 28)
    for day in (2, 9):
        hours[MONDAY + day * DAY + 12 * HOUR] = 45.0
    typical = typical_day(hours)
    assert typical is not None
    assert typical.workday[14] == pytest.approx(14)


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_clock_changes(day: date) -> None:
    """The missing hour is not in the forecast, and the repeated hour is there twice."""
    typical = typical_day(by_clock(day_bounds(day)[0] - 27 * DAY, 28))
    assert typical is not None
    assert typical.workday == tuple(range(24))
    start, end = day_bounds(day)
    forecast = hourly_forecast(typical.of, day - DAY, 3)
    assert (forecast.starts[0], forecast.starts[-1]) == (start - DAY, end + DAY)
    hours = (end - start) // HOUR
    assert hours == (23 if day == SPRING else 25)
    clock = [
        (start + index * HOUR).astimezone(TARIFF_ZONE).hour for index in range(hours)
    ]
    assert [
        forecast.between(start + index * HOUR, start + (index + 1) * HOUR)
        for index in range(hours)
    ] == pytest.approx([2 * hour for hour in clock])
    assert sum(forecast.energies) == pytest.approx(
        2 * sum(clock) + sum(range(24)) * (1 + 2)
    )


def test_the_trimmed_mean_is_better_than_mean_and_median() -> None:
    """Over all households, its hourly error is below both of theirs, and its daily error below the median's."""
    start = day_bounds(date(2026, 1, 5))[0]
    split = start + 28 * DAY
    hourly, daily = defaultdict[str, float](float), defaultdict[str, float](float)
    for household, seed in product(HOUSEHOLDS, range(3)):
        shown = hours_of(household, start, 28, seed)
        typical = typical_day(shown)
        assert typical is not None
        samples = defaultdict(list)
        for at, energy in shown.items():
            local = at.astimezone(TARIFF_ZONE)
            samples[local.weekday() >= 5, local.hour].append(energy)
        true = hours_of(replace(household, step=0), start, 56, seed)
        for at, energy in true.items():
            if at >= split:
                local = at.astimezone(TARIFF_ZONE)
                of = samples[local.weekday() >= 5, local.hour]
                for way, expected in (
                    ("trimmed", typical.of(local.date(), local.hour)),
                    ("mean", fmean(of)),
                    ("median", median(of)),
                ):
                    hourly[way] += abs(expected - energy)
                    daily[way] += expected - energy
    assert hourly["trimmed"] < 0.95 * min(hourly["mean"], hourly["median"])
    assert abs(daily["trimmed"]) < 0.75 * abs(daily["median"])


def test_standard_profile_adds_up_to_a_year() -> None:
    """It adds up to the year's kWh, with more in winter and in the evening, and later mornings at weekends."""
    energy = standard_household(3500)
    days = [date(2026, 1, 1) + index * DAY for index in range(365)]
    whole = {day: sum(energy(day, hour) for hour in range(24)) for day in days}
    assert sum(whole.values()) == pytest.approx(3500, rel=0.005)
    assert whole[date(2026, 1, 14)] > 1.4 * whole[date(2026, 7, 15)]
    for day in (date(2026, 1, 14), date(2026, 7, 15)):
        assert energy(day, 19) > 2 * energy(day, 3)
    assert energy(date(2026, 1, 17), 7) < energy(date(2026, 1, 16), 7)
    assert min(energy(day, hour) for day in days for hour in range(24)) > 0
    assert standard_household(0)(days[0], 12) == 0


def test_hourly_forecast_begins_at_midnight() -> None:
    """It is in UTC and without a gap up to the end of its last day."""
    forecast = hourly_forecast(lambda _day, hour: float(hour), date(2026, 6, 10), 4)
    assert forecast.starts[0] == datetime(2026, 6, 9, 22, tzinfo=UTC)
    assert len(forecast.energies) == 96
    assert forecast.energies[:3] == (0, 1, 2)
