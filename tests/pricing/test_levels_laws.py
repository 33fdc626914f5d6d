"""Property tests that hold for the levels of any day, and for other choices within it."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.pricing import (
    DayPrices,
    Interval,
    Level,
    below_average,
    rate_day,
)
from tests.pricing.test_levels import (
    DAY,
    HOUR,
    QUARTER,
    START,
    day_of,
    drawing_of,
    positions,
    ratings_of,
    thresholds_of,
)
from tests.usage.samples import property_test


def cents(least, most):
    """Draw prices in steps of a hundredth of a cent."""
    return st.integers(least, most).map(lambda step: step / 10_000)


def pairs(values):
    """Draw two values, the lower one first."""
    return st.tuples(values, values).map(sorted)


@st.composite
def days(draw, prices=st.none() | cents(-200, 300) | cents(-5_000, 10_000)):
    """Draw any part of a day: mixed lengths, gaps, unknown prices, and many close or equal ones."""
    lengths = st.sampled_from([QUARTER, QUARTER * 2, HOUR])
    gaps = st.sampled_from([timedelta(), QUARTER])
    start, intervals = START, []
    parts = st.lists(st.tuples(prices, lengths, gaps), max_size=30)
    for price, length, gap in draw(parts):
        start += gap + length
        intervals.append(Interval(start - length, start, price))
    return DayPrices(DAY, tuple(intervals))


shares = pairs(st.floats(0, 50))
thresholds_any = st.builds(
    thresholds_of,
    shares,
    shares,
    pairs(cents(1, 500)),
    st.just(0.0) | cents(1, 700),
)


def shifted(day, function):
    """Return a day with changed known prices."""
    prices = [
        None if interval.price is None else function(interval.price)
        for interval in day.intervals
    ]
    moved = zip(day.intervals, prices, strict=True)
    return DayPrices(DAY, tuple(replace(one, price=price) for one, price in moved))


@property_test
@given(days(), thresholds_any)
def test_agrees_with_the_definition(day, thresholds):
    """The result agrees with the definition, evaluated minute by minute."""
    known = [interval for interval in day.intervals if interval.price is not None]
    ratings = ratings_of(day, thresholds)
    assert [rating.interval for rating in ratings] == known
    minutes = sorted(
        round(interval.price * 10_000)
        for interval in known
        for _ in range(interval.duration // timedelta(minutes=1))
    )
    total = len(minutes)

    def within(time, share):
        # To the microsecond, as the program rounds.
        return timedelta(minutes=time) * 100 < timedelta(minutes=total) * share

    near = round(thresholds.distance * 10_000)
    far = round(thresholds.very_distance * 10_000)
    sure = round(thresholds.sure_distance * 10_000)

    def stands_out(distance, time, share):
        return distance >= near and (
            within(time, share) or (share > 0 and 0 < sure <= distance)
        )

    for interval, rating in zip(known, ratings, strict=True):
        price = round(interval.price * 10_000)
        cheaper = sum(minute < price for minute in minutes)
        higher = sum(minute > price for minute in minutes)
        below = (minutes[(total - 1) // 2] + minutes[total // 2]) / 2 - price
        if below >= far and within(cheaper, thresholds.very_cheap_share):
            level = Level.VERY_CHEAP
        elif price < 0 or stands_out(below, cheaper, thresholds.cheap_share):
            level = Level.CHEAP
        elif below <= -far and within(higher, thresholds.very_expensive_share):
            level = Level.VERY_EXPENSIVE
        elif stands_out(-below, higher, thresholds.expensive_share):
            level = Level.EXPENSIVE
        else:
            level = Level.NORMAL
        assert rating.level is level
        assert rating.below == pytest.approx(below / 10_000)
        assert rating.rank == 1 + sum(other.price < interval.price for other in known)
        percentile = 50 * (total + cheaper - higher) / total
        assert rating.percentile == pytest.approx(percentile)


@property_test
@given(days(), thresholds_any)
def test_monotone(day, thresholds):
    """A lower price is never rated worse, an equal one never differently; a negative one is cheap."""
    ratings = ratings_of(day, thresholds)
    for one in ratings:
        assert one.interval.price >= 0 or one.cheap
        for two in ratings:
            if one.interval.price == two.interval.price:
                assert replace(one, interval=two.interval, ahead=two.ahead) == two
            elif one.interval.price < two.interval.price:
                assert one.level <= two.level
                assert one.rank < two.rank
                assert 0 < one.percentile < two.percentile < 100


@property_test
@given(days(), st.integers(-10_000, 10_000))
def test_an_offset_changes_levels_only_around_zero(day, steps):
    """Rank and percentile never change; a level does only if the old or the new price is negative."""
    moved = shifted(day, lambda price: round(price + steps / 10_000, 8))
    assert positions(moved) == positions(day)
    for one, two in zip(ratings_of(day), ratings_of(moved), strict=True):
        if one.interval.price >= 0 and two.interval.price >= 0:
            assert one.level is two.level


@property_test
@given(days(prices=st.none() | cents(0, 5_000)))
def test_expensive_mirrors_cheap(day):
    """Mirroring the prices, above zero, mirrors the levels."""
    mirror = str.maketrans("CceE", "EecC")
    assert drawing_of(shifted(day, lambda price: 1 - price)) == drawing_of(
        day
    ).translate(mirror)


@property_test
@given(
    st.lists(cents(-300, 5_000), min_size=2, max_size=30),
    pairs(st.floats(1, 1e6)),
    st.sampled_from([1, -1]),
)
def test_the_height_of_a_spike_does_not_matter(prices, spikes, sign):
    """The height of a single extreme price changes nothing for the rest of the day."""
    small, great = (ratings_of(day_of([*prices, sign * spike])) for spike in spikes)
    assert small[:-1] == great[:-1]


@property_test
@given(days(), st.randoms(use_true_random=False))
def test_order_of_the_data_does_not_matter(day, random):
    """The order of two equal prices makes no difference to either."""
    shuffled = replace(day, intervals=random.sample(day.intervals, len(day.intervals)))
    assert rate_day(shuffled) == rate_day(day)


@property_test
@given(days(), st.floats(-1, 30))
def test_cheapest_hours_are_enough_and_cheapest(day, hours):
    """The choice is sufficient, its last interval was needed, and nothing cheaper or earlier was left out."""
    ordered = sorted(ratings_of(day), key=lambda one: (one.interval.price, one.ahead))
    chosen = [one.interval for one in ordered if one.among_cheapest(hours)]
    assert chosen == [one.interval for one in ordered[: len(chosen)]]
    for one, two in pairwise(ordered):
        assert two.ahead == one.ahead + one.interval.duration
        if one.rank == two.rank:
            assert one.interval.start < two.interval.start
    time = sum((interval.duration for interval in chosen), timedelta())
    assert time / HOUR >= hours or len(chosen) == len(ordered)
    assert not chosen or (time - chosen[-1].duration) / HOUR < hours


@property_test
@given(days(prices=st.none() | st.floats()))
def test_never_raises(day):
    """There is a result for any day."""
    assert drawing_of(day).count("?") == [one.price for one in day.intervals].count(
        None
    )


@property_test
@given(days(prices=st.none() | st.floats(-100, 100)), st.floats(0, 1e6))
def test_not_all_are_below_average(day, percent):
    """Something is always at the average or above."""
    answers = {below_average(one, day, percent) for one in day.intervals}
    assert True not in answers or False in answers
