"""Tests of when requests are scheduled."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import mean

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.pricing import TARIFF_ZONE, local_date
from custom_components.nomos.schedule import (
    GAPS,
    PriceRequestReason,
    after_pause,
    first_fetch,
    installation_phase,
    misses_after,
    next_contract_request,
    next_price_request,
    pause_until,
    price_request_reason,
    second_fetch,
    usage_fetch,
)
from tests.sample_times import CHANCES, INSTANTS, PHASES
from tests.usage.samples import property_test

DAY = date(2026, 6, 1)


def local(hour, minute=0):
    """Return a local time of the test's day as an instant."""
    return datetime(DAY.year, DAY.month, DAY.day, hour, minute, tzinfo=TARIFF_ZONE)


REASONS = (*GAPS, PriceRequestReason.REST)
"""The reasons to request prices of a running contract."""


def test_phase_is_stable_and_even():
    """One installation has one phase; a fleet fills the whole range."""
    assert installation_phase("hub", "customer") == installation_phase(
        "hub", "customer"
    )
    assert installation_phase("a", "bc") != installation_phase("ab", "c")
    phases = [installation_phase(str(number), "x") for number in range(2000)]
    assert 0 <= min(phases) < 0.01
    assert 0.99 < max(phases) < 1
    assert mean(phases) == pytest.approx(0.5, abs=0.03)


@property_test
@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), PHASES)
def test_first_request_is_in_its_window_and_off_the_minute(day, phase):
    """It is between 13:30 and 14:01, and never at a full minute, when other clients send theirs."""
    scheduled = first_fetch(day, phase)
    wall = scheduled.astimezone(TARIFF_ZONE)
    assert wall.date() == day
    assert (13, 30) <= (wall.hour, wall.minute) <= (14, 1)
    assert (wall.second, wall.microsecond) != (0, 0)
    assert wall.second != 0


def test_no_second_gets_twice_its_share():
    """Requests that are moved out of the first second of a minute are spread over the rest of it."""
    requests = Counter(
        int(first_fetch(DAY, number / 90000).timestamp()) for number in range(90000)
    )
    assert sum(requests.values()) == 90000
    # 50 in each second, plus a share of those of one second in sixty.
    assert max(requests.values()) <= 52


@pytest.mark.parametrize(
    ("missing", "at", "reason"),
    [
        ({"now_known", "today_complete"}, local(9), PriceRequestReason.CURRENT),
        ({"today_complete"}, local(9), PriceRequestReason.TODAY),
        ({"tomorrow_complete"}, local(9), PriceRequestReason.REST),
        ({"tomorrow_complete"}, first_fetch(DAY, 0.5), PriceRequestReason.TOMORROW),
        ({"tomorrow_complete"}, local(15), PriceRequestReason.TOMORROW),
        (set(), local(15), PriceRequestReason.REST),
    ],
)
def test_reason(missing, at, reason):
    """The most urgent reason counts; tomorrow is not a reason before it can be published."""
    known = dict.fromkeys(("now_known", "today_complete", "tomorrow_complete"), True)
    known |= dict.fromkeys(missing, False)
    assert price_request_reason(at, 0.5, **known) is reason


def test_no_request_while_all_is_known():
    """The next request is the daily one."""
    scheduled = first_fetch(DAY, 0.5)
    assert (
        next_price_request(
            local(9), PriceRequestReason.REST, phase=0.5, misses=1, chance=1
        )
        == scheduled
    )
    correction = second_fetch(DAY, 0.5)
    for now, expected in (
        (local(15), correction),
        (correction, first_fetch(DAY + timedelta(days=1), 0.5)),
    ):
        at = next_price_request(
            now, PriceRequestReason.REST, phase=0.5, misses=1, chance=1
        )
        assert at == expected


def late_requests(phase, chance):
    """Return the first three requests on a day on which tomorrow is late."""
    requests = [first_fetch(DAY, phase)]
    for misses in (1, 2):
        requests.append(
            next_price_request(
                requests[-1],
                PriceRequestReason.TOMORROW,
                phase=phase,
                misses=misses,
                chance=chance,
            )
        )
    return requests


@pytest.mark.parametrize("chance", [-1.0, 0.0, 1.0])
def test_late_tomorrow_is_requested_when_it_is_final(chance):
    """The next requests follow after 14:20 and 15:20, with no more access tokens than necessary.

    A token counts as expired twenty seconds before its hour is over, and timers are late by up to two seconds.
    """
    token = timedelta(minutes=59, seconds=38)
    for phase in (number / 4000 for number in range(4000)):
        first, second, third = late_requests(phase, chance)
        assert local(14, 20) <= second < local(15)
        assert second - first < token
        assert local(15, 20) <= third
        assert third < second_fetch(DAY, phase)
        assert usage_fetch(DAY, phase) < third + token


def test_gaps_grow_to_a_limit():
    """The longer the wait, the fewer the requests."""
    waits = [
        next_price_request(
            local(1), PriceRequestReason.CURRENT, phase=0, misses=misses, chance=0
        ).astimezone(UTC)
        - local(1).astimezone(UTC)
        for misses in range(1, 12)
    ]
    assert waits == sorted(waits)
    assert timedelta(minutes=1) <= waits[0] <= timedelta(seconds=61)
    assert waits[-1] == waits[-2]


@property_test
@given(INSTANTS, st.sampled_from(REASONS), PHASES, st.integers(0, 50), CHANCES)
def test_next_request_is_in_the_future_and_within_a_day(
    now, reason, phase, misses, chance
):
    """There is always a next request, within a day."""
    at = next_price_request(now, reason, phase=phase, misses=misses, chance=chance)
    assert now < at < now + timedelta(hours=25, minutes=2)


def scheduled_times(phase):
    """Return every instant of the test's day at which a request may be scheduled, without jitter."""
    before_midnight = next_price_request(
        local(23), PriceRequestReason.TODAY, phase=phase, misses=4, chance=0
    )
    return first_fetch(DAY, phase), second_fetch(DAY, phase), before_midnight


@pytest.mark.parametrize("phase", [0.0, 0.1234, 0.5, 0.97])
@pytest.mark.parametrize("reason", REASONS)
def test_the_next_request_for_prices_is_never_now(phase, reason):
    """After a request at its scheduled time, the next one is later."""
    for now in scheduled_times(phase):
        for misses in (0, 9):
            at = next_price_request(now, reason, phase=phase, misses=misses, chance=0)
            assert at > now


@pytest.mark.parametrize("phase", [0.0, 0.1234, 0.5, 0.97])
def test_the_next_request_for_subscriptions_is_never_now(phase):
    """This holds after the daily request and after one for a contract that began or ended."""

    def following(now, *turns):
        return next_contract_request(
            now, turns, overdue=False, phase=phase, misses=0, chance=0
        )

    scheduled, turn = first_fetch(DAY, phase), local(3)
    assert following(scheduled) == first_fetch(DAY + timedelta(days=1), phase)
    turned = following(local(3), turn)
    assert turned < scheduled
    assert following(turned, turn) == scheduled


@pytest.mark.parametrize("chance", [-1, 0, 1])
def test_a_gap_does_not_skip_a_daily_request(chance):
    """However long the gap is, missing prices are requested at both daily times."""
    for now, scheduled in (
        (local(13), first_fetch(DAY, 0.5)),
        (local(15), second_fetch(DAY, 0.5)),
    ):
        at = next_price_request(
            now, PriceRequestReason.TODAY, phase=0.5, misses=4, chance=chance
        )
        assert at == scheduled


@property_test
@given(PHASES, CHANCES, st.integers(1, 20))
def test_midnight_is_not_skipped(phase, chance, misses):
    """While tomorrow is missing, there is a request before midnight and one just after it."""
    now, days = local(21).astimezone(UTC), []
    for _ in range(40):
        now = next_price_request(
            now, PriceRequestReason.TOMORROW, phase=phase, misses=misses, chance=chance
        )
        days.append(now)
        if local_date(now) != DAY:
            break
    midnight = local(0).astimezone(UTC) + timedelta(days=1)
    assert timedelta() < days[-1] - midnight < timedelta(minutes=10)
    assert midnight - days[-2] < timedelta(minutes=23)


def test_subscriptions_are_requested_with_the_prices():
    """On a normal day, both requests are sent together and share an access token."""
    at = next_contract_request(
        local(9), (), overdue=False, phase=0.3, misses=0, chance=0
    )
    assert at == first_fetch(DAY, 0.3)
    at = next_contract_request(
        local(20), (), overdue=False, phase=0.3, misses=0, chance=0
    )
    assert at == first_fetch(DAY + timedelta(days=1), 0.3)


def test_subscriptions_are_requested_when_a_contract_begins_or_ends():
    """The request follows shortly after a contract begins or ends, spread over the fleet."""
    turn = local(11)
    requests = [
        next_contract_request(
            local(9), (turn,), overdue=False, phase=phase, misses=0, chance=0
        ).astimezone(UTC)
        for phase in (0.0, 0.9)
    ]
    assert requests[0] - turn in (timedelta(minutes=1), timedelta(seconds=61))
    assert requests[1] - turn == timedelta(minutes=28)


def test_a_change_while_the_hub_was_off_is_requested_soon():
    """The request follows within minutes after the start, spread over the hubs that start together."""
    waits = [
        next_contract_request(
            local(9), (), overdue=True, phase=phase, misses=0, chance=0
        )
        - local(9)
        for phase in (0.0, 0.5, 0.75)
    ]
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 3, 4)]


@property_test
@given(INSTANTS, PHASES, st.integers(0, 50), CHANCES)
def test_failed_subscription_requests_are_repeated(now, phase, misses, chance):
    """The next try is before tomorrow, but not at once."""
    at = next_contract_request(
        now, (), overdue=False, phase=phase, misses=misses, chance=chance
    )
    assert now < at < now + timedelta(hours=25, minutes=2)
    if misses:
        assert at < now + timedelta(minutes=131)


@pytest.mark.parametrize(
    ("asked", "kept"), [(0, 1), (30, 30), (7200, 7200), (86400, 7200), (-5, 1)]
)
def test_wait_is_bounded(asked, kept):
    """A mistake in a header neither stops a hub for a day nor lets it continue at once."""
    until = pause_until(local(14), timedelta(seconds=asked))
    assert until - local(14) == timedelta(seconds=kept)


@pytest.mark.parametrize(
    ("wait", "spread"),
    [(30, 60), (120, 60), (600, 300), (3600, 1800), (7200, 1800)],
)
def test_return_after_a_wait_is_spread(wait, spread):
    """Hubs that wait until the same instant return within a window that grows with the wait."""
    now = local(14)
    until = now + timedelta(seconds=wait)
    returns = [
        (after_pause(now, now, until, phase) - until).total_seconds()
        for phase in (number / 100 for number in range(100))
    ]
    assert returns[0] == 1
    assert returns == sorted(returns)
    assert returns[-1] == pytest.approx(1 + spread * 0.99)
    later = until + timedelta(hours=1)
    assert after_pause(now, later, until, 0.5) == later


def test_misses_are_counted_until_new_prices():
    """Another reason does not reset the gaps; new prices or a day without missing prices do."""
    assert misses_after(4, PriceRequestReason.TOMORROW, news=False) == 5
    assert misses_after(4, PriceRequestReason.TOMORROW, news=True) == 1
    assert misses_after(4, PriceRequestReason.REST, news=False) == 1


@property_test
@given(PHASES, CHANCES)
def test_a_start_sends_no_request_at_once(phase, chance):
    """Missing prices are requested half a minute to two minutes later, the rest at the next daily time."""
    now = local(15)
    at = next_price_request(
        now, PriceRequestReason.TOMORROW, phase=phase, misses=0, chance=chance
    )
    assert timedelta(seconds=30) <= at - now <= timedelta(minutes=2)
    at = next_price_request(
        now, PriceRequestReason.REST, phase=phase, misses=0, chance=chance
    )
    assert at == second_fetch(DAY, phase)


@pytest.mark.parametrize(("chance", "seconds"), [(-1, 30), (0, 75), (1, 120)])
def test_starts_are_spread_by_chance(chance, seconds):
    """After a power cut, the hubs in a street do not send their requests within the same second."""
    now = local(15)
    at = next_price_request(
        now, PriceRequestReason.TOMORROW, phase=0.5, misses=0, chance=chance
    )
    assert at - now == timedelta(seconds=seconds)
