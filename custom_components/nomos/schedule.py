"""When to ask Nomos next: pure arithmetic on times.

Knows neither Home Assistant nor the network, so that a simulation of a whole fleet can run the same code as a hub.

A normal day of one account with one subscription: the list of subscriptions and the prices are asked for together
at a time of its own between 13:30 and 14:00, under one access token. Where tomorrow is not yet there, it is asked for
twice more before 15:00, while that token is still valid. One later look, after 16:00, picks up corrections.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from hashlib import sha256
from typing import Final

from .pricing import TARIFF_ZONE, local_date, next_midnight


class Goal(Enum):
    """What the next request for prices is to bring."""

    ACCESS = "access"
    CURRENT = "current"
    TODAY = "today"
    TOMORROW = "tomorrow"
    REST = "rest"


FIRST_LOOK: Final = time(13, 30)
"""When the first installation asks for tomorrow, tariff time. The auction ends at about 13:00 and prices are final
by about 14:20 (Nomos documentation, load shifting): earlier looks would mostly find nothing."""

FIRST_LOOK_SPREAD: Final = timedelta(minutes=30)
"""The window over which a fleet's first looks are spread evenly."""

_GAPS: Final = {
    # What Nomos refuses it will not grant a minute later.
    Goal.ACCESS: (60, 120, 240),
    Goal.CURRENT: (1, 2, 5, 10, 20, 30),
    Goal.TODAY: (15, 30, 60, 120),
    # The second and third look fall within the hour of one access token.
    Goal.TOMORROW: (20, 35, 60, 60, 90, 120),
}
"""Minutes between requests that do not reach their goal; the last gap goes on."""

_FAILURE_GAPS: Final = (15, 30, 60, 120)
"""Minutes between requests for the subscriptions that fail; the last gap goes on."""

_GAP_JITTER: Final = 0.08
"""The share of a gap by which it is moved at random, so that installations that failed together drift apart."""


SECOND_LOOK: Final = time(16, 10)
"""When the first installation looks for corrections, tariff time: after prices are final, whichever way "14:20 CET" is
meant in summer, and when the usage of yesterday is there, too (Nomos documentation, load shifting; API, Usage)."""

SECOND_LOOK_SPREAD: Final = timedelta(minutes=50)
"""The window over which a fleet's second looks are spread evenly."""

USAGE_AFTER: Final = timedelta(seconds=20)
"""How long after the second look usage is asked for: under the same access token, with prices that are corrected."""

_USAGE_GAPS: Final = (30, 60, 120, 240)
"""Minutes between requests for usage that fail; the last gap goes on."""

_USAGE_EVENING: Final = timedelta(hours=4)
"""How long after the look for usage another one is made on a day on which the meter's data is late."""

_EVE_SPREAD: Final = timedelta(minutes=20)
"""The window before midnight over which installations that still lack tomorrow look once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What a price table knows of the days that matter."""

    now_known: bool
    today_complete: bool
    tomorrow_complete: bool

    def goal(self, now: datetime, phase: float) -> Goal:
        """Return what is worth asking for at an aware instant."""
        if not self.now_known:
            return Goal.CURRENT
        if not self.today_complete:
            return Goal.TODAY
        if not self.tomorrow_complete and now >= first_look(local_date(now), phase):
            return Goal.TOMORROW
        return Goal.REST


def installation_phase(*identities: str) -> float:
    """Return this installation's place in every spread, 0 ≤ phase < 1: stable, and even over a fleet."""
    digest = sha256("\0".join(identities).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def first_look(day: date, phase: float) -> datetime:
    """Return when an installation first asks for the prices of the day after ``day``, in UTC."""
    return _spread(day, FIRST_LOOK, FIRST_LOOK_SPREAD, phase)


def second_look(day: date, phase: float) -> datetime:
    """Return when an installation looks whether prices were corrected after ``day``'s first look, in UTC."""
    return _spread(day, SECOND_LOOK, SECOND_LOOK_SPREAD, phase)


def _spread(day: date, begin: time, window: timedelta, phase: float) -> datetime:
    """Return an installation's instant in a window."""
    instant = datetime.combine(day, begin, TARIFF_ZONE).astimezone(UTC)
    return _off_the_minute(instant + window * phase, phase)


def _off_the_minute(instant: datetime, phase: float) -> datetime:
    """Move an instant out of the first second of its minute, in which the rest of the world asks."""
    if instant.second == 0:
        return instant + timedelta(seconds=1 + 58 * phase)
    return instant


def _next_look(now: datetime, phase: float) -> datetime:
    """Return the first look of either kind after an aware instant."""
    today = local_date(now)
    looks = (
        first_look(today, phase),
        second_look(today, phase),
        first_look(today + timedelta(days=1), phase),
    )
    return next(look for look in looks if look > now)


def next_price_request(
    now: datetime, goal: Goal, *, phase: float, misses: int, chance: float
) -> datetime:
    """Return when to ask for prices again, in UTC, always after ``now``.

    Args:
        now: the current instant, aware.
        goal: what is still missing after the last answer, see ``Knowledge.goal``.
        phase: the installation's place in the spread, see ``installation_phase``.
        misses: how many requests in a row, the last one included, left this goal unreached.
        chance: a random number, -1 ≤ chance ≤ 1, that moves repeated requests apart.

    """
    look = _next_look(now, phase)
    if goal is Goal.REST:
        return look
    gaps = _GAPS[goal]
    minutes = gaps[min(max(misses, 1), len(gaps)) - 1]
    repeated = now + timedelta(minutes=minutes * (1 + _GAP_JITTER * chance))
    midnight = next_midnight(now)
    # A long gap must neither sleep through midnight, where the last known price runs out, nor through the next look.
    checkpoints = (
        midnight - timedelta(minutes=2) - _EVE_SPREAD * phase,
        midnight + timedelta(seconds=20) + timedelta(minutes=4) * phase,
        look,
    )
    at = min(repeated, *(point for point in checkpoints if point > now))
    return _off_the_minute(at, phase)


def next_price_request_after_start(
    now: datetime, goal: Goal, *, phase: float, chance: float
) -> datetime:
    """Return when to ask for prices after a start from stored ones that know the current price, in UTC.

    What is missing is asked for soon, but not in the rush of starting, nor by a whole street at once when the power
    comes back.
    """
    look = _next_look(now, phase)
    if goal is Goal.REST:
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
    look = first_look(local_date(now), phase)
    if look <= now:
        look = first_look(local_date(now) + timedelta(days=1), phase)
    if misses:
        gap = _FAILURE_GAPS[min(misses, len(_FAILURE_GAPS)) - 1]
        return min(look, now + timedelta(minutes=gap * (1 + _GAP_JITTER * chance)))
    if overdue:
        return min(look, now + timedelta(minutes=1) + timedelta(minutes=4) * phase)
    # Contracts turn at midnight for everybody at once: spread those looks over half an hour, too.
    delay = timedelta(minutes=1) + FIRST_LOOK_SPREAD * phase
    return min(
        [look, *(point + delay for point in turning_points if point + delay > now)]
    )


def usage_look(day: date, phase: float) -> datetime:
    """Return when an installation asks what was metered on the day before ``day``, in UTC."""
    return second_look(day, phase) + USAGE_AFTER


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
    look = _next_usage_look(now, phase)
    if misses:
        gap = _USAGE_GAPS[min(misses, len(_USAGE_GAPS)) - 1]
        repeated = now + timedelta(minutes=gap * (1 + _GAP_JITTER * chance))
        return _off_the_minute(min(look, repeated), phase)
    evening = usage_look(local_date(now), phase) + _USAGE_EVENING
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
    due = today if now >= usage_look(today, phase) else today - timedelta(days=1)
    if looked_to < due:
        return now + timedelta(seconds=150 + 60 * chance)
    return _next_usage_look(now, phase)


def _next_usage_look(now: datetime, phase: float) -> datetime:
    today = local_date(now)
    look = usage_look(today, phase)
    return look if look > now else usage_look(today + timedelta(days=1), phase)
