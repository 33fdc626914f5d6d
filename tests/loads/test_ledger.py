"""Tests of the ledger of a load: whatever a meter shows, bookings equal plain sums."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.nomos.codec import decode, encode
from custom_components.nomos.loads.ledger import (
    EMPTY_LEDGER,
    Booking,
    Ledger,
    Month,
    Reading,
    Source,
    month_start,
    next_month,
)
from custom_components.nomos.planner import Run
from custom_components.nomos.pricing import Interval, PriceTable
from custom_components.nomos.totals import RunningTotal

START = datetime(2026, 10, 24, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
TABLE = PriceTable.of(
    Interval(START + number * QUARTER, START + (number + 1) * QUARTER, number / 100)
    for number in range(100)
)
FAST = settings(deadline=None, derandomize=True, max_examples=300)


def run(start: int, end: int) -> Run:
    """Return a run, in minutes."""
    return Run(start=START + start * MINUTE, end=START + end * MINUTE)


def booked(ledger: Ledger, *runs: Run, by_hand: bool = False) -> Booking:
    """Return the booking of finished runs."""
    now = runs[-1].end
    done = ledger.with_finished(runs[0].start, runs, now, by_hand=by_hand)
    last = done.book(TABLE, 0.5, power=None, metered=True).last
    assert last is not None
    return last


@FAST
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 40), st.floats(0.001, 0.5)), min_size=1, max_size=30
    ),
)
def test_sum_is_what_was_counted(steps: list[tuple[int, float]]) -> None:
    """A booking contains all energy counted in a run, each part at a price of its time."""
    at, shown = START, 1000.0
    ledger = EMPTY_LEDGER.with_reading(Reading(at, shown), ())
    one = run(0, sum(minutes for minutes, _ in steps))
    least = most = 0.0
    for minutes, energy in steps:
        before, at, shown = at, at + minutes * MINUTE, shown + energy
        ledger = ledger.with_reading(Reading(at, shown), [one])
        prices = TABLE.between(before, at).intervals
        least += energy * min(part.price or 0.0 for part in prices)
        most += energy * max(part.price or 0.0 for part in prices)
    found = booked(ledger, one)
    assert found.energy == pytest.approx(shown - 1000)
    assert found.cost is not None
    assert least - 1e-9 <= found.cost <= most + 1e-9
    assert found.saved == pytest.approx((shown - 1000) * 0.5 - found.cost)


@FAST
@given(
    values=st.lists(
        st.tuples(
            st.integers(0, 3000),
            st.one_of(st.floats(0, 1e8), st.floats(0, 5), st.sampled_from([0, 7, 7.5])),
        ),
        max_size=30,
    ),
    stops=st.lists(st.integers(1, 400), min_size=1, max_size=8),
)
def test_nothing_absurd_is_booked(
    values: list[tuple[int, float]], stops: list[int]
) -> None:
    """Whatever a meter reports, booked energy is not negative, not more than a household can draw, and can be stored."""
    minutes, runs = 0, []
    for pause, length in pairwise([0, *stops]):
        runs.append(run(minutes + pause, minutes + pause + length))
        minutes += pause + length
    at, ledger = START - timedelta(hours=1), EMPTY_LEDGER
    for seconds, energy in values:
        at += timedelta(seconds=seconds)
        ledger = ledger.with_reading(Reading(at, energy), runs)
        assert decode(Ledger, encode(ledger)) == ledger
    found = booked(ledger, *runs)
    assert found.energy is not None
    hours = (max(at, START) - START + timedelta(hours=1)) / timedelta(hours=1)
    assert 0 <= found.energy <= 50 * (hours + len(values) / 60)


def test_each_quarter_hour_at_its_price() -> None:
    """Energy between two readings is spread evenly over the run time and priced by quarter-hour; pauses get none."""
    runs = (run(10, 20), run(60, 80))
    ledger = EMPTY_LEDGER.with_reading(Reading(START, 5), ())
    ledger = ledger.with_reading(Reading(START + 90 * MINUTE, 8), runs)
    found = booked(ledger, *runs)
    assert found.energy == pytest.approx(3)
    # 1 kWh per ten minutes: five minutes each at 0 and 1 ct, fifteen at 4 ct, five at 5 ct.
    assert found.cost == pytest.approx(0.5 * 0.01 + 1.5 * 0.04 + 0.5 * 0.05)
    assert found.runs == runs


def test_no_part_is_booked_twice() -> None:
    """If a finished task runs again, only the new part is booked."""
    first, second = run(0, 30), run(60, 90)
    now = second.end

    def book(ledger: Ledger, *runs: Run) -> Ledger:
        done = ledger.with_finished(START, runs, now, by_hand=False)
        return done.book(TABLE, 0.5, power=2, metered=False)

    once = book(EMPTY_LEDGER, first)
    assert book(once, first) == once
    twice = book(once, first, second)
    assert twice.last is not None
    assert (twice.last.runs, twice.last.energy) == ((second,), 1)
    assert book(EMPTY_LEDGER, first, second).months[0].energy == twice.months[0].energy


def test_month_is_that_of_the_end() -> None:
    """A task belongs to the month in which it ends, not to that of the booking, which a power cut may delay."""
    midnight = datetime(2026, 10, 31, 23, tzinfo=UTC)
    for end, month in (
        (midnight, datetime(2026, 9, 30, 22, tzinfo=UTC)),
        (midnight + MINUTE, midnight),
    ):
        one = Run(start=end - QUARTER, end=end)
        done = EMPTY_LEDGER.with_finished(one.start, (one,), end, by_hand=False)
        [booked_in] = done.book(TABLE, None, power=4, metered=False).months
        assert booked_in.start == month


def test_saving_by_the_hour() -> None:
    """The saving is spread over the task's hours; recorded hours are dropped, except one that may still grow."""
    now = run(0, 150)
    ledger = EMPTY_LEDGER.with_finished(START, (now,), now.end, by_hand=False)
    ledger = ledger.book(TABLE, 0.5, power=2, metered=False)
    assert ledger.last is not None
    assert [one.start for one in ledger.hours] == [
        START,
        START + HOUR,
        START + 2 * HOUR,
    ]
    assert [one.saved for one in ledger.hours] == pytest.approx(
        [2 * (0.5 - 0.015), 2 * (0.5 - 0.055), 0.5 - 0.085]
    )
    assert sum(one.saved for one in ledger.hours) == pytest.approx(ledger.last.saved)
    assert ledger.unrecorded == ledger.hours
    ledger = ledger.with_recorded(ledger.unrecorded)
    assert (len(ledger.hours), ledger.unrecorded) == (1, ())
    later = run(155, 170)
    ledger = ledger.with_finished(START, (later,), later.end, by_hand=False)
    ledger = ledger.book(TABLE, 0.5, power=4, metered=False)
    assert ledger.last is not None
    assert ledger.last.saved is not None
    [hour] = ledger.unrecorded
    assert hour.start == START + 2 * HOUR
    assert hour.saved == pytest.approx(0.5 - 0.085 + ledger.last.saved)
    assert decode(Ledger, encode(ledger)) == ledger


@FAST
@given(
    tasks=st.lists(
        st.tuples(
            st.integers(0, 90),
            st.integers(1, 150),
            st.sampled_from(["", "written", "confirmed", "cut", "written, cut"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_hour_counts_once(tasks: list[tuple[int, int, str]]) -> None:
    """Whatever part of ledger and statistic is written before a power cut, both agree in the end."""
    ledger, rows, minute = EMPTY_LEDGER, dict[datetime, tuple[float, float]](), 0

    def write() -> None:
        """Write the ledger's unrecorded hours to the statistic."""
        missing = {one.start: one.saved for one in ledger.unrecorded}
        if missing:
            rows.update(RunningTotal(dict(sorted(rows.items()))).revised(missing))

    for pause, length, then in tasks:
        stored = ledger
        task = run(minute + pause, minute + pause + length)
        minute += pause + length
        for attempt in range(2 if "cut" in then else 1):
            ledger = stored.with_finished(START, (task,), task.end, by_hand=False)
            ledger = ledger.book(TABLE, 0.5, power=2, metered=False)
            if then and (then != "cut" or attempt):
                write()
            if then == "confirmed":
                ledger = ledger.with_recorded(ledger.unrecorded)
    write()
    expected = sum(one.saved for one in ledger.months)
    assert sum(state for state, _ in rows.values()) == pytest.approx(expected)
    last = rows[max(rows)][1] if rows else 0.0
    assert last == pytest.approx(expected)


def test_hours_without_a_recorder() -> None:
    """Without a recorder, the list of hours stays bounded, and no saving is lost."""
    ledger, saved = EMPTY_LEDGER, 0.0
    for number in range(300):
        one = run(number * 4, number * 4 + 4)
        ledger = replace(
            ledger,
            last=None,
            hours=tuple(
                replace(hour, start=hour.start - HOUR) for hour in ledger.hours
            ),
        )
        ledger = ledger.with_finished(START, (one,), one.end, by_hand=False)
        ledger = ledger.book(TABLE, 0.5, power=3, metered=False)
        assert ledger.last is not None
        saved += ledger.last.saved or 0.0
    assert len(ledger.hours) <= 240
    assert sum(one.saved for one in ledger.hours) == pytest.approx(saved)


def test_when_the_ledger_is_written() -> None:
    """It is written for the first reading of each hour of a run and for a booking; without a meter, for neither."""
    one, ledger = run(0, 240), EMPTY_LEDGER
    writes, before = 0, ledger.durable
    for minute in range(240):
        ledger = ledger.with_reading(
            Reading(START + minute * MINUTE, minute / 100), [one]
        )
        writes += ledger.durable != before
        before = ledger.durable
    assert writes <= 6
    booked_now = ledger.with_finished(START, (one,), one.end, by_hand=False)
    assert booked_now.durable != before
    without = EMPTY_LEDGER.with_finished(START, (one,), one.end, by_hand=False)
    assert without.durable == EMPTY_LEDGER


def test_unknown_price() -> None:
    """Without a price, a booking has no cost and adds to no sum but that of the energy."""
    late = run(100 * 15 - 10, 100 * 15 + 10)
    done = EMPTY_LEDGER.with_finished(START, (late,), late.end, by_hand=False)
    after = done.book(TABLE, 0.5, power=3, metered=False)
    assert after.last == Booking(
        runs=(late,), source=Source.POWER, energy=1.0, cost=None, saved=None
    )
    assert (after.months[0].energy, after.months[0].saved) == (1.0, 0.0)


def test_months() -> None:
    """Months begin at local midnight, and two years of them are kept."""
    at = datetime(2026, 3, 15, 12, tzinfo=UTC)
    assert month_start(at) == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert next_month(at) == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert next_month(datetime(2026, 12, 31, 22, 59, tzinfo=UTC)) == datetime(
        2026, 12, 31, 23, tzinfo=UTC
    )
    ledger, starts = EMPTY_LEDGER, []
    for number in range(30):
        moved = timedelta(days=31 * number)
        one = Run(start=START + moved, end=START + moved + QUARTER)
        done = ledger.with_finished(one.start, (one,), one.end, by_hand=True)
        ledger = done.book(TABLE, None, power=4, metered=False)
        starts.append(month_start(one.start))
    assert [month.start for month in ledger.months] == sorted(set(starts))[-24:]
    assert ledger.months[-1].metered is False
    assert decode(Ledger, encode(ledger)) == ledger


def test_a_month_is_metered_if_all_of_it_is() -> None:
    """A single task without a meter makes the month's source the given power."""
    one = Booking(runs=(run(0, 9),), source=Source.METERED, energy=1, cost=2, saved=3)
    month = Month(start=START).with_booking(one)
    assert month.metered
    two = Booking(runs=(run(0, 9),), source=Source.POWER, energy=1, cost=2, saved=3)
    assert month.with_booking(two) == Month(
        start=START, energy=2, cost=4, saved=6, metered=False
    )
