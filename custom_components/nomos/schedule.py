"""When to send the next request: pure arithmetic on times.

Independent of Home Assistant and the network, so that the simulation of a fleet runs the same code as a hub.

On a normal day an account requests its contracts and their prices at a time of its own between 13:30 and 14:00, with
one access token. If tomorrow's prices are not published by then, it repeats that between 14:20 and 15:00, while the
token is still valid, and after 15:20. One more request between 16:10 and 16:40 picks up corrections. docs/fleet.md
explains what a fleet of such hubs means for the API, and why these numbers were chosen.

All instants are aware; results are in UTC. ``phase`` is the installation's place in every spread (0 ≤ phase < 1),
``chance`` a random number that moves requests apart (-1 ≤ chance ≤ 1), and ``misses`` counts the latest requests in
a row that failed or did not return what was missing; it is 0 after a start.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from hashlib import sha256
from typing import Final

from .pricing import TARIFF_ZONE, local_date, next_midnight


class PriceRequestReason(Enum):
    """Why prices are requested next, in the words of the log."""

    NOT_SUPPLIED = "the contract does not run"
    DENIED = "Nomos has none for this contract, or refuses them"
    CURRENT = "the current one is missing"
    TODAY = "some of today are missing"
    TOMORROW = "some of tomorrow are missing"
    REST = "all are known that should be by now"


FIRST_FETCH: Final = time(13, 30)
"""When the first installation requests tomorrow's prices, tariff time. The auction ends at about 13:00 and prices
are final by about 14:20 (Nomos documentation, load shifting): earlier requests would mostly find nothing."""

FIRST_FETCH_SPREAD: Final = timedelta(minutes=30)
"""The window over which a fleet's first requests are spread evenly: a million hubs send 556 each second."""

SECOND_FETCH: Final = time(16, 10)
"""When the first installation requests corrections, tariff time: after prices are final, whichever way "14:20 CET"
is meant in summer, and once yesterday's usage is available (Nomos documentation, load shifting; API, Usage)."""

SECOND_FETCH_SPREAD: Final = timedelta(minutes=30)
"""The window over which a fleet's second requests are spread evenly."""

GAPS: Final = {
    PriceRequestReason.DENIED: (60, 120, 240),
    PriceRequestReason.CURRENT: (1, 2, 5, 10, 20, 30),
    PriceRequestReason.TODAY: (15, 30, 60, 120),
    # Whatever the jitter, the second request falls after 14:20 and within the first access token's hour; the third
    # falls after 15:20, and the one for corrections within the hour of its token.
    PriceRequestReason.TOMORROW: (54, 65, 60, 90, 120),
}
"""Minutes between requests that do not return what is missing; the last gap is repeated."""

_CONTRACT_GAPS: Final = (15, 30, 60, 120)
_USAGE_GAPS: Final = (30, 60, 120, 240)
"""Minutes between requests that fail; the last gap is repeated."""

_JITTER: Final = 0.07
_JITTER_WITHOUT_PRICE: Final = 0.15
"""The share of a gap by which it varies at random, so that installations that failed together drift apart.

More if the current price is missing: then a whole fleet has sent requests within minutes of midnight."""

SHORTEST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(hours=2)
"""The bounds of a wait that Nomos asks for. A mistake there must not block a household for a day."""

PAUSE_SPREAD: Final = timedelta(minutes=1), timedelta(minutes=30)
"""The shortest and the longest window over which installations resume that waited until the same instant.

In between it is half of the wait: a fleet resumes no faster than on a normal day, and a wait of thirty seconds does
not become half an hour."""

USAGE_AFTER: Final = timedelta(seconds=20)
"""How long after the second request usage is requested: with the same access token, and with corrected prices."""

_USAGE_EVENING: Final = timedelta(hours=4)
"""How long after the request for usage it is repeated if the meter's data is late."""

_EVE_SPREAD: Final = timedelta(minutes=20)
_MIDNIGHT_SPREAD: Final = timedelta(minutes=8)
"""The windows before and after midnight over which installations that lack tomorrow try again.

The second is the narrowest window that a whole fleet may share, and has the busiest minutes of a day without new
prices; but a customer without a price should not wait for a quarter of an hour."""

_DAY: Final = timedelta(days=1)


def installation_phase(*identities: str) -> float:
    """Return this installation's place in every spread, 0 ≤ phase < 1: stable, and even over a fleet."""
    digest = sha256("\0".join(identities).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def first_fetch(day: date, phase: float) -> datetime:
    """Return when an installation first requests the prices of the day after ``day``."""
    first = datetime.combine(day, FIRST_FETCH, TARIFF_ZONE).astimezone(UTC)
    return _off_the_minute(first + FIRST_FETCH_SPREAD * phase)


def second_fetch(day: date, phase: float) -> datetime:
    """Return when an installation requests corrections of prices since ``first_fetch``."""
    first = datetime.combine(day, SECOND_FETCH, TARIFF_ZONE).astimezone(UTC)
    return _off_the_minute(first + SECOND_FETCH_SPREAD * phase)


def usage_fetch(day: date, phase: float) -> datetime:
    """Return when an installation requests the usage of the day before ``day``."""
    return _off_the_minute(second_fetch(day, phase) + USAGE_AFTER)


def _off_the_minute(instant: datetime) -> datetime:
    """Move an instant out of the first second of its minute, in which most other clients send requests.

    Its microseconds spread it over the minute: within that second, installations differ in nothing else.
    """
    if instant.second == 0:
        return instant + timedelta(seconds=1 + 58 * instant.microsecond / 10**6)
    return instant


def _next_daily(
    now: datetime, phase: float, *fetches: Callable[[date, float], datetime]
) -> datetime:
    """Return the first time after an aware instant at which one of the daily requests is due."""
    today = local_date(now)
    return min(
        at
        for day in (today, today + _DAY)
        for fetch in fetches
        if (at := fetch(day, phase)) > now
    )


def _after_gap(
    now: datetime, gaps: Sequence[int], misses: int, jitter: float
) -> datetime:
    """Return when to repeat a request after so many misses; ``jitter`` is the share by which the gap is longer."""
    minutes = gaps[min(misses, len(gaps)) - 1]
    return now + timedelta(minutes=minutes * (1 + jitter))


def price_request_reason(
    now: datetime,
    phase: float,
    *,
    now_known: bool,
    today_complete: bool,
    tomorrow_complete: bool,
) -> PriceRequestReason:
    """Return why to request the prices of a running contract, given which are known."""
    if not now_known:
        return PriceRequestReason.CURRENT
    if not today_complete:
        return PriceRequestReason.TODAY
    if not tomorrow_complete and now >= first_fetch(local_date(now), phase):
        return PriceRequestReason.TOMORROW
    return PriceRequestReason.REST


def next_price_request(
    now: datetime,
    reason: PriceRequestReason,
    *,
    phase: float,
    misses: int,
    chance: float,
) -> datetime:
    """Return when to request prices next, always after ``now``.

    After a start, missing prices are requested soon, but neither in its rush nor by a whole street at once.
    """
    daily = _next_daily(now, phase, first_fetch, second_fetch)
    if reason is PriceRequestReason.REST:
        return daily
    if misses == 0:
        return min(daily, now + timedelta(seconds=75 + 45 * chance))
    current = reason is PriceRequestReason.CURRENT
    jitter = _JITTER_WITHOUT_PRICE if current else _JITTER
    repeated = _after_gap(now, GAPS[reason], misses, jitter * chance)
    # The last known price may end at midnight: try shortly before it, or else shortly after.
    midnight = next_midnight(now)
    eve = midnight - timedelta(minutes=2) - _EVE_SPREAD * phase
    after = midnight + timedelta(seconds=20) + _MIDNIGHT_SPREAD * phase
    return _off_the_minute(min(repeated, daily, eve if eve > now else after))


def misses_after(misses: int, reason: PriceRequestReason, *, news: bool) -> int:
    """Return the misses after an answer to a request that was made for a reason.

    Only news (an answer that changed anything) starts the gaps again; a different reason does not.
    """
    return 1 if news or reason is PriceRequestReason.REST else misses + 1


def pause_until(now: datetime, wait: timedelta) -> datetime:
    """Return until when to pause if Nomos asks for a wait."""
    return now + min(max(wait, SHORTEST_PAUSE), LONGEST_PAUSE)


def after_pause(now: datetime, at: datetime, until: datetime, phase: float) -> datetime:
    """Return the time of a request that is scheduled for ``at``, postponed past a pause that ends after ``now``.

    Installations do not resume together, but all requests of one do, to share an access token.
    """
    shortest, longest = PAUSE_SPREAD
    spread = min(max((until - now) / 2, shortest), longest)
    return max(at, until + timedelta(seconds=1) + spread * phase)


def next_contract_request(
    now: datetime,
    turning_points: tuple[datetime, ...],
    *,
    overdue: bool,
    phase: float,
    misses: int,
    chance: float,
) -> datetime:
    """Return when to request the list of contracts next, always after ``now``.

    This is once a day with the first request for prices, and shortly after a contract begins or ends (its turning
    points); soon if one should have done so while the hub was off (``overdue``).
    """
    daily = _next_daily(now, phase, first_fetch)
    if misses:
        return min(daily, _after_gap(now, _CONTRACT_GAPS, misses, _JITTER * chance))
    if overdue:
        return min(daily, now + timedelta(minutes=1) + timedelta(minutes=4) * phase)
    # Contracts begin and end at midnight for everybody at once: spread those requests over half an hour, too.
    delay = timedelta(minutes=1) + FIRST_FETCH_SPREAD * phase
    return min(
        [daily, *(point + delay for point in turning_points if point + delay > now)]
    )


def next_usage_request(
    now: datetime, *, late: bool, phase: float, misses: int, chance: float
) -> datetime:
    """Return when to request usage next, always after ``now``; sooner if yesterday's data is late."""
    daily = _next_daily(now, phase, usage_fetch)
    if misses:
        repeated = _after_gap(now, _USAGE_GAPS, misses, _JITTER * chance)
        return _off_the_minute(min(daily, repeated))
    evening = usage_fetch(local_date(now), phase) + _USAGE_EVENING
    return evening if late and now < evening < daily else daily


def next_usage_request_after_start(
    now: datetime, synced_on: date | None, *, phase: float, chance: float
) -> datetime:
    """Return when to request usage after a start; ``synced_on`` is the day of the last complete sync."""
    if synced_on is None:
        return now + timedelta(seconds=40 + 20 * chance)
    today = local_date(now)
    due = today if now >= usage_fetch(today, phase) else today - _DAY
    # A sync in the future was recorded by a clock that was ahead.
    if not due <= synced_on <= today:
        return now + timedelta(seconds=150 + 60 * chance)
    return _next_daily(now, phase, usage_fetch)
