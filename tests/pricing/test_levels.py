"""Tests of levels, ranks and percentiles."""

from datetime import date, timedelta
from itertools import product
from math import nan

import pytest

from custom_components.nomos.pricing import (
    DEFAULT_THRESHOLDS,
    DayPrices,
    Interval,
    Level,
    LevelThresholds,
    PriceTable,
    TableLevels,
    below_average,
    day_bounds,
    rate_day,
)

DAY = date(2026, 6, 1)
START, _ = day_bounds(DAY)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def ct(*prices):
    """Convert prices from ct/kWh to EUR/kWh."""
    return [None if price is None else price / 100 for price in prices]


def day_of(prices, length=HOUR, day=DAY):
    """Return a day of consecutive intervals from its midnight on."""
    start, _ = day_bounds(day)
    return DayPrices(
        day,
        tuple(
            Interval(start + length * index, start + length * (index + 1), price)
            for index, price in enumerate(prices)
        ),
    )


def ratings_of(day, thresholds=DEFAULT_THRESHOLDS):
    """Return the ratings of a day."""
    return rate_day(day, thresholds)


def drawing_of(day, thresholds=DEFAULT_THRESHOLDS):
    """Return a drawing of a day's levels: one character per interval."""
    levels = {one.interval: one.level for one in rate_day(day, thresholds)}
    found = map(levels.get, day.intervals)
    return "".join("Cc.eE"[one - 1] if one else "?" for one in found)


def thresholds_of(cheap, expensive, distance=(0.01, 0.02), sure=0.0):
    """Return thresholds: very cheap before cheap, the smaller distance before the larger; only shares, unless sure."""
    return LevelThresholds(
        very_cheap_share=cheap[0],
        cheap_share=cheap[1],
        very_expensive_share=expensive[0],
        expensive_share=expensive[1],
        distance=distance[0],
        very_distance=distance[1],
        sure_distance=sure,
    )


SHARES_ALONE = LevelThresholds(sure_distance=0)


def positions(day):
    """Return the ranks and percentiles of a day."""
    return [(one.rank, one.percentile) for one in ratings_of(day)]


# A day of 24 hours: cheap at night, two peaks, a dip at noon.
TYPICAL = [28, 27, 26, 26, 27, 29, 33, 38, 37, 32, 29, 27]
TYPICAL += [25, 24, 26, 28, 31, 36, 42, 45, 39, 34, 31, 29]

DAYS = {
    "typical": (TYPICAL, ".cCCc.eeee.cCCC..eEEEe.."),
    "v-shaped": ([*range(42, 30, -1), *range(30, 42)], "EEee.....ccCCCcc.....eeE"),
    "flat": ([30] * 24, "." * 24),
    "flat at zero": ([0] * 24, "." * 24),
    "tiny spread": ([30, 30.9] * 12, "." * 24),
    "tiny spread about the middle": ([29.1, *[30] * 22, 30.9], "." * 24),
    "just enough": ([29, *[30] * 22, 31], "c" + "." * 22 + "e"),
    "just very": ([28, *[30] * 22, 32], "C" + "." * 22 + "E"),
    "one spike": ([300, *[30] * 23], "E" + "." * 23),
    "spike and hole": ([300, -300, *[30] * 22], "EC" + "." * 22),
    "all below zero": ([-1] * 24, "c" * 24),
    "below zero at middle": ([*[-1] * 13, *[30] * 11], "c" * 13 + "E" * 11),
    "zero can be expensive": ([-9, -8, *[-5] * 20, -1, 0], "CC" + "c" * 21 + "E"),
    "two tariffs": ([20] * 12 + [40] * 12, "C" * 12 + "E" * 12),
    "mostly cheap": ([20] * 16 + [40] * 8, "." * 16 + "E" * 8),
    "mostly expensive": ([20] * 8 + [40] * 16, "C" * 8 + "." * 16),
    "unknown": ([None] * 24, "?" * 24),
    "two known": ([20, None, 40], "C?E"),
    "one known": ([30], "."),
    "one below zero": ([-30], "c"),
    "empty": ([], ""),
    "partly known": ([*[None] * 16, 20, *[30] * 6, 40], "?" * 16 + "C......E"),
}


@pytest.mark.parametrize(("prices", "drawing"), DAYS.values(), ids=DAYS)
def test_levels(prices, drawing):
    """The same definition works for every kind of day."""
    assert drawing_of(day_of(ct(*prices))) == drawing


@pytest.mark.parametrize("length", [QUARTER, HOUR])
@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)],
)
def test_shares_are_of_the_days_own_length(day, hours, length):
    """A quarter of a day is a quarter of 23, 24 or 25 hours; an interval that reaches into it counts."""
    count = int(timedelta(hours=hours) / length)
    prices = day_of([0.2 + index / count for index in range(count)], length, day)
    assert prices.complete
    quarter, tenth = -(-count // 4), -(-count // 10)
    some, rest = quarter - tenth, count - 2 * quarter
    low, high = "C" * tenth + "c" * some, "e" * some + "E" * tenth
    assert drawing_of(prices, SHARES_ALONE) == low + "." * rest + high
    assert [rank for rank, _ in positions(prices)] == list(range(1, count + 1))


def test_mixed_lengths_weigh_by_time():
    """Four quarter-hours equal one hour in the median, the shares and the percentile."""
    quarters = day_of(ct(20, 21, 22, 23), QUARTER).intervals
    hours = day_of(ct(None, 40, 40, 40)).intervals[1:]
    day = DayPrices(DAY, (*quarters, *hours))
    # By count the median would be a quarter-hour's price, by time it is that of the hours.
    assert drawing_of(day) == "CCcc..."
    ranks, percentiles = zip(*positions(day), strict=True)
    assert ranks == (1, 2, 3, 4, 5, 5, 5)
    assert percentiles == (3.125, 9.375, 15.625, 21.875, 62.5, 62.5, 62.5)


def test_rank_and_percentile():
    """Equal prices share the lower rank and the middle of their positions."""
    day = day_of(ct(30, -5, None, 30, 40, 30))
    assert positions(day) == [(2, 50), (1, 10), (2, 50), (5, 90), (2, 50)]
    assert positions(day_of([0.3] * 24)) == [(1, 50)] * 24


def test_rounding_errors_make_no_difference():
    """Sums of equal components are equal prices, and exactly 1 ct is 1 ct."""
    assert 0.1 + 0.2 != 0.3
    assert positions(day_of([0.1 + 0.2, 0.3])) == [(1, 50)] * 2
    assert 0.29 - 0.28 < 0.01
    assert drawing_of(day_of([0.28, *[0.29] * 10])) == "c" + "." * 10
    assert drawing_of(day_of([-1e-12] * 4)) == "...."


def test_at_any_instant():
    """An instant has the rating of its interval; gaps and unknown prices have none."""
    day = day_of(ct(20, None, 40))
    levels = TableLevels(PriceTable(day.intervals))
    assert levels.at(START - timedelta(microseconds=1)) is None
    assert levels.at(START).interval == day.intervals[0]
    assert levels.at(START + HOUR - timedelta(microseconds=1)).cheap
    assert levels.at(START + HOUR) is None
    assert levels.at(START + 2 * HOUR).expensive
    assert levels.at(START + 3 * HOUR) is None
    assert rate_day(DayPrices(DAY)) == ()


def test_levels_have_an_order_and_a_key():
    """Conditions compare levels; states name them."""
    assert Level.VERY_CHEAP < Level.CHEAP < Level.NORMAL < Level.EXPENSIVE
    keys = ["very_cheap", "cheap", "normal", "expensive", "very_expensive"]
    assert [level.key for level in Level] == keys


def test_thresholds_can_be_adjusted():
    """Each threshold does what its name says; with shares of zero, only negative prices are cheap."""
    day = day_of(ct(*TYPICAL))
    assert (
        drawing_of(day, thresholds_of((50, 50), (50, 50))) == "cCCCC.EEEE.CCCCcEEEEEEE."
    )
    assert (
        drawing_of(day, thresholds_of((0, 50), (0, 25))) == "ccccc..ee..ccccc.eeee..."
    )
    far = LevelThresholds(distance=0.05, very_distance=0.12, sure_distance=0)
    assert drawing_of(day, far) == ".......ee....c...eEEe..."
    assert drawing_of(day_of(ct(-1, 20, 40)), thresholds_of((0, 0), (0, 0))) == "c.."


def test_far_from_the_middle_is_never_normal():
    """From the sure distance on, the share does not matter unless it is zero; the other distance still applies."""
    valley = [20, 21, 22, 23, 24, 25, 26, 26.5, 27, 27.01, 29]
    day = day_of(ct(*valley, *[30] * 13))
    assert drawing_of(day, SHARES_ALONE) == "CCCccc" + "." * 18
    assert drawing_of(day) == "CCCcccccc" + "." * 15
    assert (
        drawing_of(day, LevelThresholds(sure_distance=0.01))
        == "CCC" + "c" * 8 + "." * 13
    )
    no_cheap = LevelThresholds(cheap_share=0, very_cheap_share=0)
    assert drawing_of(day, no_cheap) == "." * 24
    far = LevelThresholds(distance=0.04, very_distance=0.04)
    assert drawing_of(day, far) == "CCCcccc" + "." * 17


@pytest.mark.parametrize(
    ("hours", "chosen"),
    [
        *product((-1, 0, nan), [[]]),
        *product((0.25, 1), [[3]]),
        *product((1.5, 2), [[1, 3]]),
        (3, [1, 3, 4]),
        *product((4, 5, 1e300), [[0, 1, 3, 4]]),
    ],
)
def test_cheapest_hours(hours, chosen):
    """The earlier of equals comes first, a partly passed interval counts, and unknown prices never do."""
    day = day_of(ct(30, 20, None, 10, 20))
    found = [one.interval for one in ratings_of(day) if one.among_cheapest(hours)]
    assert found == [day.intervals[index] for index in chosen]


@pytest.mark.parametrize(
    ("prices", "percent", "below"),
    [
        *product([ct(20, 40)], (0, 33.3, 100 / 3), [[True, False]]),
        (ct(20, 40), 34, [False, False]),
        (ct(27, 33), 10, [True, False]),
        (ct(-3, -1), 50, [True, False]),
        (ct(-3, -1), 51, [False, False]),
        (ct(-1, 1), 500, [True, False]),
        *product([ct(0, 0), ct(30, 30), [1 / 3] * 2], (0, 10), [[False] * 2]),
        (ct(20, None, 40), 10, [True, None, False]),
        (ct(None), 10, [None]),
    ],
)
def test_below_average(prices, percent, below):
    """Below means cheaper, whatever the sign of the average."""
    day = day_of(prices)
    answers = [below_average(interval, day, percent) for interval in day.intervals]
    assert answers == below


def test_below_average_without_an_average():
    """Without an average there is no answer."""
    day = day_of([0.3])
    assert below_average(day.intervals[0], DayPrices(DAY), 10) is None
