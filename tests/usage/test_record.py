"""Tests of what is known of a meter, and how it lies on the disk."""

from copy import deepcopy
from datetime import date
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.api import MeterType
from custom_components.nomos.usage.record import (
    EMPTY_RECORD,
    UNWRITTEN,
    IncompleteMonth,
    MeterAnswer,
    UsageRecord,
)
from custom_components.nomos.usage.record_file import decode_record, encode_record
from tests.usage.samples import DAY, FIRST, FULL, day_usage, places, property_test

TODAY = date(2026, 6, 20)

SET_ASIDE = (LookupError, TypeError, ValueError, OverflowError, OSError)
"""What the store takes for a file that cannot be read."""


def stored(record: UsageRecord) -> Any:
    """Return a record as it comes from the disk."""
    return json.loads(json.dumps(encode_record("sub", record)))


@pytest.mark.parametrize("record", [EMPTY_RECORD, FULL])
def test_round_trip(record):
    """What is written is what is read."""
    assert decode_record("sub", stored(record)) == record


def test_another_contract():
    """A file of somebody else's is none."""
    with pytest.raises(ValueError, match="another"):
        decode_record("other", stored(FULL))


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
@given(st.sampled_from(places(stored(FULL))[1:]), JUNK, st.booleans())
def test_damage_is_noticed_or_harmless(path, junk, remove):
    """Whatever lies on the disk, it is read or set aside: no other error escapes."""
    damaged = deepcopy(stored(FULL))
    node = damaged
    for key in path[:-1]:
        node = node[key]
    if remove:
        del node[path[-1]]
    else:
        node[path[-1]] = junk
    try:
        record = decode_record("sub", damaged)
    except SET_ASIDE:
        return
    # What was read can be written, and means the same then.
    assert decode_record("sub", stored(record)) == record


@property_test
@given(JUNK)
def test_nonsense(junk):
    """A file may hold anything."""
    with pytest.raises(SET_ASIDE):
        decode_record("sub", junk)


@pytest.mark.parametrize("place", ["kwh", "total"])
def test_numbers_are_finite(place):
    """A total that is no number would spoil every sum after it."""
    damaged = stored(FULL)
    if place == "kwh":
        damaged["days"][0][1] = float("nan")
    else:
        damaged["invoice"]["total"] = True
    with pytest.raises(ValueError):
        decode_record("sub", damaged)


def answer_of(*days: date) -> MeterAnswer:
    """Return what was learned."""
    return MeterAnswer(
        meter=MeterType.SMART,
        days={day: day_usage(day, digest=999) for day in days},
        readings=96 * len(days),
    )


def test_extended():
    """Days join in order; what settles moves on without a gap only."""
    april, may, june = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)
    record = EMPTY_RECORD.extended(answer_of(FIRST), FIRST, april, settles_on=TODAY)
    assert (record.looked_to, record.settled_to) == (april, april)
    skipped = record.extended(answer_of(may), may, june, settles_on=TODAY)
    assert (skipped.looked_to, skipped.settled_to) == (june, april)
    closed = skipped.extended(answer_of(april), april, may, settles_on=TODAY)
    assert list(closed.days) == [FIRST, april, may]
    assert (closed.looked_to, closed.settled_to) == (june, may)
    again = closed.extended(answer_of(FIRST + DAY), FIRST, april, settles_on=None)
    assert (again.looked_to, again.settled_to) == (june, may)


def test_doubts():
    """A month that stands with a gap is asked for again, in turn, which moves nothing else."""
    april, may = date(2026, 4, 1), date(2026, 5, 1)
    month = [FIRST + number * DAY for number in range(31)]
    whole = EMPTY_RECORD.extended(answer_of(*month), FIRST, april, settles_on=TODAY)
    assert whole.doubts == {}
    unsettled = EMPTY_RECORD.extended(answer_of(), FIRST, april, settles_on=None)
    assert unsettled.doubts == {}
    doubted = EMPTY_RECORD.extended(
        answer_of(*month[1:]), FIRST, april, settles_on=TODAY
    )
    assert doubted.doubts == {FIRST: IncompleteMonth(TODAY, 30 * 96)}
    later = doubted.extended(answer_of(), april, may, settles_on=TODAY)
    assert list(later.doubts) == [FIRST, april]
    again = later.extended(answer_of(), FIRST, april, settles_on=TODAY + 7 * DAY)
    assert list(again.doubts) == [april, FIRST]
    # An answer that is short says no more than the one before.
    assert again.doubts[FIRST] == IncompleteMonth(TODAY, 30 * 96, repeated=True)
    assert again.settled_to == may
    closed = again.extended(answer_of(*month), FIRST, april, settles_on=TODAY)
    assert list(closed.doubts) == [april]
    assert again.reset().doubts == {}


def test_doubts_end():
    """A price that is missing twice is given up, a reading after a year."""
    april, may = date(2026, 4, 1), date(2026, 5, 1)
    month = [FIRST + number * DAY for number in range(31)]
    unpriced = MeterAnswer(
        meter=MeterType.SMART,
        days={day: day_usage(day, cost=None) for day in month},
        readings=31 * 96,
    )
    doubted = EMPTY_RECORD.extended(unpriced, FIRST, april, settles_on=TODAY)
    assert doubted.doubts == {FIRST: IncompleteMonth(TODAY, 31 * 96)}
    assert doubted.extended(unpriced, FIRST, april, settles_on=TODAY).doubts == {}
    empty = EMPTY_RECORD.extended(answer_of(), FIRST, april, settles_on=TODAY)
    for days, left in ((364, [FIRST]), (365, [])):
        on = TODAY + days * DAY
        later = empty.extended(answer_of(), april, may, settles_on=on)
        assert list(later.doubts) == [*left, april]


def test_an_older_file():
    """A file of an earlier version is read."""
    old = stored(FULL) | {"doubts": ["2026-01-17"]}
    del old["analog_on"]
    day = date(2026, 1, 17)
    record = decode_record("sub", old)
    assert record.doubts == {day: IncompleteMonth(day, 0)}
    assert record.analog_on is None


def test_a_first_answer_that_does_not_stand():
    """The first day is where the next thorough look begins."""
    record = EMPTY_RECORD.extended(
        answer_of(FIRST), FIRST, FIRST + 9 * DAY, settles_on=None
    )
    assert record.settled_to == FIRST
    assert record.latest == day_usage(FIRST, digest=999)
    assert EMPTY_RECORD.latest is None


def test_an_answer_that_fits_nothing_keeps_the_meter():
    """What kind of meter there is, is not forgotten."""
    record = FULL.extended(MeterAnswer(), FIRST, FIRST + DAY, settles_on=None)
    assert record.meter is MeterType.SMART
    assert record.days == FULL.days


def test_forgetting():
    """What stands goes; what may change stays, however old it is."""
    april = date(2026, 4, 1)
    assert FULL.pruned(april).days == FULL.days
    settled = FULL.extended(answer_of(april), FIRST, april, settles_on=TODAY)
    assert list(settled.pruned(april).days) == [april]
    assert list(settled.pruned(FIRST + DAY).days) == [FIRST + DAY, april]


def test_beginning_again():
    """The days stay to be shown; all of them have to be written."""
    record = FULL.reset()
    assert record.looked_to is record.settled_to is None
    assert record.recorded == {}
    assert {one.digest for one in record.days.values()} == {UNWRITTEN}
    assert {day: one.kwh for day, one in record.days.items()} == dict.fromkeys(
        FULL.days, 9.6
    )
    assert record.invoice == FULL.invoice
