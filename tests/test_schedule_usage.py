"""Tests of when usage is requested."""

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
def test_the_sync_comes_with_the_corrections(day, phase):
    """It is after 16:00 local, when usage is available, and shares an access token with the corrections of prices."""
    sync = usage_fetch(day, phase)
    wall = sync.astimezone(TARIFF_ZONE)
    assert wall.date() == day
    assert (16, 10) <= (wall.hour, wall.minute) <= (16, 41)
    assert wall.second != 0
    after = sync - second_fetch(day, phase)
    assert timedelta(seconds=20) <= after < timedelta(seconds=80)
    assert sync > first_fetch(day, phase)


@property_test
@given(DAYS)
def test_a_fleet_is_spread(day):
    """The syncs of a hundred installations fill the window evenly."""
    syncs = sorted(usage_fetch(day, number / 100) for number in range(100))
    gaps = [two - one for one, two in pairwise(syncs)]
    assert max(gaps) <= 2 * MINUTE
    assert syncs[-1] - syncs[0] >= 29 * MINUTE


@property_test
@given(INSTANTS, st.booleans(), PHASES, st.integers(0, 20), CHANCES)
def test_always_later_and_within_a_day(now, late, phase, misses, chance):
    """There is always a next sync, even across clock changes."""
    at = next_usage_request(now, late=late, phase=phase, misses=misses, chance=chance)
    assert now < at <= now + timedelta(hours=25, minutes=1)
    assert at <= usage_fetch(local_date(now) + DAY, phase) + MINUTE


@property_test
@given(INSTANTS, PHASES, CHANCES)
def test_a_quiet_day_has_one_sync(now, phase, chance):
    """The same phase syncs at the same local time every day, whatever the jitter."""
    syncs = [now]
    for _ in range(5):
        syncs.append(
            next_usage_request(
                syncs[-1], late=False, phase=phase, misses=0, chance=chance
            )
        )
    days = [local_date(at) for at in syncs[1:]]
    assert days == [days[0] + number * DAY for number in range(5)]
    assert len({at.astimezone(TARIFF_ZONE).time() for at in syncs[1:]}) == 1


def test_late_data_is_requested_once_more_in_the_evening():
    """It is requested four hours after the sync, and then tomorrow."""
    day = date(2026, 6, 10)
    sync = usage_fetch(day, 0.3)
    at = next_usage_request(sync + MINUTE, late=True, phase=0.3, misses=0, chance=0)
    assert at == sync + timedelta(hours=4)
    for now in (at, at + MINUTE):
        at = next_usage_request(now, late=True, phase=0.3, misses=0, chance=0)
        assert at == usage_fetch(day + DAY, 0.3)
    # Before the sync, nothing can be late.
    morning = datetime(2026, 6, 10, 6, tzinfo=UTC)
    at = next_usage_request(morning, late=True, phase=0.3, misses=0, chance=0)
    assert at == sync


@property_test
@given(PHASES, CHANCES)
def test_gaps_grow_with_failures(phase, chance):
    """The gap starts at half an hour, grows to four hours at most, and never passes the next sync."""
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
    """The first import starts soon, a missed sync a little later; otherwise the sync is at its usual time."""
    day = date(2026, 6, 10)
    sync = usage_fetch(day, 0.5)

    def wait(now, synced_on):
        at = next_usage_request_after_start(now, synced_on, phase=0.5, chance=chance)
        assert at > now
        return at - now

    assert wait(sync, None) == timedelta(seconds=40 + 20 * chance)
    assert wait(sync, day - DAY) == timedelta(seconds=150 + 60 * chance)
    assert wait(sync, day) == usage_fetch(day + DAY, 0.5) - sync
    morning = sync - timedelta(hours=9)
    assert wait(morning, day - DAY) == timedelta(hours=9)
    assert wait(morning, day - 2 * DAY) == timedelta(seconds=150 + 60 * chance)
    # After a sync at a time in the future, by a clock that was ahead, there is another one.
    assert wait(morning, day + 400 * DAY) == timedelta(seconds=150 + 60 * chance)


@property_test
@given(INSTANTS, st.none() | DAYS, PHASES, CHANCES)
def test_after_a_start_always_later(now, synced_on, phase, chance):
    """The sync is within a day, whatever is stored."""
    at = next_usage_request_after_start(now, synced_on, phase=phase, chance=chance)
    assert now < at <= now + timedelta(hours=25, minutes=1)
