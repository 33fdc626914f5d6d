"""How a price compares with the others of its day: level, rank and percentile.

An interval is *cheap* if it is in the cheapest quarter of the day's known time and at least 1 ct/kWh below the day's
middle price, or if it is at least 3 ct/kWh below, however much of the day is; *very cheap* if it is in the cheapest
tenth and at least 2 ct/kWh below. *Expensive* and *very expensive* mirror that. A price below zero is always at
least cheap and never expensive. Everything else is *normal*.

The share makes levels occur every day, without configuration. The distance keeps flat days normal: if prices hardly
differ, waiting is not worth it. The larger distance keeps long valleys cheap to their edges: by share alone,
intervals would be normal that save as much as most of the cheap ones. Very cheap remains limited to a few hours.
Distances are in ct, not in percent, because that is what moving a kWh saves, and because percentages of a price near
or below zero mean nothing. They are measured from the middle price (the median over time), not from the average or
the extremes, which a single spike moves. Nothing is divided by a price. Adding the same amount to every price of a
day changes no level, except by the rule about prices below zero.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from itertools import accumulate, groupby
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelThresholds:
    """What cheap and expensive mean.

    The shares are percent of the day's known time, at most 50; a share of zero turns its level off. The distances
    from the day's middle price are in EUR/kWh and greater than zero, so that a flat day is normal throughout. From
    ``sure_distance`` on, a price is at least cheap (or expensive) even outside of the share; zero turns that off. It
    replaces the share, not the distance: below ``distance`` it has no effect.

    """

    cheap_share: float = 25.0
    very_cheap_share: float = 10.0
    expensive_share: float = 25.0
    very_expensive_share: float = 10.0
    distance: float = 0.01
    very_distance: float = 0.02
    sure_distance: float = 0.03


DEFAULT_THRESHOLDS: Final = LevelThresholds()


@dataclass(frozen=True, slots=True)
class PriceRating:
    """How a priced interval compares with the known prices of its day.

    ``rank`` counts intervals: 1 is the cheapest, equal prices share the lower rank. ``percentile`` (0-100) is the
    percentage of the known time that is cheaper, plus half of the time at the same price, its own included: 50
    throughout a flat day. ``ahead`` is the total length of the intervals that are cheaper, or equal and earlier.
    ``below`` is how far it is below the day's middle price in EUR/kWh, negative if above.
    """

    interval: Interval
    level: Level
    rank: int
    percentile: float
    ahead: timedelta
    below: float

    @property
    def cheap(self) -> bool:
        """Return whether the interval is cheap or very cheap."""
        return self.level <= Level.CHEAP

    @property
    def expensive(self) -> bool:
        """Return whether the interval is expensive or very expensive."""
        return self.level >= Level.EXPENSIVE

    def among_cheapest(self, hours: float) -> bool:
        """Return whether the interval is among the cheapest hours of its day; the last one counts in full."""
        return self.ahead / _HOUR < hours


def rate_day(
    day: DayPrices, thresholds: LevelThresholds = DEFAULT_THRESHOLDS
) -> tuple[PriceRating, ...]:
    """Rate the prices of a day, in order of time. Only known prices count, weighted by time."""
    return tuple(sorted(_ratings(day, thresholds), key=lambda one: one.interval.start))


def below_average(interval: Interval, day: DayPrices, percent: float) -> bool | None:
    """Return whether a price is at least ``percent`` below the day's average; None if either is unknown.

    The percentage, which is not negative, is taken of the average's absolute value, so that "below" means cheaper
    whatever its sign: 50 % below an average of -2 ct is -3 ct or less. With 0 % or an average of zero, any lower
    price counts.
    """
    average = day.average
    if interval.price is None or average is None:
        return None
    below = average - interval.price
    return (
        round(below, _DIGITS) > 0
        and round(below - abs(average) * percent / 100, _DIGITS) >= 0
    )


def _ratings(day: DayPrices, thresholds: LevelThresholds) -> Iterable[PriceRating]:
    """Yield the ratings of the priced intervals, cheapest first, then earliest first."""
    priced = sorted(
        (round(interval.price, _DIGITS), interval.start, interval)
        for interval in day.intervals
        if interval.price is not None
    )
    groups = [
        (price, [interval for _, _, interval in group])
        for price, group in groupby(priced, key=lambda item: item[0])
    ]
    times = [sum((one.duration for one in group), _ZERO) for _, group in groups]
    passed = list(accumulate(times))
    if not passed:
        return
    total = passed[-1]
    # The median over time: halfway between the two middle prices if exactly half of the time is cheaper.
    lower, upper = (
        groups[cut(passed, total, key=lambda time: 2 * time)][0]
        for cut in (bisect_left, bisect_right)
    )
    rank = 1
    for (price, group), time, until in zip(groups, times, passed, strict=True):
        ahead = until - time
        below = round((lower + upper) / 2 - price, _DIGITS)
        level = _level(price, below, ahead, total - until, total, thresholds)
        percentile = 100 * ((ahead + time / 2) / total)
        for interval in group:
            yield PriceRating(interval, level, rank, percentile, ahead, below)
            ahead += interval.duration
        rank += len(group)


def _level(
    price: float,
    below: float,
    cheaper: timedelta,
    higher: timedelta,
    total: timedelta,
    limits: LevelThresholds,
) -> Level:
    def within(time: timedelta, share: float) -> bool:
        return time * 100 < total * share

    def stands_out(distance: float, time: timedelta, share: float) -> bool:
        sure = share > 0 and 0 < limits.sure_distance <= distance
        return distance >= limits.distance and (sure or within(time, share))

    if below >= limits.very_distance and within(cheaper, limits.very_cheap_share):
        return Level.VERY_CHEAP
    if price < 0 or stands_out(below, cheaper, limits.cheap_share):
        return Level.CHEAP
    if -below >= limits.very_distance and within(higher, limits.very_expensive_share):
        return Level.VERY_EXPENSIVE
    if stands_out(-below, higher, limits.expensive_share):
        return Level.EXPENSIVE
    return Level.NORMAL
