"""Tests of what a card draws, without Home Assistant."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from custom_components.nomos.card.drawing import ChartOptions, chart
from custom_components.nomos.pricing import (
    Components,
    Interval,
    PeriodKind,
    PriceTable,
    TableLevels,
    day_bounds,
    hourly,
)

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAYS = {
    date(2026, 6, 10): 24,
    date(2026, 3, 29): 23,
    date(2026, 10, 25): 25,
}
"""Days and their number of hours: an ordinary day, and those of the clock changes."""


def table(day: date, *, missing: Collection[int] = ()) -> PriceTable:
    """Return a day of quarter-hours whose prices rise by 0.01 EUR/kWh each; some are unknown."""
    start, end = day_bounds(day)
    count = (end - start) // QUARTER
    return PriceTable.of(
        Interval(
            start + number * QUARTER,
            start + (number + 1) * QUARTER,
            None if number in missing else number / 100,
            Components(number / 100 - 0.2, 0.2, None),
        )
        for number in range(count)
    )


@pytest.mark.parametrize(("day", "hours"), DAYS.items())
def test_hours_are_means(day: date, hours: int) -> None:
    """Each hour and its components are means of four quarter-hours; the repeated hour comes twice."""
    found = hourly(table(day), whole=False).intervals
    assert len(found) == hours
    assert [one.duration for one in found] == [HOUR] * hours
    assert [found[0].start, found[-1].end] == list(day_bounds(day))
    for number, hour in enumerate(found):
        mean = (4 * number + 1.5) / 100
        assert hour.price == pytest.approx(mean)
        assert hour.components.electricity == pytest.approx(mean - 0.2)
        assert hour.components.grid == pytest.approx(0.2)
        assert hour.components.levies is None


def test_hours_that_are_not_whole() -> None:
    """Unknown prices do not count in the mean; an hour without any known price has none."""
    known = table(date(2026, 6, 10), missing={0, 4, 5, 6, 7})
    first, second, third, *_ = hourly(known, whole=False).intervals
    assert first.price == pytest.approx(0.02)
    assert (second.price, second.duration) == (None, HOUR)
    assert third.price == pytest.approx(0.095)
    # An hourly tariff is left as it is.
    assert hourly(PriceTable((first, second)), whole=False).intervals == (first, second)


def test_the_price_of_now_stays_exact() -> None:
    """A card that draws hours also gets the current and next intervals, with their own levels."""
    day = date(2026, 6, 10)
    levels, now = TableLevels(table(day)), datetime(2026, 6, 10, 11, 22, tzinfo=UTC)
    drawn = chart(levels, now, ChartOptions(hours=True), pays=False)
    plain = chart(levels, now, ChartOptions(), pays=False)
    assert [len(one["intervals"]) for one in (drawn, plain)] == [24, 96]
    begin = datetime(2026, 6, 10, 11, 15, tzinfo=UTC).timestamp()
    assert drawn["exact"] == [
        row for row in plain["intervals"] if begin <= row[0] < begin + 9 * 900
    ]
    assert plain["exact"] == []
    assert drawn["windows"] == plain["windows"]
    assert drawn["days"] == plain["days"]
    assert {row[3] for row in drawn["intervals"]} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("pays", [False, True])
def test_the_next_cheap_period(pays: bool) -> None:
    """It is the first that has not ended, the current one included; for payouts, the first one of high payouts."""
    day = date(2026, 6, 10)
    levels = TableLevels(table(day))
    start, end = day_bounds(day)
    kind = PeriodKind.EXPENSIVE if pays else PeriodKind.CHEAP
    [period] = levels.periods(kind)
    for now in (start, period.start, period.end - QUARTER):
        found = chart(levels, now, ChartOptions(), pays=pays)["period"]
        assert found == {
            "start": period.start.timestamp(),
            "end": period.end.timestamp(),
        }
    assert chart(levels, period.end, ChartOptions(), pays=pays)["period"] is None
    assert period.end <= end


@pytest.mark.parametrize("pays", [False, True])
def test_several_best_windows(pays: bool) -> None:
    """Each is the best that overlaps none before it, as found by enumeration; there are as many as fit."""
    rows = Random(3)
    start, end = day_bounds(date(2026, 10, 25))
    prices = [round(rows.uniform(-0.1, 0.4), 4) for _ in range(100)]
    known = PriceTable.of(
        Interval(start + number * QUARTER, start + (number + 1) * QUARTER, price)
        for number, price in enumerate(prices)
    )
    now = start + 10 * QUARTER + timedelta(minutes=7)
    wish = ChartOptions(minutes=90, windows=5)
    found = chart(TableLevels(known), now, wish, pays=pays)["windows"]
    free = set(range(10, 100))
    expected: list[tuple[float, float]] = []
    while len(expected) < 5:
        fits = [one for one in free if free.issuperset(range(one, one + 6))]
        means = {one: sum(prices[one : one + 6]) / 6 for one in fits}
        best = min(fits, key=lambda one: (-means[one] if pays else means[one], one))
        expected.append(((start + best * QUARTER).timestamp(), means[best]))
        free -= set(range(best, best + 6))
    assert [one["start"] for one in found] == [begin for begin, _ in expected]
    assert [one["average"] for one in found] == pytest.approx(
        [mean for _, mean in expected], abs=2e-6
    )
    assert all(one["end"] - one["start"] == 5400 for one in found)
    late = chart(TableLevels(known), end - 13 * QUARTER, wish, pays=pays)["windows"]
    assert len(late) in (1, 2)
