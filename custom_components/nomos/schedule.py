"""When to ask Nomos next: pure arithmetic on times.

Knows neither Home Assistant nor the network, so that a simulation of a whole fleet can run the same code as a hub.

A normal day of one account with one subscription: the list of subscriptions and the prices are asked for together
at a time of its own between 13:30 and 14:00, under one access token. Where tomorrow is not yet there, it is asked for
once more between 14:20 and 15:00, while that token is still valid, and after 15:20. One later look, between 16:10 and
16:40, picks up corrections. What a fleet of such hubs is to the API, and why the figures are as they are:
docs/fleet.md.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from .pricing import TARIFF_ZONE, local_date, next_midnight


class PriceRequestReason(Enum):
    """What the next request for prices is to bring."""

    ACCESS = "access"
    CURRENT = "current"
    TODAY = "today"
    TOMORROW = "tomorrow"
    REST = "rest"


FIRST_FETCH: Final = time(13, 30)
"""When the first installation asks for tomorrow, tariff time. The auction ends at about 13:00 and prices are final
by about 14:20 (Nomos documentation, load shifting): earlier looks would mostly find nothing."""

FIRST_FETCH_SPREAD: Final = timedelta(minutes=30)
"""The window over which a fleet's first looks are spread evenly.

A million hubs in half an hour are 556 each second, with three requests each."""

GAPS: Final = {
    # What Nomos refuses it will not grant a minute later.
    PriceRequestReason.ACCESS: (60, 120, 240),
    PriceRequestReason.CURRENT: (1, 2, 5, 10, 20, 30),
    PriceRequestReason.TODAY: (15, 30, 60, 120),
    # The second look falls after 14:20 and, whatever the jitter, within the hour of the first one's access token; the
    # third falls after 15:20, and the look for corrections within the hour of its token.
    PriceRequestReason.TOMORROW: (54, 65, 60, 90, 120),
}
"""Minutes between requests that do not bring what they are made for; the last gap goes on."""

_FAILURE_GAPS: Final = (15, 30, 60, 120)
"""Minutes between requests for the subscriptions that fail; the last gap goes on."""

_GAP_JITTER: Final = 0.07
_GAP_JITTER_WITHOUT_PRICE: Final = 0.15
"""The share of a gap by which it is moved at random, so that installations that failed together drift apart.

Faster where the current price is missing: a fleet that stands without one has asked within minutes of midnight."""


SECOND_FETCH: Final = time(16, 10)
"""When the first installation looks for corrections, tariff time: after prices are final, whichever way "14:20 CET" is
meant in summer, and when the usage of yesterday is there, too (Nomos documentation, load shifting; API, Usage)."""

SECOND_FETCH_SPREAD: Final = timedelta(minutes=30)
"""The window over which a fleet's second looks are spread evenly."""

SHORTEST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(hours=2)
"""The bounds of a wait that Nomos asks for. A slip there must not silence a house for a day."""

PAUSE_SPREAD: Final = timedelta(minutes=1), timedelta(minutes=30)
"""The shortest and the longest window over which installations return that were told to wait until the same instant.

In between it is half of the wait. A fleet that was told "until three o'clock" returns no denser than it first looks;
one that was told "thirty seconds" need not wait for half an hour."""

USAGE_AFTER: Final = timedelta(seconds=20)
"""How long after the second look usage is asked for: under the same access token, with prices that are corrected."""

_USAGE_GAPS: Final = (30, 60, 120, 240)
"""Minutes between requests for usage that fail; the last gap goes on."""

_USAGE_EVENING: Final = timedelta(hours=4)
"""How long after the look for usage another one is made on a day on which the meter's data is late."""

_EVE_SPREAD: Final = timedelta(minutes=20)
"""The window before midnight over which installations that still lack tomorrow look once more."""

_TURN_SPREAD: Final = timedelta(minutes=8)
"""The window after midnight over which they look again, now without a price.

The narrowest window that a whole fleet can meet, and the day's busiest minutes when Nomos publishes nothing at all;
still, a customer without a price should not have to wait for a quarter of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What a price table knows of the days that matter."""

    now_known: bool
    today_complete: bool
    tomorrow_complete: bool

    def reason(self, now: datetime, phase: float) -> PriceRequestReason:
        """Return what is worth asking for at an aware instant."""
        if not self.now_known:
            return PriceRequestReason.CURRENT
        if not self.today_complete:
            return PriceRequestReason.TODAY
        if not self.tomorrow_complete and now >= first_fetch(local_date(now), phase):
            return PriceRequestReason.TOMORROW
        return PriceRequestReason.REST


def installation_phase(*identities: str) -> float:
    """Return this installation's place in every spread, 0 ≤ phase < 1: stable, and even over a fleet."""
    digest = sha256("\0".join(identities).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def first_fetch(day: date, phase: float) -> datetime:
    """Return when an installation first asks for the prices of the day after ``day``, in UTC."""
    return _spread(day, FIRST_FETCH, FIRST_FETCH_SPREAD, phase)


def second_fetch(day: date, phase: float) -> datetime:
    """Return when an installation looks whether prices were corrected after ``day``'s first look, in UTC."""
    return _spread(day, SECOND_FETCH, SECOND_FETCH_SPREAD, phase)


def _spread(day: date, begin: time, window: timedelta, phase: float) -> datetime:
    """Return an installation's instant in a window."""
    return _off_the_minute(_opening(day, begin) + window * phase)


@lru_cache(maxsize=32)
def _opening(day: date, begin: time) -> datetime:
    """Return when a window of a tariff day opens, in UTC; a hub has the same few for a whole day."""
    return datetime.combine(day, begin, TARIFF_ZONE).astimezone(UTC)


def _off_the_minute(instant: datetime) -> datetime:
    """Move an instant out of the first second of its minute, in which the rest of the world asks.

    Those of one such second share almost the same phase, so that only its fractions can strew them over the minute.
    """
    if instant.second == 0:
        return instant + timedelta(seconds=1 + 58 * instant.microsecond / 10**6)
    return instant


def _next_fetch(now: datetime, phase: float) -> datetime:
    """Return the first look of either kind after an aware instant."""
    today = local_date(now)
    for look in first_fetch(today, phase), second_fetch(today, phase):
        if look > now:
            return look
    return first_fetch(today + timedelta(days=1), phase)


def next_price_request(
    now: datetime,
    reason: PriceRequestReason,
    *,
    phase: float,
    misses: int,
    chance: float,
) -> datetime:
    """Return when to ask for prices again, in UTC, always after ``now``.

    Args:
        now: the current instant, aware.
        reason: what is still missing after the last answer, see ``Knowledge.reason``.
        phase: the installation's place in the spread, see ``installation_phase``.
        misses: how many requests in a row, the last one included, did not bring what they were made for.
        chance: a random number, -1 ≤ chance ≤ 1, that moves repeated requests apart.

    """
    look = _next_fetch(now, phase)
    if reason is PriceRequestReason.REST:
        return look
    gaps = GAPS[reason]
    minutes = gaps[min(max(misses, 1), len(gaps)) - 1]
    jitter = (
        _GAP_JITTER_WITHOUT_PRICE
        if reason is PriceRequestReason.CURRENT
        else _GAP_JITTER
    )
    repeated = now + timedelta(minutes=minutes * (1 + jitter * chance))
    # A long gap must neither sleep through midnight, where the last known price runs out, nor through the next look.
    at = min(repeated, look)
    midnight = next_midnight(now)
    eve = midnight - timedelta(minutes=2) - _EVE_SPREAD * phase
    turn = midnight + timedelta(seconds=20) + _TURN_SPREAD * phase
    at = min(at, eve if eve > now else turn)
    return _off_the_minute(at)


def misses_after(misses: int, reason: PriceRequestReason, *, news: bool) -> int:
    """Return how many requests in a row left something to be desired, counting the one that was just answered.

    Args:
        misses: how many it were before.
        reason: what the request was to bring.
        news: whether it changed anything. That the reason is another one is not enough to hurry.

    """
    return 1 if news or reason is PriceRequestReason.REST else misses + 1


def pause_until(now: datetime, wait: timedelta) -> datetime:
    """Return until when to be silent where Nomos asks for a wait."""
    return now + min(max(wait, SHORTEST_PAUSE), LONGEST_PAUSE)


def after_pause(now: datetime, at: datetime, until: datetime, phase: float) -> datetime:
    """Return the time of a planned request, put off until after a silence.

    Args:
        now: the current instant, aware.
        at: when the request is planned for.
        until: when the silence ends, after ``now``.
        phase: the installation's place in the spread: those who were told to wait together do not come back together,
            while all that one installation asks for does, and shares an access token.

    """
    shortest, longest = PAUSE_SPREAD
    spread = min(max((until - now) / 2, shortest), longest)
    return max(at, until + timedelta(seconds=1) + spread * phase)


def next_price_request_after_start(
    now: datetime, reason: PriceRequestReason, *, phase: float, chance: float
) -> datetime:
    """Return when to ask for prices after a start from stored ones that know the current price, in UTC.

    What is missing is asked for soon, but not in the rush of starting, nor by a whole street at once when the power
    comes back.
    """
    look = _next_fetch(now, phase)
    if reason is PriceRequestReason.REST:
        return look
    return min(look, now + timedelta(seconds=75 + 45 * chance))


def next_subscription_request(
    now: datetime,
    turning_points: tuple[datetime, ...],
    *,
    overdue: bool,
    phase: float,
    misses: int,
    chance: float,
) -> datetime:
    """Return when to ask for the list of subscriptions again, in UTC, always after ``now``.

    Once a day together with the first look for prices, and shortly after a contract is due to begin or to end.

    Args:
        now: the current instant, aware.
        turning_points: when contracts begin and end, aware.
        overdue: whether a contract must have begun or ended while the hub was off.
        phase: the installation's place in the spread, see ``installation_phase``.
        misses: how many requests in a row failed, or did not bring a turn that is due.
        chance: a random number, -1 ≤ chance ≤ 1, that moves repeated requests apart.

    """
    look = first_fetch(local_date(now), phase)
    if look <= now:
        look = first_fetch(local_date(now) + timedelta(days=1), phase)
    if misses:
        gap = _FAILURE_GAPS[min(misses, len(_FAILURE_GAPS)) - 1]
        return min(look, now + timedelta(minutes=gap * (1 + _GAP_JITTER * chance)))
    if overdue:
        return min(look, now + timedelta(minutes=1) + timedelta(minutes=4) * phase)
    # Contracts turn at midnight for everybody at once: spread those looks over half an hour, too.
    delay = timedelta(minutes=1) + FIRST_FETCH_SPREAD * phase
    return min(
        [look, *(point + delay for point in turning_points if point + delay > now)]
    )


def usage_fetch(day: date, phase: float) -> datetime:
    """Return when an installation asks what was metered on the day before ``day``, in UTC."""
    return _off_the_minute(second_fetch(day, phase) + USAGE_AFTER)


def next_usage_request(
    now: datetime, *, late: bool, phase: float, misses: int, chance: float
) -> datetime:
    """Return when to ask for usage again, in UTC, always after ``now``.

    Args:
        now: the current instant, aware.
        late: whether the meter's data of yesterday should be there by now, and is not.
        phase: the installation's place in the spread, see ``installation_phase``.
        misses: how many requests in a row, the last one included, failed.
        chance: a random number, -1 ≤ chance ≤ 1, that moves repeated requests apart.

    """
    look = _next_usage_fetch(now, phase)
    if misses:
        gap = _USAGE_GAPS[min(misses, len(_USAGE_GAPS)) - 1]
        repeated = now + timedelta(minutes=gap * (1 + _GAP_JITTER * chance))
        return _off_the_minute(min(look, repeated))
    evening = usage_fetch(local_date(now), phase) + _USAGE_EVENING
    return evening if late and now < evening < look else look


def next_usage_request_after_start(
    now: datetime, looked_to: date | None, *, phase: float, chance: float
) -> datetime:
    """Return when to ask for usage after a start, in UTC.

    Args:
        now: the current instant, aware.
        looked_to: the day up to which usage was asked for; None where it never was.
        phase: the installation's place in the spread, see ``installation_phase``.
        chance: a random number, -1 ≤ chance ≤ 1, that moves a street apart when its power comes back.

    """
    if looked_to is None:
        return now + timedelta(seconds=40 + 20 * chance)
    today = local_date(now)
    due = today if now >= usage_fetch(today, phase) else today - timedelta(days=1)
    # A look on a day that has not come was taken by a clock that was ahead.
    if not due <= looked_to <= today:
        return now + timedelta(seconds=150 + 60 * chance)
    return _next_usage_fetch(now, phase)


def _next_usage_fetch(now: datetime, phase: float) -> datetime:
    today = local_date(now)
    look = usage_fetch(today, phase)
    return look if look > now else usage_fetch(today + timedelta(days=1), phase)
