"""The price table: what is known about prices, interval by interval."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from math import fsum, sumprod
from typing import Final, Self

from .days import day_bounds, local_date


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of a price in EUR/kWh. A part may be unknown; they need not add up to the price exactly."""

    electricity: float | None = None
    grid: float | None = None
    levies: float | None = None


NO_COMPONENTS: Final = Components()


@dataclass(frozen=True, slots=True)
class Stretch:
    """The range of time ``[start, end)`` in UTC."""

    start: datetime
    end: datetime

    @property
    def duration(self) -> timedelta:
        """Return how long it is."""
        return self.end - self.start


def touching[S: Stretch](
    stretches: tuple[S, ...], start: datetime, end: datetime
) -> tuple[S, ...]:
    """Return those of some ordered stretches that overlap the range between two aware instants."""
    first = bisect_right(stretches, start, key=_end)
    return stretches[first : bisect_left(stretches, end, key=_start)]


def ending_after[S: Stretch](stretches: tuple[S, ...], now: datetime) -> S | None:
    """Return the first of some ordered stretches that ends after an aware instant."""
    index = bisect_right(stretches, now, key=_end)
    return stretches[index] if index < len(stretches) else None


@dataclass(frozen=True, slots=True)
class Interval(Stretch):
    """A range of time with one price.

    ``price`` is the all-in working price in EUR/kWh, for feed-in the payout; ``None`` when it is unknown.
    It may be zero or negative.
    """

    price: float | None
    components: Components = NO_COMPONENTS


@dataclass(frozen=True)
class DayPrices:
    """The intervals of one tariff day, in order, with the day's statistics.

    The statistics cover the intervals whose price is known; without any, they are ``None``.
    """

    day: date
    intervals: tuple[Interval, ...] = ()

    @cached_property
    def complete(self) -> bool:
        """Return whether every interval of the day is present and priced, without a gap."""
        return PriceTable(self.intervals).knows(*day_bounds(self.day))

    @cached_property
    def lowest(self) -> Interval | None:
        """Return the cheapest interval; the earliest one among equals."""
        return min(self._priced, key=_price, default=None)

    @cached_property
    def highest(self) -> Interval | None:
        """Return the most expensive interval; the earliest one among equals."""
        return max(self._priced, key=_price, default=None)

    @cached_property
    def average(self) -> float | None:
        """Return the mean price over time in EUR/kWh."""
        if not (priced := self._priced):
            return None
        seconds = [one.duration.total_seconds() for one in priced]
        return round(sumprod(map(_price, priced), seconds) / fsum(seconds), 8)

    @cached_property
    def _priced(self) -> tuple[Interval, ...]:
        return tuple(one for one in self.intervals if one.price is not None)


@dataclass(frozen=True)
class PriceTable:
    """All known intervals, sorted and without overlap. Immutable: a merge returns a new table."""

    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> Self:
        """Make a table of intervals in any order.

        Raises:
            ValueError: two intervals overlap, or one does not end after its start.

        """
        ordered = tuple(sorted(intervals, key=_start))
        if any(interval.end <= interval.start for interval in ordered):
            raise ValueError("An interval does not end after its start")
        if any(two.start < one.end for one, two in pairwise(ordered)):
            raise ValueError("Two intervals overlap")
        return cls(ordered)

    @property
    def horizon(self) -> datetime | None:
        """Return the end of the last interval whose price is known, in UTC."""
        known = (one.end for one in reversed(self.intervals) if one.price is not None)
        return next(known, None)

    def at(self, now: datetime) -> Interval | None:
        """Return the interval that contains an aware instant, if it is known."""
        coming = ending_after(self.intervals, now)
        return coming if coming and coming.start <= now else None

    def spans(self, now: datetime) -> bool:
        """Return whether an aware instant lies between the first and the last interval, perhaps in a gap."""
        found = self.intervals
        return bool(found) and found[0].start <= now < found[-1].end

    def after(self, now: datetime) -> Interval | None:
        """Return the interval that begins where the current one ends, or None if there is a gap."""
        current = self.at(now)
        return self.at(current.end) if current else None

    def next_boundary(self, now: datetime) -> datetime | None:
        """Return the first instant after ``now`` at which an interval starts or ends, in UTC."""
        if (coming := ending_after(self.intervals, now)) is None:
            return None
        return coming.start if coming.start > now else coming.end

    @property
    def days(self) -> Iterable[date]:
        """Return the tariff days that have intervals, in order."""
        return self._days.keys()

    def day(self, day: date) -> DayPrices:
        """Return what is known of a tariff day; a day without intervals if nothing is."""
        return self._days.get(day) or DayPrices(day)

    def merge(self, newer: Self) -> Self:
        """Return this table, updated with another one.

        Known prices of ``newer`` replace those of the same time. Its unknown prices replace no known ones, and
        intervals that it lacks stay; so do the known components of an unchanged price.
        """
        layers = (
            [self._with_parts(one) for one in newer.intervals if one.price is not None],
            [one for one in self.intervals if one.price is not None],
            [one for one in newer.intervals if one.price is None],
            [one for one in self.intervals if one.price is None],
        )
        merged: list[Interval] = []
        for layer in layers:
            merged = sorted([*merged, *_without(layer, merged)], key=_start)
        intervals = tuple(merged)
        return self if intervals == self.intervals else type(self)(intervals)

    def knows(self, start: datetime, end: datetime) -> bool:
        """Return whether every price between two aware instants is known."""
        at = start
        for interval in self.between(start, end).intervals:
            if interval.price is None or interval.start > at:
                return False
            at = interval.end
        return at >= end

    def since(self, instant: datetime) -> Self:
        """Return the table without the intervals that ended at or before an aware instant."""
        kept = tuple(interval for interval in self.intervals if interval.end > instant)
        return self if len(kept) == len(self.intervals) else type(self)(kept)

    def between(self, start: datetime, end: datetime) -> Self:
        """Return a table of the intervals that overlap the range between two aware instants."""
        return type(self)(touching(self.intervals, start, end))

    def _with_parts(self, newer: Interval) -> Interval:
        """Return an interval completed with the components that only this table knows."""
        known = self.at(newer.start)
        if known is None or replace(newer, components=known.components) != known:
            return newer
        parts = {
            name: getattr(known.components, name) if part is None else part
            for name, part in asdict(newer.components).items()
        }
        return replace(newer, components=Components(**parts))

    @cached_property
    def _days(self) -> Mapping[date, DayPrices]:
        days: dict[date, list[Interval]] = defaultdict(list)
        for interval in self.intervals:
            days[local_date(interval.start)].append(interval)
        return {day: DayPrices(day, tuple(found)) for day, found in days.items()}


EMPTY_TABLE: Final = PriceTable()


def _start(stretch: Stretch) -> datetime:
    return stretch.start


def _end(stretch: Stretch) -> datetime:
    return stretch.end


def _price(interval: Interval) -> float:
    """Return the price of an interval whose price is known."""
    assert interval.price is not None
    return interval.price


def _without(
    intervals: Iterable[Interval], others: Iterable[Interval]
) -> Iterator[Interval]:
    """Yield the parts of intervals that other sorted ones do not cover.

    A part keeps the price of its interval: per kWh, half an hour costs what the hour does.
    """
    table = PriceTable(tuple(others))
    for interval in intervals:
        start = interval.start
        for other in table.between(start, interval.end).intervals:
            if start < other.start:
                yield replace(interval, start=start, end=other.start)
            start = other.end
        if start < interval.end:
            yield replace(interval, start=start)
