"""How a price stands within its day: level, rank and percentile.

An interval is *cheap* when it belongs to the cheapest quarter of the day's known time and costs at least 1 ct/kWh less
than the day's middle price; *very cheap* in the cheapest tenth and at least 2 ct/kWh below. *Expensive* and *very
expensive* mirror that. A price below zero is always at least cheap and never expensive. All else is *normal*.

Why so. The share makes a level something that happens every day, without configuration. The distance keeps flat days
normal: what costs the same everywhere is not worth waiting for. It is a distance in ct, not in percent, because that is
what moving a kWh saves, and because percent of a price near or below zero mean nothing. It is measured from the middle
price (the median over time), not from the average or the extremes, which a single spike moves. Nothing is divided by a
price. Adding the same amount to every price of a day changes no level, but for the rule about prices below zero.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum
from itertools import groupby
from math import isfinite
from typing import Final, Self

from .days import local_date
from .table import DayPrices, Interval

_HOUR: Final = timedelta(hours=1)
_ZERO: Final = timedelta()
_DIGITS: Final = 8
"""Prices that agree to this many decimals of EUR/kWh are equal, as for the day's average."""


class Level(IntEnum):
    """The five steps from very cheap to very expensive, in order."""

    VERY_CHEAP = 1
    CHEAP = 2
    NORMAL = 3
    EXPENSIVE = 4
    VERY_EXPENSIVE = 5

    @property
    def key(self) -> str:
        """Return the name that states and translations use, such as ``very_cheap``."""
        return self.name.lower()

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Return the level with this key.

        Raises:
            ValueError: there is no such level.

        """
        for level in cls:
            if level.key == key:
                return level
        raise ValueError(f"No such level: {key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelThresholds:
    """What cheap and expensive mean.

    The shares are percent of the day's known time, at most 50; a share of zero turns its level off. The distances from
    the day's middle price are in EUR/kWh and greater than zero, so that on a flat day everything is normal.

    Raises:
        ValueError: a share or a distance is out of bounds, or "very" asks for less than the plain level.

    """

    cheap_share: float = 25.0
    very_cheap_share: float = 10.0
    expensive_share: float = 25.0
    very_expensive_share: float = 10.0
    distance: float = 0.01
    very_distance: float = 0.02

    def __post_init__(self) -> None:
        """Refuse thresholds that contradict each other."""
        if not 0 <= self.very_cheap_share <= self.cheap_share <= 50:
            raise ValueError(
                "Shares of cheap time must be 0 <= very cheap <= cheap <= 50"
            )
        if not 0 <= self.very_expensive_share <= self.expensive_share <= 50:
            raise ValueError(
                "Shares of expensive time must be 0 <= very expensive <= expensive <= 50"
            )
        if not 0 < self.distance <= self.very_distance or not isfinite(
            self.very_distance
        ):
            raise ValueError("Distances must be 0 < distance <= very distance")


DEFAULT_THRESHOLDS: Final = LevelThresholds()


@dataclass(frozen=True, slots=True)
class PriceRating:
    """How a priced interval stands among the known prices of its day.

    ``rank`` counts intervals: 1 is the cheapest, equals share the lower rank. ``percentile`` (0-100) is the percent of
    the known time that is cheaper, plus half of the time at the same price, itself included: 50 throughout a flat day.
    ``ahead`` is the known time that comes first when the cheapest is taken first, and of equals the earliest.
    """

    interval: Interval
    level: Level
    rank: int
    percentile: float
    ahead: timedelta

    @property
    def cheap(self) -> bool:
        """Return whether the interval is cheap or very cheap."""
        return self.level <= Level.CHEAP

    @property
    def expensive(self) -> bool:
        """Return whether the interval is expensive or very expensive."""
        return self.level >= Level.EXPENSIVE

    def among_cheapest(self, hours: float) -> bool:
        """Return whether the interval is in ``cheapest_hours`` of its day."""
        return self.ahead / _HOUR < hours


@dataclass(frozen=True, slots=True)
class Period:
    """Adjoining intervals, at least one, without a gap."""

    intervals: tuple[Interval, ...]

    @property
    def start(self) -> datetime:
        """Return when the period begins, in UTC."""
        return self.intervals[0].start

    @property
    def end(self) -> datetime:
        """Return when the period ends, in UTC."""
        return self.intervals[-1].end

    @property
    def average(self) -> float | None:
        """Return the mean price over time in EUR/kWh."""
        return DayPrices(local_date(self.start), self.intervals).average


@dataclass(frozen=True, slots=True)
class DayLevels:
    """The standings of one tariff day's priced intervals, in order of time.

    The periods are the longest stretches of adjoining intervals that are cheap or very cheap, and expensive or very
    expensive. They end with the day; ``join_periods`` carries them across midnight.
    """

    day: date
    standings: tuple[PriceRating, ...]
    cheap_periods: tuple[Period, ...]
    expensive_periods: tuple[Period, ...]
    _starts: tuple[datetime, ...] = field(repr=False, compare=False)

    @classmethod
    def of(
        cls, day: DayPrices, thresholds: LevelThresholds = DEFAULT_THRESHOLDS
    ) -> Self:
        """Work out the standings of a day. Only known prices count, each by its time."""
        standings = sorted(_standings(day, thresholds), key=_start)
        return cls(
            day.day,
            tuple(standings),
            _periods(standings, lambda standing: standing.cheap),
            _periods(standings, lambda standing: standing.expensive),
            tuple(map(_start, standings)),
        )

    def at(self, now: datetime) -> PriceRating | None:
        """Return the standing of the interval that holds an aware instant, or None where no price is known."""
        index = bisect_right(self._starts, now) - 1
        if index >= 0 and now < self.standings[index].interval.end:
            return self.standings[index]
        return None


def join_periods(periods: Iterable[Period]) -> tuple[Period, ...]:
    """Return periods in order of time with those made one that adjoin, such as across midnight."""
    runs: list[list[Interval]] = []
    for period in periods:
        if runs and runs[-1][-1].end == period.start:
            runs[-1].extend(period.intervals)
        else:
            runs.append(list(period.intervals))
    return tuple(Period(tuple(run)) for run in runs)


def cheapest_hours(day: DayPrices, hours: float) -> frozenset[Interval]:
    """Return the intervals of a day that make up its cheapest hours; of equals the earlier.

    The cheapest are taken until there is enough time. The last one counts as a whole, so that it is never less than
    asked for while the day has it: 1.5 hours of an hourly plan are two intervals.
    """
    chosen = []
    ahead = _ZERO
    for interval, _ in _by_price(day):
        if not ahead / _HOUR < hours:
            break
        chosen.append(interval)
        ahead += interval.duration
    return frozenset(chosen)


def below_average(interval: Interval, day: DayPrices, percent: float) -> bool | None:
    """Return whether a price is at least so many percent below the day's average; None when either is unknown.

    The percentage is of the average's absolute value, so that "below" means cheaper whatever its sign: 50 % below an
    average of -2 ct is -3 ct or less. With 0 % or an average of zero, any price below the average is.

    Raises:
        ValueError: the percentage is negative.

    """
    if not percent >= 0:
        raise ValueError("The percentage must not be negative")
    average = day.average
    if interval.price is None or average is None:
        return None
    below = average - interval.price
    return (
        round(below, _DIGITS) > 0
        and round(below - abs(average) * percent / 100, _DIGITS) >= 0
    )


def _start(standing: PriceRating) -> datetime:
    return standing.interval.start


def _by_price(day: DayPrices) -> list[tuple[Interval, float]]:
    """Return the priced intervals with their prices, cheapest first, of equals the earlier."""
    return sorted(
        (
            (interval, round(interval.price, _DIGITS))
            for interval in day.intervals
            if interval.price is not None
        ),
        key=lambda item: (item[1], item[0].start),
    )


def _standings(day: DayPrices, thresholds: LevelThresholds) -> Iterable[PriceRating]:
    """Yield the standings of the priced intervals, cheapest first."""
    groups = [
        (price, [interval for interval, _ in group])
        for price, group in groupby(_by_price(day), key=lambda item: item[1])
    ]
    times = [
        sum((interval.duration for interval in group), _ZERO) for _, group in groups
    ]
    total = sum(times, _ZERO)
    middle = _middle(zip((price for price, _ in groups), times, strict=True), total)
    rank = 1
    cheaper = _ZERO
    for (price, group), time in zip(groups, times, strict=True):
        level = _level(
            price, middle, cheaper, total - cheaper - time, total, thresholds
        )
        percentile = 100 * ((cheaper + time / 2) / total)
        ahead = cheaper
        for interval in group:
            yield PriceRating(interval, level, rank, percentile, ahead)
            ahead += interval.duration
        rank += len(group)
        cheaper += time


def _middle(groups: Iterable[tuple[float, timedelta]], total: timedelta) -> float:
    """Return the median over time: halfway between the two middle prices where half of the time is exactly cheaper."""
    passed = _ZERO
    lower: float | None = None
    for price, time in groups:
        passed += time
        if lower is None and passed * 2 >= total:
            lower = price
        if lower is not None and passed * 2 > total:
            return (lower + price) / 2
    return 0.0  # Nothing is known.


def _level(
    price: float,
    middle: float,
    cheaper: timedelta,
    higher: timedelta,
    total: timedelta,
    thresholds: LevelThresholds,
) -> Level:
    below = round(middle - price, _DIGITS)

    def within(time: timedelta, percent: float) -> bool:
        return time * 100 < total * percent

    if below >= thresholds.very_distance and within(
        cheaper, thresholds.very_cheap_share
    ):
        return Level.VERY_CHEAP
    if price < 0 or (
        below >= thresholds.distance and within(cheaper, thresholds.cheap_share)
    ):
        return Level.CHEAP
    if -below >= thresholds.very_distance and within(
        higher, thresholds.very_expensive_share
    ):
        return Level.VERY_EXPENSIVE
    if -below >= thresholds.distance and within(higher, thresholds.expensive_share):
        return Level.EXPENSIVE
    return Level.NORMAL


def _periods(
    standings: Iterable[PriceRating], belongs: Callable[[PriceRating], bool]
) -> tuple[Period, ...]:
    return join_periods(
        Period((standing.interval,)) for standing in standings if belongs(standing)
    )
