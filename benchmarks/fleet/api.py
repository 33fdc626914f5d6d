"""The API, which answers the fleet and counts its requests."""

from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from custom_components.nomos.pricing import TARIFF_ZONE

NOON: Final = datetime(2026, 6, 10, 12, tzinfo=TARIFF_ZONE)
"""The start of the day. All times of the simulation are seconds since then."""

DAY: Final = 86400
MIDNIGHT: Final = 12 * 3600


def at_time(hour: int, minute: int = 0) -> int:
    """Return the second of a time of day, between noon and the next noon."""
    return ((hour - 12) % 24) * 3600 + minute * 60


def clock(second: float) -> str:
    """Return a second as a time of day."""
    return f"{NOON + timedelta(seconds=int(second)):%H:%M:%S}"


class RequestKind(Enum):
    """The kinds of requests; the value is the index of its counts."""

    TOKEN = 0
    SUBSCRIPTIONS = 1
    PRICES = 2
    USAGE = 3


class Answer(Enum):
    """The outcome of a request."""

    SUCCESS = "success"
    DOWN = "down"
    CUT = "cut"
    TOO_MANY = "too many"
    NOT_SENT = "not sent"
    """Nothing was sent at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A time during which no request succeeds; if connections are cut, the token endpoint still works."""

    begin: int
    end: int
    answer: Answer = Answer.DOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The events of a day.

    Attributes:
        published: The second at which tomorrow is published; None for never.
        closures: When the API is down.
        capacity: Requests per second above which the API answers 429, for a fleet of a million.
        retry_after: The seconds to wait in a 429. During a closure, these are the seconds until its end.
        power: When the hubs lose power and get it back.

    """

    name: str
    title: str
    published: int | None
    closures: tuple[Closure, ...] = ()
    capacity: float | None = None
    retry_after: int = 30
    power: tuple[int, int] | None = None


class Api:
    """Answers and counts requests. Each hub represents ``scale`` hubs."""

    def __init__(self, scenario: Scenario, hubs: int, scale: int) -> None:
        """Start with no requests."""
        self._scenario = scenario
        self._scale = scale
        self._capacity = (
            None if scenario.capacity is None else scenario.capacity * hubs / 10**6
        )
        self._window = -1
        self._in_window = 0
        self.requests = [array("I", bytes(4 * DAY)) for _ in RequestKind]
        self.refused = array("I", bytes(4 * DAY))

    def has_tomorrow(self, at: float) -> bool:
        """Return whether the prices of tomorrow are published."""
        published = self._scenario.published
        return published is not None and published <= at

    def ask(self, at: float, kind: RequestKind) -> tuple[Answer, float]:
        """Count a request; return its outcome and the seconds to wait."""
        second = int(at)
        counts = self.requests[kind.value]
        counts[second] += 1
        for closure in self._scenario.closures:
            if closure.begin <= at < closure.end:
                if closure.answer is Answer.CUT:
                    if kind is RequestKind.TOKEN:
                        continue
                    counts[second] += 1
                if closure.answer is Answer.TOO_MANY:
                    self.refused[second] += 1
                return closure.answer, closure.end - at
        if self._is_too_much(second):
            self.refused[second] += 1
            return Answer.TOO_MANY, self._scenario.retry_after
        return Answer.SUCCESS, 0

    def _is_too_much(self, second: int) -> bool:
        if self._capacity is None:
            return False
        # The window has as many seconds as hubs are represented by one, so that the limit stays the same number.
        window = second // self._scale
        if window != self._window:
            self._window, self._in_window = window, 0
        if self._in_window >= self._capacity:
            return True
        self._in_window += 1
        return False
