"""Tests of when usage is asked for."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.pricing import TARIFF_ZONE, local_date
from custom_components.nomos.schedule import (
    first_fetch,
    next_usage_request,
    next_usage_request_after_start,
    second_fetch,
    usage_fetch,
)
from tests.sample_times import CHANCES, INSTANTS, PHASES
from tests.usage.samples import property_test

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@property_test
@given(DAYS | st.sampled_from([date(2026, 3, 29), date(2026, 10, 25)]), PHASES)
def test_the_look_follows_the_prices(day, phase):
    """After 16:00 local, when usage is there; with prices that are corrected and under their access token."""
    look = usage_fetch(day, phase)
    wall = look.astimezone(TARIFF_ZONE)
    assert wall.date() == day
    assert (16, 10) <= (wall.hour, wall.minute) <= (16, 41)
    assert wall.second != 0
    after = look - second_fetch(day, phase)
    assert timedelta(seconds=20) <= after < timedelta(seconds=80)
    assert look > first_fetch(day, phase)


@property_test
@given(DAYS)
def test_a_fleet_is_spread(day):
    """The looks of a hundred installations fill the window evenly."""
    looks = sorted(usage_fetch(day, number / 100) for number in range(100))
    gaps = [two - one for one, two in pairwise(looks)]
    assert max(gaps) <= 2 * MINUTE
    assert looks[-1] - looks[0] >= 29 * MINUTE


@property_test
@given(INSTANTS, st.booleans(), PHASES, st.integers(0, 20), CHANCES)
def test_always_later_and_within_a_day(now, late, phase, misses, chance):
    """The clock never stands still and never falls asleep, across every change of the clocks."""
    at = next_usage_request(now, late=late, phase=phase, misses=misses, chance=chance)
    assert now < at <= now + timedelta(hours=25, minutes=1)
    assert at <= usage_fetch(local_date(now) + DAY, phase) + MINUTE


@property_test
@given(INSTANTS, PHASES, CHANCES)
def test_a_quiet_day_has_one_look(now, phase, chance):
    """The same phase looks at the same wall time on each day, whatever the dice say."""
    looks = [now]
    for _ in range(5):
        looks.append(
            next_usage_request(
                looks[-1], late=False, phase=phase, misses=0, chance=chance
            )
        )
    days = [local_date(at) for at in looks[1:]]
    assert days == [days[0] + number * DAY for number in range(5)]
    assert len({at.astimezone(TARIFF_ZONE).time() for at in looks[1:]}) == 1


def test_late_data_is_looked_for_in_the_evening_once():
    """Four hours after the look, and then tomorrow."""
    day = date(2026, 6, 10)
    look = usage_fetch(day, 0.3)
    at = next_usage_request(look + MINUTE, late=True, phase=0.3, misses=0, chance=0)
    assert at == look + timedelta(hours=4)
    for now in (at, at + MINUTE):
        at = next_usage_request(now, late=True, phase=0.3, misses=0, chance=0)
        assert at == usage_fetch(day + DAY, 0.3)
    # Before the look, nothing can be late.
    morning = datetime(2026, 6, 10, 6, tzinfo=UTC)
    at = next_usage_request(morning, late=True, phase=0.3, misses=0, chance=0)
    assert at == look


@property_test
@given(PHASES, CHANCES)
def test_failures_are_repeated_ever_more_seldom(phase, chance):
    """Half an hour, then longer, at most four hours; never past the next look."""
    now = usage_fetch(date(2026, 6, 10), phase)
    waits = [
        next_usage_request(now, late=False, phase=phase, misses=misses, chance=chance)
        - now
        for misses in range(1, 10)
    ]
    assert waits == sorted(waits)
    assert timedelta(minutes=27) <= waits[0] <= timedelta(minutes=34)
    assert waits[-1] <= timedelta(hours=4, minutes=21)
    assert waits[-1] == waits[-2]
    before = usage_fetch(date(2026, 6, 11), phase) - 5 * MINUTE
    at = next_usage_request(before, late=False, phase=phase, misses=9, chance=chance)
    assert at == before + 5 * MINUTE


@pytest.mark.parametrize("chance", [-1.0, 0.0, 1.0])
def test_after_a_start(chance):
    """The first import begins soon; a look that was slept through a little later; else at its time."""
    day = date(2026, 6, 10)
    look = usage_fetch(day, 0.5)

    def wait(now, looked_to):
        at = next_usage_request_after_start(now, looked_to, phase=0.5, chance=chance)
        assert at > now
        return at - now

    assert wait(look, None) == timedelta(seconds=40 + 20 * chance)
    assert wait(look, day - DAY) == timedelta(seconds=150 + 60 * chance)
    assert wait(look, day) == usage_fetch(day + DAY, 0.5) - look
    morning = look - timedelta(hours=9)
    assert wait(morning, day - DAY) == timedelta(hours=9)
    assert wait(morning, day - 2 * DAY) == timedelta(seconds=150 + 60 * chance)
    # What was looked at by a clock that was ahead is looked at again.
    assert wait(morning, day + 400 * DAY) == timedelta(seconds=150 + 60 * chance)


@property_test
@given(INSTANTS, st.none() | DAYS, PHASES, CHANCES)
def test_after_a_start_always_later(now, looked_to, phase, chance):
    """Within a day, whatever is stored."""
    at = next_usage_request_after_start(now, looked_to, phase=phase, chance=chance)
    assert now < at <= now + timedelta(hours=25, minutes=1)
