"""Tests of levels, ranks and percentiles."""

from dataclasses import FrozenInstanceError, replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import example, given, strategies as st
import pytest

from custom_components.nomos.pricing import (
    DEFAULT_THRESHOLDS,
    DayLevels,
    DayPrices,
    Interval,
    Level,
    LevelThresholds,
    Period,
    below_average,
    cheapest_hours,
    day_bounds,
    join_periods,
)

DAY = date(2026, 6, 1)
START, END = day_bounds(DAY)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)

NOTHING = LevelThresholds(
    cheap_share=0, very_cheap_share=0, expensive_share=0, very_expensive_share=0
)


def ct(*prices):
    """Return prices in EUR/kWh that are given in ct/kWh."""
    return [None if price is None else price / 100 for price in prices]


def day_of(prices, length=HOUR, day=DAY):
    """Return a day whose intervals follow each other from its midnight."""
    start, _ = day_bounds(day)
    return DayPrices(
        day,
        tuple(
            Interval(start + length * index, start + length * (index + 1), price)
            for index, price in enumerate(prices)
        ),
    )


def drawn(day, thresholds=DEFAULT_THRESHOLDS):
    """Return a drawing of a day's levels: one character per interval."""
    return "".join(
        "?" if standing is None else "Cc.eE"[standing.level - 1]
        for standing in all_of(day, thresholds)
    )


def all_of(day, thresholds=DEFAULT_THRESHOLDS):
    """Return the standing of every interval, None included."""
    levels = DayLevels.of(day, thresholds)
    return [levels.at(interval.start) for interval in day.intervals]


# A day of 24 hours: cheap at night, two peaks, a dip at noon.
TYPICAL = [28, 27, 26, 26, 27, 29, 33, 38, 37, 32, 29, 27]
TYPICAL += [25, 24, 26, 28, 31, 36, 42, 45, 39, 34, 31, 29]


@pytest.mark.parametrize(
    ("prices", "drawing"),
    [
        pytest.param(TYPICAL, ".cCCc..ee..cCCC..eEEE...", id="typical"),
        pytest.param(
            [*range(42, 30, -1), *range(30, 42)],
            "EEee.....ccCCCcc.....eeE",
            id="v-shaped",
        ),
        pytest.param([30] * 24, "." * 24, id="flat"),
        pytest.param([0] * 24, "." * 24, id="flat-at-zero"),
        pytest.param([30, 30.9] * 12, "." * 24, id="tiny-spread"),
        pytest.param([29.1, *[30] * 22, 30.9], "." * 24, id="tiny-spread-about-middle"),
        pytest.param([29, *[30] * 22, 31], "c" + "." * 22 + "e", id="just-enough"),
        pytest.param([28, *[30] * 22, 32], "C" + "." * 22 + "E", id="just-very"),
        pytest.param([300, *[30] * 23], "E" + "." * 23, id="one-spike"),
        pytest.param([300, -300, *[30] * 22], "EC" + "." * 22, id="spike-and-hole"),
        pytest.param([-1] * 24, "c" * 24, id="all-below-zero"),
        pytest.param(
            [*[-1] * 13, *[30] * 11], "c" * 13 + "E" * 11, id="below-zero-at-middle"
        ),
        pytest.param(
            [-9, -8, *[-5] * 20, -1, 0], "CC" + "c" * 21 + "E", id="zero-can-be-dear"
        ),
        pytest.param([20] * 12 + [40] * 12, "C" * 12 + "E" * 12, id="two-tariffs"),
        pytest.param([20] * 16 + [40] * 8, "." * 16 + "E" * 8, id="mostly-cheap"),
        pytest.param([20] * 8 + [40] * 16, "C" * 8 + "." * 16, id="mostly-dear"),
        pytest.param([None] * 24, "?" * 24, id="unknown"),
        pytest.param([20, None, 40], "C?E", id="two-known"),
        pytest.param([30], ".", id="one-known"),
        pytest.param([-30], "c", id="one-below-zero"),
        pytest.param([], "", id="empty"),
        pytest.param(
            [None] * 16 + [20, 30, 30, 30, 30, 30, 30, 40],
            "?" * 16 + "C......E",
            id="partly-known",
        ),
    ],
)
def test_levels(prices, drawing):
    """The same definition serves every kind of day."""
    assert drawn(day_of(ct(*prices))) == drawing


@pytest.mark.parametrize("length", [QUARTER, HOUR])
@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)],
)
def test_shares_are_of_the_days_own_length(day, hours, length):
    """A quarter is a quarter of 23, 24 or 25 hours; an interval that reaches into it counts."""
    count = int(timedelta(hours=hours) / length)
    prices = day_of([0.2 + index / count for index in range(count)], length, day)
    assert prices.complete
    standings = all_of(prices)
    quarter, tenth = -(-count // 4), -(-count // 10)
    assert [standing.level for standing in standings] == [
        *[Level.VERY_CHEAP] * tenth,
        *[Level.CHEAP] * (quarter - tenth),
        *[Level.NORMAL] * (count - 2 * quarter),
        *[Level.EXPENSIVE] * (quarter - tenth),
        *[Level.VERY_EXPENSIVE] * tenth,
    ]
    assert [standing.rank for standing in standings] == list(range(1, count + 1))


def test_the_repeated_hour_is_two_hours():
    """Both hours from 2 to 3 have their own standing."""
    day = date(2026, 10, 25)
    levels = DayLevels.of(day_of(ct(30, 30, 20, 40, *[30] * 21), day=day))
    start, end = day_bounds(day)
    assert levels.at(start + 2 * HOUR).level is Level.VERY_CHEAP
    assert levels.at(start + 3 * HOUR).level is Level.VERY_EXPENSIVE
    assert levels.at(end - HOUR).level is Level.NORMAL
    assert levels.at(end) is None


def test_mixed_lengths_weigh_by_time():
    """Four quarters are one hour: in the median, the shares and the percentile."""
    quarters = [
        Interval(START + QUARTER * index, START + QUARTER * (index + 1), 0.2 + price)
        for index, price in enumerate((0.00, 0.01, 0.02, 0.03))
    ]
    hours = [
        Interval(START + HOUR * index, START + HOUR * (index + 1), 0.4)
        for index in range(1, 4)
    ]
    levels = DayLevels.of(DayPrices(DAY, (*quarters, *hours)))
    # By count the middle would be a quarter's price, by time it is the hours'.
    assert [standing.level for standing in levels.standings] == [
        *[Level.VERY_CHEAP] * 2,
        *[Level.CHEAP] * 2,
        *[Level.NORMAL] * 3,
    ]
    assert [standing.rank for standing in levels.standings] == [1, 2, 3, 4, 5, 5, 5]
    assert [standing.percentile for standing in levels.standings] == [
        3.125,
        9.375,
        15.625,
        21.875,
        *[62.5] * 3,
    ]


def test_rank_and_percentile():
    """Equals share the lower rank and the middle of their places."""
    standings = all_of(day_of(ct(30, -5, None, 30, 40, 30)))
    assert [standing and standing.rank for standing in standings] == [
        2,
        1,
        None,
        2,
        5,
        2,
    ]
    assert [standing and standing.percentile for standing in standings] == [
        50,
        10,
        None,
        50,
        90,
        50,
    ]
    assert {standing.percentile for standing in all_of(day_of([0.3] * 24))} == {50}


def test_noise_of_floats_makes_no_difference():
    """Sums of the same components are the same price, and exactly 1 ct is 1 ct."""
    assert 0.1 + 0.2 != 0.3
    one, two = all_of(day_of([0.1 + 0.2, 0.3]))
    assert (one.rank, one.percentile) == (two.rank, two.percentile) == (1, 50)
    assert 0.29 - 0.28 < 0.01
    assert drawn(day_of([0.28, *[0.29] * 10])) == "c" + "." * 10
    assert drawn(day_of([-1e-12] * 4)) == "...."


def test_at_any_instant():
    """An instant has the standing of the interval that holds it; gaps and unknown prices have none."""
    day = day_of(ct(20, None, 40))
    levels = DayLevels.of(day)
    assert levels.day == DAY
    assert levels.at(START - timedelta(microseconds=1)) is None
    assert levels.at(START).interval == day.intervals[0]
    assert levels.at(START + HOUR - timedelta(microseconds=1)).cheap
    assert levels.at(START + HOUR) is None
    assert levels.at(START + 2 * HOUR).expensive
    assert levels.at(START + 3 * HOUR) is None
    assert DayLevels.of(DayPrices(DAY)).at(START) is None


def test_levels_have_an_order_and_a_key():
    """Conditions compare levels; states name them."""
    assert Level.VERY_CHEAP < Level.CHEAP < Level.NORMAL < Level.EXPENSIVE
    assert [level.key for level in Level] == [
        "very_cheap",
        "cheap",
        "normal",
        "expensive",
        "very_expensive",
    ]
    assert [Level.of_key(level.key) for level in Level] == list(Level)
    with pytest.raises(ValueError, match="No such level"):
        Level.of_key("CHEAP")


@pytest.mark.parametrize(
    "changes",
    [
        {"cheap_share": 51},
        {"cheap_share": -1, "very_cheap_share": -1},
        {"very_cheap_share": 26},
        {"very_cheap_share": -1},
        {"cheap_share": float("nan")},
        {"expensive_share": 51},
        {"very_expensive_share": 26},
        {"very_expensive_share": -1},
        {"distance": 0},
        {"distance": -0.01},
        {"distance": 0.03},
        {"very_distance": 0.005},
        {"very_distance": float("inf")},
        {"distance": float("nan")},
    ],
)
def test_thresholds_refuse_contradictions(changes):
    """Nonsense is refused where it is made."""
    with pytest.raises(ValueError, match="must be"):
        replace(DEFAULT_THRESHOLDS, **changes)


def test_thresholds_can_be_adjusted():
    """Each threshold does what its name says."""
    day = day_of(ct(*TYPICAL))
    wide = LevelThresholds(
        cheap_share=50, very_cheap_share=50, expensive_share=50, very_expensive_share=50
    )
    assert {standing.level for standing in all_of(day, NOTHING)} == {Level.NORMAL}
    assert drawn(day, wide) == "cCCCC.EEEE.CCCCcEEEEEEE."
    far = LevelThresholds(distance=0.05, very_distance=0.12)
    assert [
        standing.interval.price
        for standing in all_of(day, far)
        if standing.level is not Level.NORMAL
    ] == ct(38, 37, 24, 36, 42, 45, 39)
    assert [standing.level for standing in all_of(day, far)].count(
        Level.VERY_EXPENSIVE
    ) == 2
    negative = all_of(day_of(ct(-1, 20, 20)), NOTHING)
    assert [standing.level for standing in negative] == [2, 3, 3]


def test_all_data_is_frozen():
    """Nothing can be changed after it was computed."""
    levels = DayLevels.of(day_of(ct(*TYPICAL)))
    for frozen, name in (
        (levels, "day"),
        (levels.standings[0], "rank"),
        (levels.cheap_periods[0], "intervals"),
        (DEFAULT_THRESHOLDS, "distance"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(frozen, name, None)
        assert not hasattr(frozen, "__dict__")
    assert levels == DayLevels.of(day_of(ct(*TYPICAL)))
    assert hash(levels) == hash(DayLevels.of(day_of(ct(*TYPICAL))))


def test_periods():
    """Periods are maximal; an unknown price or a gap ends one; very cheap and cheap are one."""
    day = day_of(ct(*TYPICAL))
    levels = DayLevels.of(day)
    assert [
        (period.start - START, period.end - START) for period in levels.cheap_periods
    ] == [(HOUR, 5 * HOUR), (11 * HOUR, 15 * HOUR)]
    assert [
        (period.start - START, period.end - START)
        for period in levels.expensive_periods
    ] == [(7 * HOUR, 9 * HOUR), (17 * HOUR, 21 * HOUR)]
    assert levels.cheap_periods[1].average == pytest.approx(0.255)

    below_zero = day_of(ct(-1, -1, None, -1, -1))
    assert [
        len(period.intervals) for period in DayLevels.of(below_zero).cheap_periods
    ] == [2, 2]
    gap = DayPrices(DAY, below_zero.intervals[:1] + below_zero.intervals[3:])
    assert [len(period.intervals) for period in DayLevels.of(gap).cheap_periods] == [
        1,
        2,
    ]
    assert DayLevels.of(day_of([0.3] * 24)).cheap_periods == ()


def test_periods_join_across_midnight():
    """Two days that are cheap at midnight have one period there."""
    today = DayLevels.of(day_of(ct(20, *[30] * 22, 20)))
    tomorrow = DayLevels.of(day_of(ct(21, *[30] * 22, 21), day=DAY + timedelta(days=1)))
    periods = join_periods([*today.cheap_periods, *tomorrow.cheap_periods])
    assert [(period.start, period.end) for period in periods] == [
        (START, START + HOUR),
        (END - HOUR, END + HOUR),
        (END + 23 * HOUR, END + 24 * HOUR),
    ]
    assert periods[1].average == pytest.approx(0.205)
    assert join_periods([]) == ()


@pytest.mark.parametrize(
    ("hours", "chosen"),
    [
        (-1, []),
        (0, []),
        (0.25, [3]),
        (1, [3]),
        (1.5, [1, 3]),
        (2, [1, 3]),
        (3, [1, 3, 4]),
        (4, [0, 1, 3, 4]),
        (5, [0, 1, 3, 4]),
        (1e300, [0, 1, 3, 4]),
        (float("nan"), []),
    ],
)
def test_cheapest_hours(hours, chosen):
    """The earlier of equals comes first, what is begun counts, unknown prices never do."""
    day = day_of(ct(30, 20, None, 10, 20))
    assert cheapest_hours(day, hours) == {day.intervals[index] for index in chosen}


def test_cheapest_hours_weigh_by_time():
    """An hour is one interval or four."""
    day = day_of([index / 100 for index in range(96)], QUARTER)
    assert cheapest_hours(day, 3) == set(day.intervals[:12])
    assert cheapest_hours(DayPrices(DAY), 3) == set()
    flat = day_of([0.3] * 96, QUARTER)
    assert cheapest_hours(flat, 2.5) == set(flat.intervals[:10])


@pytest.mark.parametrize(
    ("prices", "percent", "below"),
    [
        ([20, 40], 0, [True, False]),
        ([20, 40], 33.3, [True, False]),
        ([20, 40], 100 / 3, [True, False]),
        ([20, 40], 34, [False, False]),
        ([27, 33], 10, [True, False]),
        ([30, 30], 0, [False, False]),
        ([-3, -1], 50, [True, False]),
        ([-3, -1], 51, [False, False]),
        ([-1, 1], 500, [True, False]),
        ([0, 0], 0, [False, False]),
        ([0, 0], 10, [False, False]),
        ([20, None, 40], 10, [True, None, False]),
        ([None], 10, [None]),
    ],
)
def test_below_average(prices, percent, below):
    """Below means cheaper, whatever the sign of the average."""
    day = day_of(ct(*prices))
    assert [
        below_average(interval, day, percent) for interval in day.intervals
    ] == below


def test_below_average_needs_an_average_and_a_sane_percentage():
    """Without a known price there is nothing to be below; a negative percentage means nothing."""
    interval = Interval(START, START + HOUR, 0.3)
    assert below_average(interval, DayPrices(DAY), 10) is None
    for percent in (-1, float("nan")):
        with pytest.raises(ValueError, match="negative"):
            below_average(interval, day_of([0.3]), percent)


def test_noise_does_not_make_a_flat_day_below_its_average():
    """The average of equal prices is their price."""
    day = day_of([1 / 3] * 24)
    assert not any(below_average(interval, day, 0) for interval in day.intervals)


# Prices in steps of a hundredth of a cent, many of them equal or near each other.
priced = st.integers(-200, 300).map(lambda step: step / 10_000) | st.integers(
    -5_000, 10_000
).map(lambda step: step / 10_000)
lengths = st.sampled_from([QUARTER, QUARTER * 2, HOUR])


@st.composite
def days(draw, prices=st.none() | priced, gaps=True, max_size=30):
    """Return any part of a day: mixed lengths, gaps and unknown prices."""
    start = START
    intervals = []
    for price, length, gap in draw(
        st.lists(st.tuples(prices, lengths, st.booleans()), max_size=max_size)
    ):
        if gap and gaps:
            start += QUARTER
        intervals.append(Interval(start, start + length, price))
        start += length
    return DayPrices(DAY, tuple(intervals))


percents = st.floats(0, 50, allow_nan=False)


@st.composite
def any_thresholds(draw):
    """Return any thresholds that are allowed."""
    very_cheap, cheap = sorted(draw(st.tuples(percents, percents)))
    very_expensive, expensive = sorted(draw(st.tuples(percents, percents)))
    distance = st.integers(1, 500).map(lambda step: step / 10_000)
    near, far = sorted(draw(st.tuples(distance, distance)))
    return LevelThresholds(
        cheap_share=cheap,
        very_cheap_share=very_cheap,
        expensive_share=expensive,
        very_expensive_share=very_expensive,
        distance=near,
        very_distance=far,
    )


def price_of(standing):
    """Return the price of a standing, which is known."""
    assert standing.interval.price is not None
    return standing.interval.price


def shifted(day, function):
    """Return a day with another price in every priced interval."""
    return DayPrices(
        day.day,
        tuple(
            interval
            if interval.price is None
            else replace(interval, price=function(interval.price))
            for interval in day.intervals
        ),
    )


def places(levels):
    """Return the ranks and percentiles of a day."""
    return [(standing.rank, standing.percentile) for standing in levels.standings]


@given(days(), any_thresholds())
def test_agrees_with_the_definition(day, thresholds):
    """What is computed is what the definition says, said again the long way: minute by minute."""
    minutes = sorted(
        round(interval.price * 10_000)
        for interval in day.intervals
        if interval.price is not None
        for _ in range(int(interval.duration / timedelta(minutes=1)))
    )
    standings = all_of(day, thresholds)
    assert len(standings) == len(day.intervals)
    for interval, standing in zip(day.intervals, standings, strict=True):
        if interval.price is None:
            assert standing is None
            continue
        total = len(minutes)
        twice_middle = minutes[(total - 1) // 2] + minutes[total // 2]
        price = round(interval.price * 10_000)
        cheaper = sum(minute < price for minute in minutes)
        dearer = sum(minute > price for minute in minutes)
        near, far = (
            2 * round(distance * 10_000)
            for distance in (thresholds.distance, thresholds.very_distance)
        )
        below = twice_middle - 2 * price

        def within(time, share, total=total):
            # As the program rounds: to the microsecond.
            return timedelta(minutes=time) * 100 < timedelta(minutes=total) * share

        if below >= far and within(cheaper, thresholds.very_cheap_share):
            level = Level.VERY_CHEAP
        elif price < 0 or (below >= near and within(cheaper, thresholds.cheap_share)):
            level = Level.CHEAP
        elif below <= -far and within(dearer, thresholds.very_expensive_share):
            level = Level.VERY_EXPENSIVE
        elif below <= -near and within(dearer, thresholds.expensive_share):
            level = Level.EXPENSIVE
        else:
            level = Level.NORMAL
        assert standing.level is level
        assert standing.rank == 1 + sum(
            other.price is not None and other.price < interval.price
            for other in day.intervals
        )
        assert standing.percentile == pytest.approx(
            100 * (cheaper + (total - cheaper - dearer) / 2) / total
        )


@given(days(), any_thresholds())
def test_monotone(day, thresholds):
    """A cheaper price never stands worse, an equal one never differently."""
    standings = sorted(
        DayLevels.of(day, thresholds).standings,
        key=price_of,
    )
    for one, two in pairwise(standings):
        assert one.level <= two.level
        assert one.rank <= two.rank
        assert one.percentile <= two.percentile
        if price_of(one) == price_of(two):
            assert (one.level, one.rank, one.percentile) == (
                two.level,
                two.rank,
                two.percentile,
            )
            assert (one.ahead < two.ahead) == (one.interval.start < two.interval.start)


@given(days(), any_thresholds())
def test_below_zero_is_cheap_and_opposites_exclude_each_other(day, thresholds):
    """Whatever the thresholds, money for using energy is cheap."""
    for standing in DayLevels.of(day, thresholds).standings:
        assert not (standing.cheap and standing.expensive)
        if price_of(standing) < 0:
            assert standing.cheap
        assert 0 < standing.percentile < 100


@given(days(), st.integers(-10_000, 10_000))
def test_a_constant_changes_no_place_and_levels_only_through_zero(day, steps):
    """Rank and percentile never change; the level of a price does only where its old or new price is below zero."""
    before = DayLevels.of(day)
    after = DayLevels.of(shifted(day, lambda price: price + steps / 10_000))
    assert places(before) == places(after)
    for one, two in zip(before.standings, after.standings, strict=True):
        if round(price_of(one), 8) >= 0 and round(price_of(two), 8) >= 0:
            assert one.level is two.level


@given(days(), st.floats(0.001, 1000))
def test_a_factor_changes_no_place(day, factor):
    """Rank and percentile know no unit. Levels do: their distances are in EUR/kWh."""
    scaled = shifted(day, lambda price: price * round(factor, 3))
    assert places(DayLevels.of(scaled)) == places(DayLevels.of(day))


@given(days(prices=st.none() | priced.map(abs)))
def test_dear_mirrors_cheap(day):
    """Turning the prices upside down, above zero, turns the levels upside down."""
    upside_down = shifted(day, lambda price: 2 - price)
    for one, two in zip(
        DayLevels.of(day).standings, DayLevels.of(upside_down).standings, strict=True
    ):
        assert one.level + two.level == 2 * Level.NORMAL
        assert one.percentile + two.percentile == pytest.approx(100)


@given(days(prices=priced, gaps=False), st.floats(0, 30))
def test_the_length_of_intervals_is_only_notation(day, hours):
    """An hour says the same as its four quarters."""
    split = DayPrices(
        DAY,
        tuple(
            replace(interval, start=start, end=start + QUARTER)
            for interval in day.intervals
            for start in (
                interval.start + QUARTER * index
                for index in range(interval.duration // QUARTER)
            )
        ),
    )
    whole, quarters = DayLevels.of(day), DayLevels.of(split)
    for standing in quarters.standings:
        of_whole = whole.at(standing.interval.start)
        assert standing.level is of_whole.level
        assert standing.percentile == of_whole.percentile
    for one, two in (
        (whole.cheap_periods, quarters.cheap_periods),
        (whole.expensive_periods, quarters.expensive_periods),
    ):
        assert [(period.start, period.end) for period in one] == [
            (period.start, period.end) for period in two
        ]
    covered = {interval.start for interval in cheapest_hours(day, hours)}
    for standing in quarters.standings:
        if standing.among_cheapest(hours):
            assert whole.at(standing.interval.start).interval.start in covered


@given(
    st.lists(priced, min_size=2, max_size=30),
    st.lists(st.floats(1.01, 1e6), min_size=2, max_size=2),
    st.sampled_from([1, -1]),
)
def test_the_height_of_a_spike_does_not_matter(prices, spikes, sign):
    """How far the one extreme price is out changes nothing for the rest of the day."""
    small, great = (
        DayLevels.of(day_of([*prices, sign * spike])).standings[:-1] for spike in spikes
    )
    assert small == great


@given(days(), st.randoms(use_true_random=False))
def test_equal_prices_may_change_places(day, random):
    """Which of two equal prices comes first in the data makes no difference to either."""
    shuffled = list(day.intervals)
    random.shuffle(shuffled)
    assert DayLevels.of(DayPrices(DAY, tuple(shuffled))) == DayLevels.of(day)
    for hours in (1, 2.5):
        assert cheapest_hours(DayPrices(DAY, tuple(shuffled)), hours) == (
            cheapest_hours(day, hours)
        )


@given(days(), any_thresholds())
def test_periods_are_the_maximal_stretches(day, thresholds):
    """Every cheap interval is in exactly one period, nothing else is, and no two periods adjoin."""
    levels = DayLevels.of(day, thresholds)
    for periods, belongs in (
        (levels.cheap_periods, lambda standing: standing.cheap),
        (levels.expensive_periods, lambda standing: standing.expensive),
    ):
        assert [interval for period in periods for interval in period.intervals] == [
            standing.interval for standing in levels.standings if belongs(standing)
        ]
        assert all(
            one.end == two.start
            for period in periods
            for one, two in pairwise(period.intervals)
        )
        assert all(one.end < two.start for one, two in pairwise(periods))
        assert join_periods(periods) == periods


@given(days(), st.floats(-1, 30))
@example(day_of([0.3] * 24), 4.0)
def test_cheapest_hours_are_enough_and_cheapest(day, hours):
    """The choice is sufficient, not more by one interval than needed, and nothing cheaper was left out."""
    chosen = cheapest_hours(day, hours)
    known = [interval for interval in day.intervals if interval.price is not None]
    assert chosen <= set(known)
    time = sum((interval.duration for interval in chosen), timedelta())
    assert time / HOUR >= hours or len(chosen) == len(known)
    if chosen:
        last = max(chosen, key=lambda interval: (interval.price, interval.start))
        assert (time - last.duration) / HOUR < hours
        for interval in set(known) - chosen:
            assert (interval.price, interval.start) > (last.price, last.start)
    levels = DayLevels.of(day)
    assert chosen == {
        standing.interval
        for standing in levels.standings
        if standing.among_cheapest(hours)
    }


@given(
    days(
        prices=st.none()
        | st.floats(-1e9, 1e9)
        | st.sampled_from([float("inf"), float("-inf"), float("nan"), 1e308, 5e-324])
    ),
    st.floats(),
)
def test_never_raises(day, hours):
    """No day is too strange."""
    levels = DayLevels.of(day)
    assert len(levels.standings) == sum(
        interval.price is not None for interval in day.intervals
    )
    assert levels.at(START) is None or levels.at(START).level in Level
    cheapest_hours(day, hours)


@given(days(prices=st.none() | st.floats(-100, 100)), st.floats(0, 1e6))
def test_below_average_never_raises_and_never_holds_for_all(day, percent):
    """Something is always at the average or above."""
    answers = [below_average(interval, day, percent) for interval in day.intervals]
    assert [answer is None for answer in answers] == [
        interval.price is None for interval in day.intervals
    ]
    known = [answer for answer in answers if answer is not None]
    assert not known or not all(known)


def test_a_period_has_its_own_average_by_time():
    """The average weighs by time, and is unknown when no price is."""
    one = Interval(START, START + HOUR, 0.2)
    two = Interval(START + HOUR, START + HOUR + QUARTER, 0.3)
    assert Period((one, two)).average == pytest.approx(0.22)
    assert Period((replace(one, price=None),)).average is None
