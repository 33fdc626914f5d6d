"""Property tests that hold for the periods of any prices."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, strategies as st

from custom_components.nomos.pricing import (
    Interval,
    LevelThresholds,
    PeriodKind,
    PeriodLimits,
    PriceTable,
    TableLevels,
    day_bounds,
    local_date,
)
from tests.pricing.test_levels import HOUR, QUARTER
from tests.pricing.test_levels_laws import cents, thresholds_any
from tests.usage.samples import property_test

NOTHING = timedelta()
MIDNIGHTS = [
    day_bounds(day)[1]
    for day in (
        date(2026, 6, 1),
        date(2026, 3, 28),
        date(2026, 3, 29),
        date(2026, 10, 24),
        date(2026, 10, 25),
    )
]

kinds = st.sampled_from(PeriodKind)
limits_any = st.builds(
    PeriodLimits,
    shortest=st.integers(0, 10).map(lambda number: number * QUARTER / 2),
    bridged=st.integers(0, 10).map(lambda number: number * QUARTER / 2),
    most=st.sampled_from([None, 1, 2, 3]),
)
prices_any = st.none() | cents(-200, 900)


@st.composite
def tables(draw):
    """Draw prices around midnight: mixed lengths, gaps, unknown and equal prices, many near zero."""
    length = st.sampled_from([QUARTER, QUARTER, QUARTER * 2, HOUR])
    gap = st.sampled_from([NOTHING] * 8 + [QUARTER])
    start = draw(st.sampled_from(MIDNIGHTS)) - draw(st.integers(0, 40)) * QUARTER
    intervals = []
    for price, long, pause in draw(
        st.lists(st.tuples(prices_any, length, gap), max_size=60)
    ):
        intervals.append(Interval(start, start + long, price))
        start += long + pause
    return PriceTable(tuple(intervals))


def ratings_in(levels, start, end):
    """Return the ratings of the intervals between two instants."""
    return [
        rating
        for day in levels.table.days
        for rating in levels.day(day)
        if start <= rating.interval.start < end
    ]


def time_of(ratings):
    """Return the total duration of intervals."""
    return sum((one.interval.duration for one in ratings), NOTHING)


def held(periods, instant):
    """Return whether an instant is in one of the periods."""
    return any(one.start <= instant < one.end for one in periods)


def runs(flags):
    """Return the durations of consecutive intervals whose flag is false."""
    found = [NOTHING]
    for holds, length in flags:
        found = [*found, NOTHING] if holds else [*found[:-1], found[-1] + length]
    return found


@property_test
@given(tables(), thresholds_any, kinds, limits_any)
def test_definition_of_a_period(table, thresholds, kind, limits):
    """It is long enough, known throughout, starts and ends with its kind, and all gaps in it may be bridged."""
    levels = TableLevels(table, thresholds, limits)
    for period in levels.periods(kind):
        inside = ratings_in(levels, period.start, period.end)
        assert time_of(inside) == period.end - period.start >= limits.shortest
        assert kind.holds(inside[0])
        assert kind.holds(inside[-1])
        assert all(kind.holds(one) or kind.bridges(one) for one in inside)
        gaps = runs((kind.holds(one), one.interval.duration) for one in inside)
        assert max(gaps) <= limits.bridged


@property_test
@given(tables(), thresholds_any, kinds, limits_any)
def test_nothing_is_missing(table, thresholds, kind, limits):
    """Each interval of the kind is in a period, or dropped with one that is too short; all possible joins are made."""
    levels = TableLevels(table, thresholds, replace(limits, most=None))
    of_any_length = TableLevels(
        table,
        thresholds,
        PeriodLimits(shortest=NOTHING, bridged=limits.bridged, most=None),
    ).periods(kind)
    assert levels.periods(kind) == tuple(
        one for one in of_any_length if one.end - one.start >= limits.shortest
    )
    for day in table.days:
        for rating in levels.day(day):
            assert not kind.holds(rating) or held(of_any_length, rating.interval.start)
    for one, two in pairwise(of_any_length):
        between = ratings_in(levels, one.end, two.start)
        assert (
            two.start - one.end > limits.bridged
            or time_of(between) < two.start - one.end
            or not all(kind.bridges(rating) for rating in between)
        )


@property_test
@given(tables(), thresholds_any, kinds)
def test_without_limits_periods_are_exact(table, thresholds, kind):
    """Without limits, exactly the intervals of the kind are in periods, and no two periods adjoin."""
    none = PeriodLimits(shortest=NOTHING, bridged=NOTHING, most=None)
    levels = TableLevels(table, thresholds, none)
    periods = levels.periods(kind)
    for interval in table.intervals:
        rating = levels.at(interval.start)
        expected = None if rating is None else kind.holds(rating)
        assert levels.within(kind, interval.start) is expected
    assert all(one.end < two.start for one, two in pairwise(periods))


@property_test
@given(tables(), thresholds_any, kinds, limits_any)
def test_more_prices_only_add(table, thresholds, kind, limits):
    """Whatever becomes known of the next day, everything in a period stays in one: nothing flickers."""
    for days in range(len(tuple(table.days))):
        last = tuple(table.days)[days]
        known = PriceTable(
            tuple(one for one in table.intervals if local_date(one.start) <= last)
        )
        before = TableLevels(known, thresholds, limits).periods(kind)
        after = TableLevels(table, thresholds, limits).periods(kind)
        for one in before:
            assert any(two.start <= one.start < one.end <= two.end for two in after)


@property_test
@given(tables(), thresholds_any, kinds, limits_any)
def test_no_day_has_more_than_most(table, thresholds, kind, limits):
    """Not even counting one that ends at midnight; only a part that the day before left out may be missing."""
    if limits.most is None:
        return
    unlimited = TableLevels(table, thresholds, replace(limits, most=None))
    stretches = unlimited.periods(kind)
    periods = TableLevels(table, thresholds, limits).periods(kind)
    for day in table.days:
        begins, ends = day_bounds(day)
        touching = [one for one in periods if one.end >= begins and one.start < ends]
        assert len(touching) <= limits.most
        switches = [
            at for one in periods for at in (one.start, one.end) if begins <= at < ends
        ]
        assert len(switches) <= 2 * limits.most
    for one in periods:
        assert any(
            two.start <= one.start
            and one.end == two.end
            and (
                two.start == one.start or local_date(two.start) < local_date(one.start)
            )
            for two in stretches
        )


@property_test
@given(tables(), thresholds_any, limits_any)
def test_no_time_is_cheap_and_expensive(table, thresholds, limits):
    """This includes bridged gaps."""
    levels = TableLevels(table, thresholds, limits)
    for interval in table.intervals:
        both = [levels.within(kind, interval.start) for kind in PeriodKind]
        assert both != [True, True]


@property_test
@given(tables(), kinds, limits_any, limits_any)
def test_limits_are_monotone(table, kind, one, two):
    """Longer bridges or shorter minimum periods never remove a period."""
    strict = PeriodLimits(
        shortest=max(one.shortest, two.shortest),
        bridged=min(one.bridged, two.bridged),
        most=None,
    )
    thresholds = LevelThresholds()
    lax = TableLevels(table, thresholds, replace(one, most=None))
    for period in TableLevels(table, thresholds, strict).periods(kind):
        assert any(
            other.start <= period.start and period.end <= other.end
            for other in lax.periods(kind)
        )
