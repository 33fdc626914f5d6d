"""Stretches of cheap or of expensive prices that are worth acting on.

A *cheap period* is a stretch of intervals that are at least cheap. A short gap in it is bridged if all its prices
are known and below the day's middle price: power that is not quite cheap is no reason to stop. Stretches that are
still short are dropped: a lone quarter-hour is no reason to start. Of the rest, each day keeps the two that are
worth the most, by their distance from the middle price, summed up over time. So a device that follows them switches
at most four times a day. *Expensive periods* mirror that above the middle price, but never include a price below
zero.

Periods may span midnight. Each day is rated by its own prices, so the same price may be cheap at 23:45 and normal at
0:00. Otherwise midnight does not matter: stretches that meet there are joined, a gap across it is bridged, and only
the total length counts. A period that reaches midnight, or spans it, is one of the two of both days.

Only known prices count: a stretch is as long as its known part, and a gap ends with a known price. So when
tomorrow's prices arrive, periods of today are added or become longer, never shorter: a running one is not cut off.
For that, each day chooses by its own prices only, and stretches that are long enough by themselves come before those
that need tomorrow.
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
        """Return 1 if distances below the middle price count, -1 if those above it do."""
        return 1 if self is PeriodKind.CHEAP else -1

    def holds(self, rating: PriceRating) -> bool:
        """Return whether an interval qualifies for a period."""
        return rating.cheap if self is PeriodKind.CHEAP else rating.expensive

    def bridges(self, rating: PriceRating) -> bool:
        """Return whether an interval that does not qualify may be part of a gap that is bridged."""
        return self.side * rating.below > 0 and not rating.cheap


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodLimits:
    """The shortest period, the longest gap to bridge, and the most periods a day. Zero drops or bridges nothing."""

    shortest: timedelta = timedelta(minutes=30)
    bridged: timedelta = timedelta(minutes=30)
    most: int | None = 2


DEFAULT_LIMITS: Final = PeriodLimits()


def find_periods(
    days: Iterable[Sequence[PriceRating]],
    kind: PeriodKind,
    limits: PeriodLimits = DEFAULT_LIMITS,
) -> tuple[Stretch, ...]:
    """Return the periods of rated days, all in order of time."""
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
        # Of equal ones, the earlier one.
        best = sorted(ranks, key=lambda one: ranks[one])[:most]
        found += sorted(best, key=lambda one: one.start)
    return tuple(found)


def _stretches(
    ratings: Iterable[PriceRating], kind: PeriodKind, bridged: timedelta
) -> list[Stretch]:
    """Return the stretches of a kind, with gaps up to a length bridged."""
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
    """Return the sort key of the parts of a day, best first.

    Parts that are long enough without the next day come first, then those whose distance from the middle price,
    summed up over time (EUR/kWh times hours), is the greatest.
    """
    alone = inside[-1].interval.end - inside[0].interval.start >= shortest
    worth = fsum(
        kind.side * one.below * (one.interval.duration / _HOUR) for one in inside
    )
    return not alone, -round(worth, _DIGITS)


@dataclass(frozen=True)
class TableLevels:
    """The levels and periods of a price table, each computed once, when it is first needed."""

    table: PriceTable
    thresholds: LevelThresholds = DEFAULT_THRESHOLDS
    limits: PeriodLimits = DEFAULT_LIMITS

    def day(self, day: date) -> tuple[PriceRating, ...]:
        """Return the ratings of a tariff day's known prices, in order."""
        return self._days.get(day, ())

    def at(self, now: datetime) -> PriceRating | None:
        """Return the rating of the interval that contains an aware instant; None if no price is known."""
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
