"""Tests of how the answers of solar forecasts are read."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from custom_components.nomos.forecast.outlook import Problem
from custom_components.nomos.forecast.sun import read_answer, sun_forecast, whole_days
from custom_components.nomos.pricing import TARIFF_ZONE, day_bounds

NOW = datetime(2026, 6, 10, 8, tzinfo=UTC)
TODAY = date(2026, 6, 10)
MIDNIGHT = day_bounds(TODAY)[0]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def answer(
    days: int = 2,
    first: int = 0,
    *,
    day: date = TODAY,
    change: Mapping[tuple[int, int], Any] | None = None,
    without: tuple[tuple[int, int], ...] = (),
) -> dict[str, Any]:
    """Return a forecast of 500 Wh in each clock hour from 6 to 20, starting ``first`` days after ``day``."""
    rows: dict[str, Any] = {}
    for index in range(first, first + days):
        for hour in range(6, 21):
            if (index, hour) in without:
                continue
            local = datetime.combine(
                day + index * DAY, datetime.min.time(), TARIFF_ZONE
            ).replace(hour=hour)
            rows[local.isoformat()] = (change or {}).get((index, hour), 500)
    return {"wh_hours": rows}


def read(*answers: Any, now: datetime = NOW):
    """Return the sum of the answers, and the problems found in them."""
    found = sun_forecast(answers, now, TARIFF_ZONE)
    return found, found.problems


def test_hours_are_added_up() -> None:
    """The forecasts of several roofs are added up by the hour; at night they are zero."""
    found, problems = read(answer(), answer(change={(0, 12): 1500}))
    assert not problems
    energy = found.energy
    assert energy.starts[0] == MIDNIGHT
    assert energy.starts[-1] == MIDNIGHT + 2 * DAY
    assert energy.between(MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR) == 0
    noon = MIDNIGHT + 12 * HOUR
    assert energy.between(noon, noon + HOUR) == pytest.approx(2.0)
    quarter = noon + timedelta(minutes=15)
    assert energy.between(noon, quarter) == pytest.approx(0.5)
    assert found.by_day() == {
        TODAY: pytest.approx(16.0),
        TODAY + DAY: pytest.approx(15.0),
    }


def test_odd_minutes_belong_to_their_hour() -> None:
    """Sunrise at 5:43 and half-hours count in their clock hour; a time without a zone is local to the hub."""
    rows = {
        "2026-06-10T05:43:12+02:00": 30,
        "2026-06-10T10:00:00+02:00": 400,
        "2026-06-10T10:30:00+02:00": 500,
        "2026-06-10T09:15:00": 100,
        "2026-06-10T09:30:00Z": 700,
    }
    hours, absurd = read_answer({"wh_hours": rows}, NOW, TARIFF_ZONE)
    assert not absurd
    assert hours == {
        datetime(2026, 6, 10, 3, tzinfo=UTC): 0.03,
        datetime(2026, 6, 10, 8, tzinfo=UTC): pytest.approx(0.9),
        datetime(2026, 6, 10, 7, tzinfo=UTC): 0.1,
        datetime(2026, 6, 10, 9, tzinfo=UTC): 0.7,
    }


@pytest.mark.parametrize(
    "odd",
    [
        -1,
        -0.001,
        float("nan"),
        float("inf"),
        100_001,
        10**400,
        "500",
        None,
        True,
        [],
        {},
    ],
)
def test_absurd_values_are_left_out(odd) -> None:
    """An absurd value is dropped and reported; the others count."""
    found, problems = read(answer(change={(0, 6): odd}))
    assert problems == {Problem.SUN_ABSURD}
    assert found.by_day()[TODAY] == pytest.approx(7.0)


@pytest.mark.parametrize(
    "odd",
    [
        5,
        "text",
        [],
        {},
        {"wh_hours": None},
        {"wh_hours": [500]},
        {"wh_hours": {"soon": 500}},
        {"wh_hours": {5: 500}},
        {"wh_hours": {f"2026-06-10T10:00:00.{one:06}": 1 for one in range(10_001)}},
    ],
)
def test_wrong_shapes(odd) -> None:
    """A malformed forecast is reported, and the other one counts alone."""
    found, problems = read(odd, answer())
    assert problems == {Problem.SUN_ABSURD}
    assert found.by_day()[TODAY] == pytest.approx(7.5)
    alone, _ = read(odd)
    assert not alone.energy.energies


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "2031-01-01T00:00:00Z"]
)
def test_times_far_away_are_ignored(time) -> None:
    """Far-away times do no harm and are not reported."""
    given = answer()
    given["wh_hours"][time] = 500
    found, problems = read(given)
    assert not problems
    assert found.by_day() == {TODAY: 7.5, TODAY + DAY: 7.5}


def test_unavailable() -> None:
    """A forecast without an answer, or without hours, is unavailable."""
    assert read() == read()
    assert read()[1] == set()
    empty: dict[str, Any] = {"wh_hours": {}}
    for none in (None, empty):
        found, problems = read(none)
        assert problems == {Problem.SUN_UNAVAILABLE}
        assert not found.energy.energies


def test_stale() -> None:
    """A forecast that ended yesterday is left out; one that ends today is not."""
    found, problems = read(answer(2, -2))
    assert problems == {Problem.SUN_STALE}
    assert not found.energy.energies
    found, problems = read(answer(2, -1))
    assert not problems
    assert found.energy.starts[-1] == MIDNIGHT + DAY


def test_sum_ends_with_the_shortest_forecast() -> None:
    """The sum ends where the shortest forecast ends; later days repeat the last known one."""
    found, problems = read(answer(5), answer(2))
    assert not problems
    assert found.energy.starts[-1] == MIDNIGHT + 2 * DAY
    later = MIDNIGHT + 3 * DAY + 12 * HOUR
    assert found.energy.between(later, later + HOUR) == pytest.approx(1.0)


def test_a_last_day_that_is_cut_off() -> None:
    """A forecast of a number of hours from now may end during a day, which is then left out."""
    cut = tuple((2, hour) for hour in range(12, 21))
    found, problems = read(answer(3, without=cut))
    assert not problems
    assert found.energy.starts[-1] == MIDNIGHT + 2 * DAY
    dusk = tuple((2, hour) for hour in (19, 20))
    found, _ = read(answer(3, without=dusk))
    assert found.energy.starts[-1] == MIDNIGHT + 3 * DAY


@pytest.mark.parametrize("hour", [7, 13, 19])
def test_a_hole(hour) -> None:
    """A missing hour between others is reported and counts as zero; one of yesterday is not reported."""
    found, problems = read(answer(without=((1, hour),)))
    assert problems == {Problem.SUN_GAP}
    assert found.by_day()[TODAY + DAY] == pytest.approx(7.0)
    assert not read(answer(3, -1, without=((-1, hour),)))[1]


def test_a_missing_day() -> None:
    """A missing day is reported and counts as zero."""
    missing = tuple((1, hour) for hour in range(6, 21))
    found, problems = read(answer(3, without=missing))
    assert problems == {Problem.SUN_GAP}
    assert found.by_day()[TODAY + DAY] == 0


def test_a_forecast_without_its_past_hours() -> None:
    """Some forecasts begin with the current hour: that is no gap."""
    past = tuple((0, hour) for hour in range(6, 10))
    assert not read(answer(without=past))[1]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_clock_changes(day, hours) -> None:
    """Days of 23 and 25 hours keep their clock times."""
    start, end = day_bounds(day)
    found, problems = read(answer(3, day=day - DAY), now=start - 12 * HOUR)
    assert not problems
    energy = found.energy
    assert len(energy.energies) == 48 + hours
    assert energy.starts[-1] == end + DAY
    light = [
        one.astimezone(TARIFF_ZONE).hour
        for one, kwh in zip(energy.starts, energy.energies, strict=False)
        if kwh
    ]
    assert light == [*range(6, 21)] * 3


@pytest.mark.parametrize(
    ("day", "hours"),
    [(TODAY, 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)],
)
def test_whole_days(day, hours) -> None:
    """A day counts only if the meters have all of its hours."""
    start, _ = day_bounds(day)
    made = {start + index * HOUR: 0.5 for index in range(hours)}
    assert whole_days(made, [day, day + DAY]) == {day: hours / 2}
    del made[start + 3 * HOUR]
    assert not whole_days(made, [day])
