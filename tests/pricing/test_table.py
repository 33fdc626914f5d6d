"""Tests of the price table."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.pricing import (
    EMPTY_TABLE,
    Components,
    DayPrices,
    Interval,
    PriceTable,
    day_bounds,
)
from tests.usage.samples import property_test

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def interval(start, price, length=QUARTER):
    """Return an interval."""
    return Interval(start, start + length, price)


def day_table(day, price=lambda index: index / 1000, length=QUARTER):
    """Return a table that holds one whole day."""
    start, end = day_bounds(day)
    count = (end - start) // length
    return PriceTable.of(
        interval(start + length * index, price(index), length) for index in range(count)
    )


def test_at_is_half_open():
    """An interval begins with its start and ends before its end."""
    table = PriceTable.of([interval(NOON, 0.1), interval(NOON + QUARTER, 0.2)])
    assert table.at(NOON - timedelta(microseconds=1)) is None
    assert table.at(NOON).price == 0.1
    assert table.at(NOON + QUARTER - timedelta(microseconds=1)).price == 0.1
    assert table.at(NOON + QUARTER).price == 0.2
    assert table.at(NOON + 2 * QUARTER) is None


def test_after_does_not_jump_over_a_gap():
    """Only an adjoining interval counts as the next one."""
    table = PriceTable.of([interval(NOON, 0.1), interval(NOON + 2 * QUARTER, 0.3)])
    assert table.after(NOON) is None
    assert table.after(NOON + QUARTER) is None
    assert EMPTY_TABLE.after(NOON) is None


def test_next_boundary():
    """Starts and ends are boundaries, even around a gap."""
    gap_end = NOON + 3 * QUARTER
    table = PriceTable.of([interval(NOON, 0.1), interval(gap_end, 0.3)])
    assert table.next_boundary(NOON - HOUR) == NOON
    assert table.next_boundary(NOON) == NOON + QUARTER
    assert table.next_boundary(NOON + QUARTER) == gap_end
    assert table.next_boundary(gap_end) == gap_end + QUARTER
    assert table.next_boundary(gap_end + QUARTER) is None
    assert EMPTY_TABLE.next_boundary(NOON) is None


@pytest.mark.parametrize(
    "intervals",
    [
        [interval(NOON, 0.1, HOUR), interval(NOON + QUARTER, 0.2)],
        [interval(NOON, 0.1, -QUARTER)],
        [interval(NOON, 0.1, timedelta())],
    ],
)
def test_of_refuses_overlap(intervals):
    """Overlap and empty intervals are programming errors."""
    with pytest.raises(ValueError, match=r"overlap|end after"):
        PriceTable.of(intervals)


def test_horizon_is_the_end_of_what_is_known():
    """Unknown prices do not count."""
    table = PriceTable.of([interval(NOON, 0.1), interval(NOON + QUARTER, None)])
    assert table.horizon == NOON + QUARTER
    assert EMPTY_TABLE.horizon is None


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2026, 3, 29), 92), (date(2026, 6, 1), 96), (date(2026, 10, 25), 100)],
)
def test_complete_by_count_and_by_value(day, count):
    """A day is complete with every interval of its length, and with every price."""
    table = day_table(day)
    whole = table.day(day)
    assert len(whole.intervals) == count
    assert whole.complete
    for index in (0, count // 2, count - 1):
        without = list(table.intervals)
        missing = without.pop(index)
        assert not PriceTable.of(without).day(day).complete
        unpriced = Interval(missing.start, missing.end, None)
        assert not PriceTable.of([*without, unpriced]).day(day).complete
    assert day_table(day, length=HOUR).day(day).complete
    assert not table.day(day + timedelta(days=1)).complete


def test_statistics():
    """Among equals, the earliest is the lowest or highest; unknown prices are left out."""
    prices = [0.3, -0.1, 0.5, None, -0.1, 0.5]
    table = PriceTable.of(
        interval(NOON + QUARTER * index, price) for index, price in enumerate(prices)
    )
    day = table.day(date(2026, 6, 1))
    assert day.lowest.start == NOON + QUARTER
    assert day.highest.start == NOON + 2 * QUARTER
    assert day.average == pytest.approx(1.1 / 5)


def test_average_weighs_by_time():
    """An hour counts four times as much as a quarter-hour."""
    table = PriceTable.of([interval(NOON, 0.4, HOUR), interval(NOON + HOUR, 0.0)])
    assert table.day(date(2026, 6, 1)).average == pytest.approx(0.32)


def test_statistics_of_nothing():
    """A day without prices has none."""
    day = DayPrices(date(2026, 6, 1))
    assert (day.lowest, day.highest, day.average, day.complete) == (None,) * 3 + (
        False,
    )


def test_merge_keeps_what_is_known():
    """Partial, empty and unknown responses remove nothing; corrections replace."""
    known = PriceTable.of([interval(NOON, 0.1), interval(NOON + QUARTER, 0.2)])
    assert known.merge(EMPTY_TABLE) is known
    assert known.merge(PriceTable.of([interval(NOON, None)])) is known
    assert known.merge(PriceTable.of([interval(NOON, 0.1)])) is known
    corrected = known.merge(PriceTable.of([interval(NOON, 0.15)]))
    assert [one.price for one in corrected.intervals] == [0.15, 0.2]
    assert [one.price for one in known.intervals] == [0.1, 0.2]


def test_merge_takes_the_newer_parts_of_an_unknown_price():
    """Components may be known before the price is."""
    before = PriceTable.of([interval(NOON, None)])
    parts = Interval(NOON, NOON + QUARTER, None, Components(grid=0.1))
    assert before.merge(PriceTable.of([parts])).intervals == (parts,)


def test_merge_keeps_the_parts_of_the_same_price():
    """Components that only one of two equal prices has are kept; those of another price are not mixed in."""
    at = datetime(2026, 6, 10, 8, tzinfo=UTC)
    known = Interval(at, at + QUARTER, 0.3, Components(0.1, 0.15, 0.05))
    older = PriceTable.of([known])
    for parts in (Components(), Components(electricity=0.1), Components(levies=0.05)):
        newer = PriceTable.of([replace(known, components=parts)])
        assert older.merge(newer) is older
    fewer = replace(known, components=Components(grid=0.16))
    merged = older.merge(PriceTable.of([fewer]))
    assert merged.intervals[0].components == Components(0.1, 0.16, 0.05)
    higher = replace(known, price=0.31, components=Components(electricity=0.11))
    assert older.merge(PriceTable.of([higher])).intervals == (higher,)
    longer = replace(known, end=at + 4 * QUARTER, components=Components())
    assert older.merge(PriceTable.of([longer])).intervals == (longer,)


def test_spans_reaches_over_gaps():
    """A table spans from its first start to its last end, including gaps."""
    at = datetime(2026, 6, 10, 8, tzinfo=UTC)
    table = PriceTable.of(
        Interval(start, start + QUARTER, 0.3) for start in (at, at + 3 * QUARTER)
    )
    tick = timedelta(microseconds=1)
    moments = [at - tick, at, at + QUARTER, at + 4 * QUARTER - tick, at + 4 * QUARTER]
    assert [table.spans(moment) for moment in moments] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert not EMPTY_TABLE.spans(at)


def test_knows_every_price_of_a_range():
    """A range is known without gaps and unknown prices; an empty table knows nothing, but an empty range is known."""
    at = datetime(2026, 6, 10, 8, tzinfo=UTC)
    quarters = [
        Interval(at + n * QUARTER, at + (n + 1) * QUARTER, 0.3) for n in range(8)
    ]
    table = PriceTable.of(quarters)
    end = at + 8 * QUARTER
    tick = timedelta(microseconds=1)
    assert table.knows(at, end)
    assert table.knows(at + tick, end - tick)
    assert not table.knows(at - tick, end)
    assert not table.knows(at, end + tick)
    assert not PriceTable.of(quarters[:3] + quarters[4:]).knows(at, end)
    unknown = replace(quarters[3], price=None)
    holed = PriceTable.of([*quarters[:3], unknown, *quarters[4:]])
    assert not holed.knows(at, end)
    assert holed.knows(at, at + 3 * QUARTER)
    assert not EMPTY_TABLE.knows(at, end)
    assert EMPTY_TABLE.knows(at, at)


def test_merge_of_resolutions():
    """A quarter-hour replaces its part of a known hour, and the rest of the hour stays known."""
    hourly = PriceTable.of([interval(NOON, 0.4, HOUR)])
    merged = hourly.merge(PriceTable.of([interval(NOON + QUARTER, 0.1)]))
    assert [(one.start, one.end, one.price) for one in merged.intervals] == [
        (NOON, NOON + QUARTER, 0.4),
        (NOON + QUARTER, NOON + 2 * QUARTER, 0.1),
        (NOON + 2 * QUARTER, NOON + HOUR, 0.4),
    ]


def test_since_drops_the_past():
    """The current interval is kept; if nothing is dropped, the table is the same object."""
    table = PriceTable.of([interval(NOON, 0.1), interval(NOON + QUARTER, 0.2)])
    assert table.since(NOON + timedelta(minutes=14)) is table
    assert len(table.since(NOON + QUARTER).intervals) == 1


def test_between_keeps_what_touches():
    """An interval that only touches an end of the range is outside it."""
    table = PriceTable.of(interval(NOON + QUARTER * index, 0.1) for index in range(4))
    minute = timedelta(minutes=1)
    middle = table.between(NOON + QUARTER, NOON + 3 * QUARTER)
    assert middle.intervals == table.intervals[1:3]
    wider = table.between(NOON + QUARTER - minute, NOON + 3 * QUARTER + minute)
    assert wider == table
    assert table.between(NOON + 4 * QUARTER, NOON + 5 * QUARTER) == EMPTY_TABLE


LENGTHS = st.sampled_from([QUARTER, 2 * QUARTER, HOUR])


@st.composite
def tables(draw):
    """Draw a table of quarters, half hours and hours with gaps and unknown prices."""
    cursor, found = NOON, []
    for _ in range(draw(st.integers(0, 8))):
        cursor += QUARTER * draw(st.integers(0, 3))
        length = draw(LENGTHS)
        found.append(interval(cursor, draw(st.sampled_from([None, 0.1, 0.2])), length))
        cursor += length
    return PriceTable.of(found)


@property_test
@given(tables(), st.integers(-2, 60), st.integers(1, 30))
def test_between_leaves_out_what_does_not_touch(table, first, count):
    """This holds for any range and any gaps."""
    start = NOON + first * timedelta(minutes=5)
    end = start + count * timedelta(minutes=5)
    assert table.between(start, end).intervals == tuple(
        one for one in table.intervals if one.end > start and one.start < end
    )


@property_test
@given(tables(), tables())
def test_merge_instant_by_instant(older, newer):
    """At every instant the merged price is the newer one if known, else the older one."""
    merged = older.merge(newer)
    assert all(one.end <= two.start for one, two in pairwise(merged.intervals))
    for step in range(8 * 7 * 2):
        instant = NOON + step * QUARTER / 2
        expected = [
            found.price
            for table in (newer, older)
            if (found := table.at(instant)) and found.price is not None
        ]
        found = merged.at(instant)
        assert (found.price if found else None) == (expected[0] if expected else None)
        covered = older.at(instant) or newer.at(instant)
        assert (found is None) == (covered is None)


@property_test
@given(tables())
def test_merge_with_itself_changes_nothing(table):
    """The same object is returned, so that nothing looks new."""
    assert table.merge(table) is table
    assert table.merge(EMPTY_TABLE) is table


@property_test
@given(tables(), st.lists(st.lists(st.integers(0, 60), max_size=10), max_size=4))
def test_partial_views_of_one_truth_merge_in_any_order(truth, views):
    """Responses with different parts of the same prices give the same table in any order."""
    parts = [
        PriceTable(
            tuple(one for number, one in enumerate(truth.intervals) if number in view)
        )
        for view in views
    ]
    forward = backward = EMPTY_TABLE
    for part in parts:
        forward = forward.merge(part)
    for part in reversed(parts):
        backward = backward.merge(part)
    assert forward == backward


@property_test
@given(tables(), tables())
def test_merge_twice_is_merge_once(older, newer):
    """Merging the same response again changes nothing."""
    merged = older.merge(newer)
    assert merged.merge(newer) is merged


@property_test
@given(tables(), tables())
def test_merge_loses_and_invents_nothing(older, newer):
    """All known time is still known, and every known price comes from one of the two."""

    def known_time(table):
        return sum(
            (one.duration for one in table.intervals if one.price is not None),
            timedelta(),
        )

    merged = older.merge(newer)
    assert known_time(merged) >= max(known_time(older), known_time(newer))
    prices = {one.price for one in (*older.intervals, *newer.intervals)}
    assert {one.price for one in merged.intervals} <= prices
