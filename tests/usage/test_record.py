"""Tests of the usage record and its file."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.api import MeterType
from custom_components.nomos.codec import decode, encode
from custom_components.nomos.usage.record import (
    EMPTY_RECORD,
    MonthAnswer,
    MonthState,
    MonthStatus,
    UsageRecord,
)
from tests.usage.samples import DAY, FIRST, FULL, day_usage, paths, property_test

TODAY = date(2026, 6, 20)
APRIL, MAY, JUNE = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)
MARCH = [FIRST + number * DAY for number in range(31)]

SET_ASIDE = (LookupError, TypeError, ValueError, OverflowError, OSError)
"""Errors that make the store set a file aside as unreadable."""


def stored(record: UsageRecord) -> Any:
    """Return a record as if read from disk."""
    return json.loads(json.dumps(encode(record)))


@pytest.mark.parametrize("record", [EMPTY_RECORD, FULL])
def test_round_trip(record):
    """A record is read as it was written."""
    assert decode(UsageRecord, stored(record)) == record


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(["", "usage", "2026-03-01", "9999-12-31", "smart", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["usage", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@property_test
@given(st.sampled_from(paths(stored(FULL))[1:]), JUNK, st.booleans())
def test_damage_is_noticed_or_harmless(path, junk, remove):
    """Any file is either read or set aside, without any other error."""
    damaged = deepcopy(stored(FULL))
    node = damaged
    for key in path[:-1]:
        node = node[key]
    if remove:
        del node[path[-1]]
    else:
        node[path[-1]] = junk
    try:
        record = decode(UsageRecord, damaged)
    except SET_ASIDE:
        return
    # A record that was read can be written, and is then read as the same record.
    assert decode(UsageRecord, stored(record)) == record


@property_test
@given(JUNK.filter(lambda junk: junk != {}))
def test_arbitrary_contents(junk):
    """A file may contain anything; only an empty object is an empty record."""
    with pytest.raises(SET_ASIDE):
        decode(UsageRecord, junk)


@pytest.mark.parametrize("place", ["kwh", "total"])
def test_numbers_are_finite(place):
    """A total that is not finite would spoil all later sums."""
    damaged = stored(FULL)
    if place == "kwh":
        damaged["days"][FIRST.isoformat()][1] = float("nan")
    else:
        damaged["invoice"]["total"] = True
    with pytest.raises(ValueError):
        decode(UsageRecord, damaged)


def answer_of(*days: date, **changes: Any) -> MonthAnswer:
    """Return the response for some days."""
    return MonthAnswer(
        meter=MeterType.SMART,
        days={day: day_usage(day, digest=999, **changes) for day in days},
        readings=96 * len(days),
    )


def incomplete(tried_on: date, readings: int | None, **changes: Any) -> MonthState:
    """Return the state of an incomplete month."""
    values = {"since": TODAY, "readings": readings} | changes
    return MonthState(MonthStatus.INCOMPLETE, tried_on, **values)


def test_months():
    """Days are added in order, and months are settled."""
    settled = MonthState(MonthStatus.SETTLED, TODAY)
    record = EMPTY_RECORD.with_month(FIRST, APRIL, answer_of(*MARCH), TODAY)
    assert (record.months, record.settled_to) == ({FIRST: settled}, APRIL)
    skipped = record.with_month(JUNE, TODAY, answer_of(JUNE), TODAY)
    assert skipped.months[JUNE] == MonthState(MonthStatus.OPEN, TODAY)
    assert skipped.settled_to == APRIL
    closed = skipped.with_month(APRIL, MAY, answer_of(APRIL), TODAY)
    assert list(closed.days) == [*MARCH, APRIL, JUNE]
    assert closed.settled_to == MAY
    assert closed.days[JUNE] == day_usage(JUNE, digest=999)
    assert EMPTY_RECORD.settled_to is None


def test_a_month_with_a_gap():
    """It is requested again, without changes to other months, until it is complete or a year has passed."""
    record = EMPTY_RECORD.with_month(FIRST, APRIL, answer_of(*MARCH[1:]), TODAY)
    assert record.months == {FIRST: incomplete(TODAY, 30 * 96)}
    assert record.settled_to == APRIL
    # A response with fewer readings changes nothing.
    later = TODAY + 7 * DAY
    again = record.with_month(FIRST, APRIL, MonthAnswer(), later)
    assert again.months == {FIRST: incomplete(later, 30 * 96)}
    whole = again.with_month(FIRST, APRIL, answer_of(*MARCH), later)
    assert whole.status(FIRST) is MonthStatus.SETTLED
    for days, status in ((364, MonthStatus.INCOMPLETE), (365, MonthStatus.SETTLED)):
        assert again.pruned(TODAY + days * DAY).status(FIRST) is status
    assert again.reset().months == {}


def test_a_month_without_prices():
    """A price that is missing twice is given up, as are those of a contract without prices."""
    unpriced = answer_of(*MARCH, cost=None)
    record = EMPTY_RECORD.with_month(FIRST, APRIL, unpriced, TODAY)
    assert record.months == {FIRST: incomplete(TODAY, 31 * 96, unpriced=True)}
    again = record.with_month(FIRST, APRIL, unpriced, TODAY)
    assert again.status(FIRST) is MonthStatus.SETTLED
    none = replace(unpriced, no_prices=True)
    record = EMPTY_RECORD.with_month(FIRST, APRIL, none, TODAY)
    assert record.status(FIRST) is MonthStatus.SETTLED


@pytest.mark.parametrize(
    ("state", "readings", "says_nothing_new"),
    [
        (MonthState(MonthStatus.OPEN, TODAY), 0, False),
        (incomplete(TODAY, None), 0, False),
        (incomplete(TODAY, 5), 4, True),
        (incomplete(TODAY, 5), 5, True),
        (incomplete(TODAY, 5), 6, False),
        (incomplete(TODAY, 5, unpriced=True), 4, True),
        (incomplete(TODAY, 5, unpriced=True), 5, False),
    ],
)
def test_a_response_without_news(state, readings, says_nothing_new):
    """A response with fewer readings is ignored; one with as many counts if a price was missing."""
    assert state.has_all_of(readings) is says_nothing_new


def test_a_month_that_fails():
    """An open month stays as it is; any other is skipped and becomes incomplete."""
    record = EMPTY_RECORD.with_month(JUNE, TODAY, answer_of(JUNE), TODAY)
    assert record.with_failure(JUNE, TODAY, transient=True) == record
    failed = record.with_failure(APRIL, TODAY, transient=True)
    assert failed.months[APRIL] == incomplete(TODAY, None)
    refused = record.with_failure(APRIL, TODAY, transient=False)
    assert refused.months[APRIL] == incomplete(TODAY, 0)
    later = TODAY + DAY
    again = failed.with_failure(APRIL, later, transient=True)
    assert again.months[APRIL] == incomplete(later, None)
    # The first response counts as it would have without the failure.
    found = again.with_month(APRIL, MAY, answer_of(APRIL), later)
    assert found.months[APRIL] == incomplete(later, 96, since=later)


def test_an_unsuitable_response_keeps_the_meter():
    """The kind of the meter stays known."""
    record = FULL.with_month(FIRST, FIRST + DAY, MonthAnswer(), FIRST + 9 * DAY)
    assert record.meter is MeterType.SMART
    assert record.days == FULL.days


def test_days_that_are_not_written():
    """They are shown, and their month is requested again."""
    record = EMPTY_RECORD.with_month(JUNE, TODAY, answer_of(JUNE), TODAY)
    record = record.with_unwritten(JUNE, answer_of(JUNE + DAY))
    assert list(record.days) == [JUNE, JUNE + DAY]
    assert record.months == {}


def test_pruning():
    """Days of settled months are dropped; days that may still change are kept, however old."""
    assert FULL.pruned(MAY).days == FULL.days
    assert FULL.pruned(TODAY).days == FULL.days
    settled = FULL.with_month(FIRST, APRIL, answer_of(*MARCH), TODAY)
    settled = settled.with_month(MAY, JUNE, answer_of(MAY), TODAY)
    assert list(settled.pruned(TODAY).days) == [MAY]


def test_reset():
    """The days are still shown, but every month has to be written again."""
    record = FULL.reset()
    assert record.synced_on is record.settled_to is None
    assert (record.months, record.recorded) == ({}, {})
    assert (record.days, record.invoice) == (FULL.days, FULL.invoice)


def test_a_clock_that_was_ahead():
    """Requests on a day in the future do not count."""
    assert FULL.without_future(date(2026, 4, 3)) == FULL
    months = FULL.without_future(date(2026, 3, 18)).months
    assert list(months) == [date(2025, 12, 1), date(2026, 1, 1)]


def test_another_fee():
    """It counts from this month on, and the month is requested from its beginning."""
    known = UsageRecord(months={JUNE: MonthState(MonthStatus.OPEN, TODAY)})
    assert known.with_base_fee(None, TODAY) == known
    first = known.with_base_fee(9.5, TODAY)
    assert (first.fees, first.months) == ({JUNE: 9.5}, known.months)
    assert first.with_base_fee(9.5, TODAY) == first
    july = first.with_base_fee(12.0, date(2026, 7, 3))
    assert july.fees == {JUNE: 9.5, date(2026, 7, 1): 12.0}
    assert first.with_base_fee(12.0, TODAY).months[JUNE].tried_on == JUNE
