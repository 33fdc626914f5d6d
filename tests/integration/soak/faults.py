"""The faults and their times, drawn from a seed, independent of the integration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
import math
from random import Random
from typing import Any, Final, Literal

from simulator.berlin import DAY, at_local, local_date, midnight
from tests.integration.soak.disk import DISK_FAULTS, DiskFault
from tests.integration.soak.hostile_bytes import HOSTILE
from tests.integration.soak.recipes import RECIPES, Harm, Recipe

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(minutes=15)
YEAR: Final = 365 * DAY


type Holes = Literal["missing", "null_amounts", "nan_amounts"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Responses are wrong for a while."""

    recipe: Recipe
    match: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nomos refuses connections for a while."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Hole:
    """Some intervals are missing in every response for a while."""

    style: Holes
    intervals: tuple[datetime, datetime]
    until: datetime


@dataclass(frozen=True, slots=True)
class DeadAccess:
    """Nomos invalidates all access tokens."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Home Assistant stops cleanly and starts again."""

    down: timedelta


@dataclass(frozen=True, slots=True)
class PowerCut:
    """The power fails: now, or just after the next rotation of the refresh token."""

    down: timedelta
    after_rotation: bool
    skew: timedelta = timedelta()
    """How far the clock is ahead at the start; it is usually behind, since it has no battery."""
    until_network_time: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Revocation:
    """The customer revokes the grant in the portal."""

    immediate: bool
    until_linked: timedelta


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The next response with a rotated token is lost."""

    how: Literal["reset_after", "truncate"]
    until_linked: timedelta


@dataclass(frozen=True, slots=True)
class PublicationPlan:
    """How the prices of a delivery day are published."""

    day: date
    kind: Literal["late", "partial", "never", "tardy"]
    at: time
    minutes: int
    batch: float


@dataclass(frozen=True, slots=True)
class Correction:
    """Nomos corrects the price of an interval that is so far ahead."""

    ahead: timedelta
    amount: float


@dataclass(frozen=True, slots=True)
class Suspension:
    """The machine is suspended."""

    duration: timedelta


@dataclass(frozen=True, slots=True)
class WrongClock:
    """The hub's clock is wrong for a while."""

    skew: timedelta
    duration: timedelta
    then_alone: bool = False
    """Whether the hub is restarted soon after the clock was set right, while Nomos refuses connections."""


@dataclass(frozen=True, slots=True)
class FullDisk:
    """Nothing can be written for a while."""

    fault: DiskFault
    until: datetime


@dataclass(frozen=True, slots=True)
class PassingRefusal:
    """Nomos refuses a good grant once, or for a while."""

    where: Literal["api", "token"]
    answer: dict[str, Any]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ForeignContract:
    """The list of contracts contains a contract of another customer, next to ours or instead of it."""

    instead: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class NotYetAnswer:
    """Nomos reports unpublished prices differently."""

    unpublished: str


_UNPUBLISHED: Final = (
    "absent",
    "null_amounts",
    "null_electricity",
    "error_404",
    "error_400",
)

type Trouble = (
    Fault
    | Refusal
    | Hole
    | DeadAccess
    | Restart
    | PowerCut
    | Revocation
    | LostAnswer
    | PublicationPlan
    | Correction
    | Suspension
    | WrongClock
    | FullDisk
    | PassingRefusal
    | ForeignContract
    | NotYetAnswer
)

REFUSALS: Final[tuple[dict[str, Any], ...]] = (
    {"status": 401},
    {"status": 400, "code": "BAD_REQUEST"},
    {"status": 403},
    {"status": 403, "shape": "rfc"},
    {"status": 400, "shape": "rfc"},
)
"""The ways in which the token endpoint may refuse a grant; access_denied and invalid_grant follow RFC 6749."""

# The number of faults of each kind per day: in quiet, normal and bad weeks.
_RATES: Final[dict[str, tuple[float, float, float]]] = {
    "fault": (0.0, 0.25, 1.5),
    "refusal": (0.0, 0.03, 0.15),
    "hole": (0.0, 0.1, 0.4),
    "dead access": (0.0, 0.1, 0.4),
    "restart": (0.1, 0.15, 0.5),
    "power cut": (0.0, 0.1, 0.5),
    "revocation": (0.0, 0.012, 0.02),
    "lost answer": (0.0, 0.01, 0.02),
    "publication": (0.0, 0.12, 0.4),
    "correction": (0.1, 0.2, 0.5),
    "suspension": (0.0, 0.02, 0.06),
    "wrong clock": (0.0, 0.04, 0.1),
    "full disk": (0.0, 0.03, 0.1),
    "slip": (0.0, 0.03, 0.06),
    "passing refusal": (0.0, 0.01, 0.03),
    "foreign contract": (0.0, 0.02, 0.06),
    "hostile": (0.0, 0.06, 0.2),
    "not yet answer": (0.1, 0.1, 0.1),
}


def draw_faults(
    rng: Random, start: datetime, days: int
) -> Iterator[tuple[datetime, Trouble]]:
    """Yield all faults with their times, unsorted."""
    begin = local_date(start)
    for number in range(days):
        if number % 7 == 0:
            mood = rng.choices((0, 1, 2), (3, 5, 4))[0]
        day = begin + number * DAY
        for name, rates in _RATES.items():
            for _ in range(_poisson(rng, rates[mood])):
                at = midnight(day) + timedelta(seconds=rng.uniform(0, 86400))
                if name == "publication":
                    # The plan must be known before the auction.
                    at = at_local(day, time(9))
                if at > start + HOUR:
                    yield at, _DRAW[name](rng, at)
                if name == "publication":
                    break


def _poisson(rng: Random, rate: float) -> int:
    count, left = 0, rng.random()
    chance = math.exp(-rate)
    while left > chance and count < 10:
        left -= chance
        count += 1
        chance *= rate / count
    return count


def _length(rng: Random, shortest: timedelta, longest: timedelta) -> timedelta:
    """Return a log-uniformly distributed duration."""
    return shortest * math.exp(rng.uniform(0, math.log(longest / shortest)))


def _fault(rng: Random, at: datetime) -> Trouble:
    recipe = rng.choices(RECIPES, [one.weight for one in RECIPES])[0]
    until = at + _length(rng, 3 * MINUTE, 48 * HOUR)
    return Fault(recipe, rng.choice(recipe.matches), until)


def _hostile(rng: Random, at: datetime) -> Trouble:
    recipe = rng.choices(HOSTILE, [one.weight for one in HOSTILE])[0]
    longest = 12 * HOUR if recipe.harm is Harm.LISTS else 30 * HOUR
    until = at + _length(rng, 10 * MINUTE, longest)
    return Fault(recipe, rng.choice(recipe.matches), until)


def _hole(rng: Random, at: datetime) -> Trouble:
    first = midnight(local_date(at) + rng.choice((0, 1, 1)) * DAY)
    first += rng.randrange(96) * QUARTER
    span = first, first + rng.choice((1, 1, 2, 4, 12, 40)) * QUARTER
    style: Holes = rng.choice(("missing", "null_amounts", "nan_amounts"))
    return Hole(style, span, at + _length(rng, HOUR, 36 * HOUR))


def _power_cut(rng: Random, _at: datetime) -> Trouble:
    down, after_rotation = _length(rng, MINUTE, 8 * HOUR), rng.random() < 0.6
    if rng.random() < 0.65:
        return PowerCut(down, after_rotation)
    skew = -_length(rng, MINUTE, 10 * HOUR)
    if rng.random() < 0.4:
        skew = _wrong_skew(rng)
    network = _length(rng, MINUTE / 2, 20 * MINUTE)
    return PowerCut(down, after_rotation, skew, network)


def _revocation(rng: Random, _at: datetime) -> Trouble:
    return Revocation(rng.random() < 0.7, _length(rng, MINUTE, 20 * HOUR))


def _lost_answer(rng: Random, _at: datetime) -> Trouble:
    how: Literal["reset_after", "truncate"] = rng.choice(("reset_after", "truncate"))
    return LostAnswer(how, _length(rng, MINUTE, 20 * HOUR))


def _correction(rng: Random, _at: datetime) -> Trouble:
    ahead = timedelta(hours=rng.uniform(0, 30))
    return Correction(ahead, round(rng.uniform(-20, 90), 4))


def _wrong_clock(rng: Random, _at: datetime) -> Trouble:
    if rng.random() < 0.4:
        skew = rng.choice((-5, -3, -1, 1, 4)) * MINUTE * rng.uniform(0.2, 1)
        return WrongClock(skew, _length(rng, MINUTE, 6 * HOUR))
    return WrongClock(
        _wrong_skew(rng), _length(rng, MINUTE, 2 * HOUR), rng.random() < 0.3
    )


def _full_disk(rng: Random, at: datetime) -> Trouble:
    until = at + _length(rng, timedelta(seconds=5), 12 * HOUR)
    return FullDisk(rng.choice(DISK_FAULTS), until)


def _passing_refusal(rng: Random, at: datetime) -> Trouble:
    if rng.random() < 0.5:
        until = at + _length(rng, 3 * HOUR, 26 * HOUR)
        return PassingRefusal("api", {"status": 401}, until)
    until = at + _length(rng, 3 * MINUTE, 26 * HOUR)
    return PassingRefusal("token", rng.choice(REFUSALS), until)


def _foreign_contract(rng: Random, at: datetime) -> Trouble:
    instead = rng.random() < 0.4
    longest = 12 * HOUR if instead else 48 * HOUR
    return ForeignContract(instead, at + _length(rng, HOUR, longest))


_DRAW: Final[Mapping[str, Callable[[Random, datetime], Trouble]]] = {
    "fault": _fault,
    "refusal": lambda rng, at: Refusal(at + _length(rng, 3 * MINUTE, 48 * HOUR)),
    "hole": _hole,
    "dead access": lambda _rng, _at: DeadAccess(),
    "restart": lambda rng, _at: Restart(_length(rng, MINUTE, 3 * HOUR)),
    "power cut": _power_cut,
    "revocation": _revocation,
    "lost answer": _lost_answer,
    "publication": lambda rng, at: _publication(rng, local_date(at) + DAY),
    "correction": _correction,
    "suspension": lambda rng, _at: Suspension(_length(rng, 2 * MINUTE, 10 * HOUR)),
    "wrong clock": _wrong_clock,
    "full disk": _full_disk,
    "slip": lambda rng, _at: PassingRefusal("token", rng.choice(REFUSALS), None),
    "passing refusal": _passing_refusal,
    "foreign contract": _foreign_contract,
    "hostile": _hostile,
    "not yet answer": lambda rng, _at: NotYetAnswer(rng.choice(_UNPUBLISHED)),
}
"""How each kind of fault is drawn."""


def _wrong_skew(rng: Random) -> timedelta:
    """Return by how many days a clock is ahead, or sometimes behind."""
    days = rng.choices((1, 9, 365, -1, -3), (5, 4, 1, 1, 1))[0]
    return days * DAY * rng.uniform(0.7, 1)


def _publication(rng: Random, day: date) -> PublicationPlan:
    match rng.choice(("late", "late", "partial", "never", "tardy")):
        case "late":
            minute = rng.randrange(14 * 60 + 30, 21 * 60)
            return PublicationPlan(day, "late", time(minute // 60, minute % 60), 0, 1)
        case "partial":
            minute = rng.randrange(13 * 60, 15 * 60)
            at = time(minute // 60, minute % 60)
            return PublicationPlan(
                day, "partial", at, rng.randrange(10, 400), rng.random()
            )
        case "never":
            return PublicationPlan(day, "never", time(), 0, 1)
        case _:
            minute = rng.randrange(10, 22 * 60)
            return PublicationPlan(day, "tardy", time(minute // 60, minute % 60), 0, 1)
