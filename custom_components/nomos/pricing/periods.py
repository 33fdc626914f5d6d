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

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto
from functools import cached_property
from itertools import chain
from math import fsum
from typing import Final, NamedTuple, Self

from .days import day_bounds, local_date
from .levels import DEFAULT_THRESHOLDS, DayLevels, LevelThresholds, PriceRating
from .table import PriceTable

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
        match self:
            case PeriodKind.CHEAP:
                return rating.cheap
            case PeriodKind.EXPENSIVE:
                return rating.expensive

    def bridges(self, rating: PriceRating) -> bool:
        """Return whether an interval may be part of a gap that is bridged."""
        match self:
            case PeriodKind.CHEAP:
                return rating.below > 0
            case PeriodKind.EXPENSIVE:
                return rating.below < 0 and not rating.cheap


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodLimits:
    """How short a period may be, how long a gap in one, and how many a day has. Zero drops or bridges nothing."""

    shortest: timedelta = timedelta(minutes=30)
    bridged: timedelta = timedelta(minutes=30)
    most: int | None = 2


DEFAULT_LIMITS: Final = PeriodLimits()


@dataclass(frozen=True, slots=True)
class Period:
    """The stretch of time ``[start, end)`` in UTC."""

    start: datetime
    end: datetime

    @property
    def duration(self) -> timedelta:
        """Return how long it is."""
        return self.end - self.start


def find_periods(
    days: Iterable[DayLevels],
    kind: PeriodKind,
    limits: PeriodLimits = DEFAULT_LIMITS,
) -> tuple[Period, ...]:
    """Return the periods in the ratings of days, all in order of time."""
    days = [day for day in days if day.ratings]
    ratings = chain.from_iterable(day.ratings for day in days)
    stretches = _stretches(ratings, kind, limits.bridged)
    if limits.most is None:
        return tuple(one for one in stretches if one.duration >= limits.shortest)
    found: list[Period] = []
    for day in days:
        begins, ends = day_bounds(local_date(day.ratings[0].interval.start))
        most, since = limits.most, begins
        if found and found[-1].end >= begins:
            most, since = most - 1, found[-1].end
        parts = [
            part
            for one in stretches
            if since < one.end and one.start < ends
            if (part := _part(one, day, since, kind, limits.shortest)) is not None
        ]
        best = sorted(parts, key=_order)[:most]
        found += sorted((part.period for part in best), key=_start)
    return tuple(found)


def _stretches(
    ratings: Iterable[PriceRating], kind: PeriodKind, bridged: timedelta
) -> list[Period]:
    """Return the stretches of a kind, with gaps of some length bridged."""
    found: list[Period] = []
    # The end of the last stretch, or of the gap after it as far as it may be bridged.
    reached: datetime | None = None
    for rating in ratings:
        start, end = rating.interval.start, rating.interval.end
        if kind.holds(rating):
            if start == reached and start - found[-1].end <= bridged:
                start = found.pop().start
            found.append(Period(start, end))
            reached = end
        elif start == reached and kind.bridges(rating):
            reached = end
    return found


class _Part(NamedTuple):
    """What may become a period: a stretch from its first interval in a day on."""

    period: Period
    alone: bool
    """Whether it is long enough without the day after."""
    worth: float
    """The distance of its prices in that day from the middle, over time, in EUR/kWh times hours."""


def _part(
    stretch: Period,
    day: DayLevels,
    since: datetime,
    kind: PeriodKind,
    shortest: timedelta,
) -> _Part | None:
    """Return the part of a stretch that begins in a day, after an instant; None if it is too short."""
    inside = [
        one
        for one in day.ratings
        if max(stretch.start, since) <= one.interval.start < stretch.end
        and kind.holds(one)
    ]
    if not inside:
        return None
    period = Period(inside[0].interval.start, stretch.end)
    if period.duration < shortest:
        return None
    alone = inside[-1].interval.end - period.start >= shortest
    worth = fsum(
        kind.side * one.below * (one.interval.duration / _HOUR) for one in inside
    )
    return _Part(period, alone, worth)


def _order(part: _Part) -> tuple[bool, float, datetime]:
    """Return by what parts are chosen: of equal ones the earlier."""
    return not part.alone, -round(part.worth, _DIGITS), part.period.start


@dataclass(frozen=True)
class TableLevels:
    """The levels and periods of a price table. Each is worked out once, when it is first asked for."""

    table: PriceTable
    thresholds: LevelThresholds = DEFAULT_THRESHOLDS
    limits: PeriodLimits = DEFAULT_LIMITS
    known: Mapping[date, DayLevels] = field(default_factory=dict)
    """The levels of days that were worked out before."""

    def of(self, table: PriceTable) -> Self:
        """Return the levels and periods of another table; days that it has unchanged are not worked out again."""
        unchanged = {
            day: levels
            for day, levels in self._days.items()
            if table.day(day) == self.table.day(day)
        }
        return replace(self, table=table, known=unchanged)

    def day(self, day: date) -> DayLevels:
        """Return the levels of a tariff day's known prices."""
        return self._days.get(day) or DayLevels(())

    def at(self, now: datetime) -> PriceRating | None:
        """Return the rating of the interval that holds an aware instant; None if no price is known."""
        return self.day(local_date(now)).at(now)

    def periods(self, kind: PeriodKind) -> tuple[Period, ...]:
        """Return the periods of a kind, in order."""
        return self._periods[kind]

    def periods_between(
        self, kind: PeriodKind, start: datetime, end: datetime
    ) -> tuple[Period, ...]:
        """Return the periods of a kind that touch the stretch between two aware instants."""
        found = self.periods(kind)
        first = bisect_right(found, start, key=_end)
        return found[first : bisect_left(found, end, key=_start)]

    def within(self, kind: PeriodKind, now: datetime) -> bool | None:
        """Return whether an aware instant is in a period of a kind; None if no price is known."""
        if self.at(now) is None:
            return None
        periods = self.periods(kind)
        index = bisect_right(periods, now, key=_start) - 1
        return index >= 0 and now < periods[index].end

    @cached_property
    def _days(self) -> Mapping[date, DayLevels]:
        return {
            day: self.known.get(day)
            or DayLevels.of(self.table.day(day), self.thresholds)
            for day in self.table.days
        }

    @cached_property
    def _periods(self) -> Mapping[PeriodKind, tuple[Period, ...]]:
        days = tuple(self._days.values())
        return {kind: find_periods(days, kind, self.limits) for kind in PeriodKind}


def _start(period: Period) -> datetime:
    return period.start


def _end(period: Period) -> datetime:
    return period.end
