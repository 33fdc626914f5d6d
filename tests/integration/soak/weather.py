"""What goes wrong and when: drawn from a seed, whatever the integration does about it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
import math
from random import Random
from typing import Any, Final, Literal

from simulator.berlin import DAY, at_local, local_date, midnight

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(minutes=15)


class Harm(Enum):
    """What a fault does to prices."""

    NONE = "none"
    ALL = "all"
    DENIED = "denied"
    """As ALL, and the house may come back to it later than usual."""
    SETUP = "setup"
    """Prices can be had, but a house that has to start from nothing cannot."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of fault."""

    name: str
    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    matches: tuple[str | None, ...] = (None, "prices", "subscriptions", "token")
    harm: Harm = Harm.ALL
    weight: int = 2


_API: Final = (None, "prices", "prices", "subscriptions")
_PRICES: Final = ("prices",)
_TOKEN: Final = ("token",)

RECIPES: Final = (
    Recipe("reset", "reset", weight=4),
    Recipe("500", "status", {"status": 500}),
    Recipe("500 page", "status", {"status": 500, "body": "html"}),
    Recipe("502", "status", {"status": 502}),
    Recipe("503", "status", {"status": 503}, weight=4),
    Recipe("504", "status", {"status": 504}),
    Recipe("429", "rate_limit"),
    Recipe("429 for a minute", "rate_limit", {"retry_after": 60}),
    Recipe("429 for an hour", "rate_limit", {"retry_after": 3600}, weight=4),
    Recipe("429 for three hours", "rate_limit", {"retry_after": 10800}),
    Recipe("429 for a week", "rate_limit", {"retry_after": 604800}),
    Recipe(
        "429 nonsense", "rate_limit", {"headers": {"retry-after": "soon"}}, weight=1
    ),
    Recipe("slow", "delay", {"seconds": 12}, harm=Harm.NONE),
    Recipe("slow token", "delay", {"seconds": 45}, _TOKEN, harm=Harm.NONE),
    Recipe("too slow", "delay", {"seconds": 80}),
    Recipe("truncated", "truncate", {"keep": 0.6}, _PRICES, weight=4),
    Recipe("truncated list", "truncate", {"keep": 0.2}, ("subscriptions",), Harm.SETUP),
    Recipe("cut", "truncate", {"keep": 0.5, "cut_connection": True}, _PRICES),
    Recipe("empty", "empty", matches=(*_API, "token")),
    Recipe("page", "html", matches=(*_API, "token")),
    Recipe("403 page", "html", {"status": 403}, _TOKEN),
    Recipe("list", "list", matches=(*_API, "token")),
    Recipe("null items", "set_fields", {"values": {"items": None}}, _PRICES),
    Recipe("no items", "set_fields", {"values": {"items": []}}, _PRICES),
    Recipe("without items", "drop_fields", {"fields": ["items"]}, _PRICES),
    Recipe("wrong unit", "settings", {"unit": "EUR/MWh"}, _PRICES),
    Recipe("other unit", "settings", {"unit": "EUR/kWh"}, _PRICES),
    Recipe("402", "status", {"status": 402}, _PRICES, Harm.DENIED),
    Recipe("403", "status", {"status": 403}, _PRICES, Harm.DENIED),
    Recipe("404", "status", {"status": 404}, _PRICES, Harm.DENIED),
    Recipe(
        "no subscriptions", "status", {"status": 500}, ("subscriptions",), Harm.SETUP
    ),
    Recipe("duplicates", "settings", {"duplicates": True}, _PRICES, Harm.NONE),
    Recipe("unsorted", "settings", {"unsorted": True}, _PRICES, Harm.NONE),
    Recipe(
        "strange but right",
        "settings",
        {"extra_fields": True, "timestamps": "mixed", "unknown_component": True},
        (None,),
        Harm.NONE,
    ),
    Recipe("without parts", "settings", {"components": "null"}, _PRICES, Harm.NONE),
)

type Holes = Literal["missing", "null_amounts", "nan_amounts"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Answers go wrong for a time."""

    recipe: Recipe
    match: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody listens for a time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Hole:
    """Some intervals are missing in every answer for a time."""

    style: Holes
    intervals: tuple[datetime, datetime]
    until: datetime


@dataclass(frozen=True, slots=True)
class DeadAccess:
    """Nomos forgets its access tokens."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Home Assistant stops in good order and starts again."""

    down: timedelta


@dataclass(frozen=True, slots=True)
class PowerCut:
    """The power fails: now, or just after the next rotation of the refresh token."""

    down: timedelta
    after_rotation: bool
    clock_behind: timedelta = timedelta()
    """How far the clock is behind at the start, for lack of a battery."""
    until_network_time: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Revocation:
    """The customer ends the consent in the portal."""

    immediate: bool
    until_linked: timedelta


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The next answer with a rotated token is lost on its way."""

    how: Literal["reset_after", "truncate"]
    until_linked: timedelta


@dataclass(frozen=True, slots=True)
class Outing:
    """How the prices of a delivery day come out."""

    day: date
    kind: Literal["late", "partial", "never", "tardy"]
    at: time
    minutes: int
    batch: float


@dataclass(frozen=True, slots=True)
class Correction:
    """Nomos corrects the price of an interval so long from now."""

    ahead: timedelta
    amount: float


@dataclass(frozen=True, slots=True)
class Suspension:
    """The machine sleeps."""

    duration: timedelta


@dataclass(frozen=True, slots=True)
class WrongClock:
    """The hub's clock is off for a time."""

    skew: timedelta
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Manners:
    """Nomos says "not yet" in another way."""

    unpublished: str


type Trouble = (
    Fault
    | Refusal
    | Hole
    | DeadAccess
    | Restart
    | PowerCut
    | Revocation
    | LostAnswer
    | Outing
    | Correction
    | Suspension
    | WrongClock
    | Manners
)

# How often a kind of trouble comes, per day: in calm, in normal and in stormy weeks.
_RATES: Final[dict[str, tuple[float, float, float]]] = {
    "fault": (0.0, 0.25, 1.5),
    "refusal": (0.0, 0.03, 0.15),
    "hole": (0.0, 0.1, 0.4),
    "dead access": (0.0, 0.1, 0.4),
    "restart": (0.1, 0.15, 0.5),
    "power cut": (0.0, 0.1, 0.5),
    "revocation": (0.0, 0.012, 0.02),
    "lost answer": (0.0, 0.01, 0.02),
    "outing": (0.0, 0.12, 0.4),
    "correction": (0.1, 0.2, 0.5),
    "suspension": (0.0, 0.02, 0.06),
    "wrong clock": (0.0, 0.02, 0.06),
    "manners": (0.1, 0.1, 0.1),
}


def forecast(
    rng: Random, start: datetime, days: int
) -> Iterator[tuple[datetime, Trouble]]:
    """Yield what will go wrong, in no order."""
    begin = local_date(start)
    for number in range(days):
        if number % 7 == 0:
            mood = rng.choices((0, 1, 2), (3, 5, 4))[0]
        day = begin + number * DAY
        for name, rates in _RATES.items():
            for _ in range(_poisson(rng, rates[mood])):
                at = midnight(day) + timedelta(seconds=rng.uniform(0, 86400))
                if name == "outing":
                    # Nomos makes up its mind before the auction.
                    at = at_local(day, time(9))
                if at > start + HOUR:
                    yield at, _trouble(rng, name, at)
                if name == "outing":
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
    """Return a length of time, short ones as likely as long ones."""
    return shortest * math.exp(rng.uniform(0, math.log(longest / shortest)))


def _trouble(rng: Random, name: str, at: datetime) -> Trouble:
    match name:
        case "fault":
            recipe = rng.choices(RECIPES, [one.weight for one in RECIPES])[0]
            until = at + _length(rng, 3 * MINUTE, 48 * HOUR)
            return Fault(recipe, rng.choice(recipe.matches), until)
        case "refusal":
            return Refusal(at + _length(rng, 3 * MINUTE, 48 * HOUR))
        case "hole":
            first = midnight(local_date(at) + rng.choice((0, 1, 1)) * DAY)
            first += rng.randrange(96) * QUARTER
            span = first, first + rng.choice((1, 1, 2, 4, 12, 40)) * QUARTER
            style: Holes = rng.choice(("missing", "null_amounts", "nan_amounts"))
            return Hole(style, span, at + _length(rng, HOUR, 36 * HOUR))
        case "dead access":
            return DeadAccess()
        case "restart":
            return Restart(_length(rng, MINUTE, 3 * HOUR))
        case "power cut":
            behind = rng.random() < 0.3
            return PowerCut(
                _length(rng, MINUTE, 8 * HOUR),
                rng.random() < 0.6,
                _length(rng, MINUTE, 10 * HOUR) if behind else timedelta(),
                _length(rng, MINUTE / 2, 20 * MINUTE),
            )
        case "revocation":
            return Revocation(rng.random() < 0.7, _length(rng, MINUTE, 20 * HOUR))
        case "lost answer":
            how: Literal["reset_after", "truncate"] = rng.choice(
                ("reset_after", "truncate")
            )
            return LostAnswer(how, _length(rng, MINUTE, 20 * HOUR))
        case "outing":
            return _outing(rng, local_date(at) + DAY)
        case "correction":
            return Correction(
                timedelta(hours=rng.uniform(0, 30)), round(rng.uniform(-20, 90), 4)
            )
        case "suspension":
            return Suspension(_length(rng, 2 * MINUTE, 10 * HOUR))
        case "wrong clock":
            skew = rng.choice((-5, -3, -1, 1, 4)) * MINUTE * rng.uniform(0.2, 1)
            return WrongClock(skew, _length(rng, MINUTE, 6 * HOUR))
        case "manners":
            return Manners(
                rng.choice(
                    (
                        "absent",
                        "null_amounts",
                        "null_electricity",
                        "error_404",
                        "error_400",
                    )
                )
            )
        case _:
            raise ValueError(name)


def _outing(rng: Random, day: date) -> Outing:
    match rng.choice(("late", "late", "partial", "never", "tardy")):
        case "late":
            minute = rng.randrange(14 * 60 + 30, 21 * 60)
            return Outing(day, "late", time(minute // 60, minute % 60), 0, 1)
        case "partial":
            minute = rng.randrange(13 * 60, 15 * 60)
            at = time(minute // 60, minute % 60)
            return Outing(day, "partial", at, rng.randrange(10, 400), rng.random())
        case "never":
            return Outing(day, "never", time(), 0, 1)
        case _:
            minute = rng.randrange(10, 22 * 60)
            return Outing(day, "tardy", time(minute // 60, minute % 60), 0, 1)
