"""Stretches of cheap or of expensive prices that are worth acting on.

A *cheap period* is a stretch of intervals that are at least cheap. A short gap in it is bridged if all its prices are
known and below the day's middle price: power that is not quite cheap is no reason to stop. What is still short after
that is dropped: a lone quarter-hour is no reason to start. Of what is left, each day keeps the two that are worth the
most: their distance from the middle price, summed up over time. So nothing that follows them switches more than four
times a day. *Expensive periods* mirror that above the middle, but no price below zero is ever part of one.

Periods go on over midnight. Each day is judged by its own prices, so at midnight the measure changes: the same price
may be cheap at 23:45 and normal at 0:00. After that the days are one: stretches that meet at midnight are joined, a gap
across it is bridged, and what is long enough together is a period. One that lasts until midnight, or goes on over it,
is one of the two of both days.

Only what is known counts. A stretch that is cut by the end of what is known is as long as its known part, and a gap
ends with a known price. So when tomorrow arrives, periods of today are added or become longer, never shorter: one that
goes on is not broken off. For that, each day chooses by its own prices only, and what is long enough by itself comes
before what needs tomorrow for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from functools import cached_property
from itertools import chain
from math import fsum
from typing import Final

from .days import day_bounds, local_date
from .levels import DEFAULT_THRESHOLDS, LevelThresholds, PriceRating, rate_day
from .table import PriceTable, Stretch, ending_after

_HOUR: Final = timedelta(hours=1)
_DIGITS: Final = 9


class PeriodKind(Enum):
    """What the prices of a period have in common."""

    CHEAP = auto()
    EXPENSIVE = auto()

    @property
    def side(self) -> int:
        """Return the sign of a distance that counts for it: below the middle price, or above."""
        return 1 if self is PeriodKind.CHEAP else -1

    def holds(self, rating: PriceRating) -> bool:
        """Return whether an interval makes a period."""
        return rating.cheap if self is PeriodKind.CHEAP else rating.expensive

    def bridges(self, rating: PriceRating) -> bool:
        """Return whether an interval that makes none may be part of a gap that is bridged."""
        return self.side * rating.below > 0 and not rating.cheap


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodLimits:
    """How short a period may be, how long a gap in one, and how many a day has. Zero drops or bridges nothing."""

    shortest: timedelta = timedelta(minutes=30)
    bridged: timedelta = timedelta(minutes=30)
    most: int | None = 2


DEFAULT_LIMITS: Final = PeriodLimits()


def find_periods(
    days: Iterable[Sequence[PriceRating]],
    kind: PeriodKind,
    limits: PeriodLimits = DEFAULT_LIMITS,
) -> tuple[Stretch, ...]:
    """Return the periods in the ratings of days, all in order of time."""
    days = [day for day in days if day]
    stretches = _stretches(chain.from_iterable(days), kind, limits.bridged)
    if limits.most is None:
        return tuple(one for one in stretches if one.duration >= limits.shortest)
    found: list[Stretch] = []
    for day in days:
        since, _ = day_bounds(local_date(day[0].interval.start))
        most = limits.most
        if found and found[-1].end >= since:
            most, since = most - 1, found[-1].end
        ranks: dict[Stretch, tuple[bool, float]] = {}
        for stretch in stretches:
            if stretch.end <= since or stretch.start >= day[-1].interval.end:
                continue
            inside = [
                one
                for one in day
                if max(stretch.start, since) <= one.interval.start < stretch.end
                and kind.holds(one)
            ]
            if inside:
                part = Stretch(inside[0].interval.start, stretch.end)
                if part.duration >= limits.shortest:
                    ranks[part] = _rank(inside, kind, limits.shortest)
        # Of equal ones the earlier.
        best = sorted(ranks, key=lambda one: ranks[one])[:most]
        found += sorted(best, key=lambda one: one.start)
    return tuple(found)


def _stretches(
    ratings: Iterable[PriceRating], kind: PeriodKind, bridged: timedelta
) -> list[Stretch]:
    """Return the stretches of a kind, with gaps of some length bridged."""
    found: list[Stretch] = []
    # The end of the last stretch, or of the gap after it as far as it may be bridged.
    reached: datetime | None = None
    for rating in ratings:
        start, end = rating.interval.start, rating.interval.end
        if kind.holds(rating):
            if start == reached and start - found[-1].end <= bridged:
                start = found.pop().start
            found.append(Stretch(start, end))
            reached = end
        elif start == reached and kind.bridges(rating):
            reached = end
    return found


def _rank(
    inside: Sequence[PriceRating], kind: PeriodKind, shortest: timedelta
) -> tuple[bool, float]:
    """Return by what the parts of a day are chosen.

    First those that are long enough without the day after; among them those whose prices are farthest from the middle
    in sum over time, in EUR/kWh times hours.
    """
    alone = inside[-1].interval.end - inside[0].interval.start >= shortest
    worth = fsum(
        kind.side * one.below * (one.interval.duration / _HOUR) for one in inside
    )
    return not alone, -round(worth, _DIGITS)


@dataclass(frozen=True)
class TableLevels:
    """The levels and periods of a price table. Each is worked out once, when it is first asked for."""

    table: PriceTable
    thresholds: LevelThresholds = DEFAULT_THRESHOLDS
    limits: PeriodLimits = DEFAULT_LIMITS

    def day(self, day: date) -> tuple[PriceRating, ...]:
        """Return the ratings of a tariff day's known prices, in order."""
        return self._days.get(day, ())

    def at(self, now: datetime) -> PriceRating | None:
        """Return the rating of the interval that holds an aware instant; None if no price is known."""
        interval = self.table.at(now)
        return self._ratings.get(interval.start) if interval else None

    def periods(self, kind: PeriodKind) -> tuple[Stretch, ...]:
        """Return the periods of a kind, in order."""
        return self._periods[kind]

    def within(self, kind: PeriodKind, now: datetime) -> bool | None:
        """Return whether an aware instant is in a period of a kind; None if no price is known."""
        if self.at(now) is None:
            return None
        coming = ending_after(self.periods(kind), now)
        return coming is not None and coming.start <= now

    @cached_property
    def _days(self) -> Mapping[date, tuple[PriceRating, ...]]:
        return {
            day: rate_day(self.table.day(day), self.thresholds)
            for day in self.table.days
        }

    @cached_property
    def _ratings(self) -> Mapping[datetime, PriceRating]:
        return {one.interval.start: one for day in self._days.values() for one in day}

    @cached_property
    def _periods(self) -> Mapping[PeriodKind, tuple[Stretch, ...]]:
        days = tuple(self._days.values())
        return {kind: find_periods(days, kind, self.limits) for kind in PeriodKind}
