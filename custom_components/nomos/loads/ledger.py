"""What a load used, what that cost, and what planning saved. Pure; stored with the rest of the load's state."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import fsum
from operator import attrgetter
from typing import Final, Self

from ..planner import Run
from ..pricing import QUARTER, PriceTable, day_bounds, local_date, quarter_of

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_INSTANT: Final = timedelta(microseconds=1)

_MAX_POWER: Final = 50.0
"""In kW: no household device draws more, so a meter that reports more is wrong."""

_RESET_BELOW: Final = 0.9
"""A counter that falls below this share of its value was reset, as in Home Assistant; a smaller fall is a
correction."""

_KEPT_MONTHS: Final = 24
_MAX_IDLE_TIMES: Final = 96
_KEPT_HOURS: Final = 240
"""If more hours wait for the recorder, the oldest are merged."""
_MAX_QUARTERS: Final = 8 * 96
"""No window is longer than eight days."""


class Source(StrEnum):
    """Where a load's energy figure comes from; translation keys."""

    METERED = "metered"
    POWER = "power"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of a device's meter, in kWh."""

    at: datetime
    energy: float


@dataclass(frozen=True, slots=True)
class QuarterUsage:
    """The energy used in one quarter-hour, in kWh; ``quarter`` is its start."""

    quarter: datetime
    energy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTask:
    """A finished task, not booked yet: its last meter reading is awaited, ``until`` at most."""

    opens: datetime
    runs: tuple[Run, ...]
    by_hand: bool
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """When a task ran, and what it used (kWh), cost and saved (EUR); None if unknown."""

    runs: tuple[Run, ...]
    source: Source
    energy: float | None = None
    cost: float | None = None
    saved: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Totals of a month, in kWh and EUR. ``metered``: all of its bookings were."""

    start: datetime
    energy: float = 0.0
    cost: float = 0.0
    saved: float = 0.0
    metered: bool = True

    def with_booking(self, booking: Booking) -> Self:
        """Return the month with one more booking."""
        return replace(
            self,
            energy=self.energy + (booking.energy or 0.0),
            cost=self.cost + (booking.cost or 0.0),
            saved=self.saved + (booking.saved or 0.0),
            metered=self.metered and booking.source is Source.METERED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedHour:
    """What was saved in an hour, in EUR. ``recorded``: the long-term statistic has it."""

    start: datetime
    saved: float
    recorded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a load used: the current task by quarter-hour, and monthly totals of two years."""

    reading: Reading | None = None
    used: tuple[QuarterUsage, ...] = ()
    """What was metered of the current task, or of the one that waits to be booked."""
    idle: tuple[Run, ...] = ()
    """When the task should have run but its device did not."""
    idle_since: datetime | None = None
    unbooked: FinishedTask | None = None
    last: Booking | None = None
    months: tuple[Month, ...] = ()
    hours: tuple[SavedHour, ...] = ()
    """In order: hours not yet in the long-term statistic, and the last one, to which another task may add."""

    def __post_init__(self) -> None:
        """Refuse more than is ever kept; ValueError."""
        if (
            len(self.used) > _MAX_QUARTERS
            or len(self.months) > _KEPT_MONTHS
            or len(self.hours) > _KEPT_HOURS
            or len(self.idle) > _MAX_IDLE_TIMES
        ):
            raise ValueError("more than is kept")

    @property
    def durable(self) -> Self:
        """Return the part that must not be lost in a power cut; it changes only when a write is worthwhile.

        Of the reading, only the hour counts. The rest can be recovered: usage without a meter is calculated again,
        what a meter has counted since is spread evenly over the run time, and writing an hour to the statistic again
        changes nothing.
        """
        if (reading := self.reading) is None:
            return type(self)(idle=self.idle, idle_since=self.idle_since)
        hour = Reading(_hour_of(reading.at), 0.0) if self.used else None
        return replace(self, reading=hour, used=(), hours=())

    @property
    def unrecorded(self) -> tuple[SavedHour, ...]:
        """Return the hours that the long-term statistic lacks."""
        return tuple(one for one in self.hours if not one.recorded)

    def month(self, now: datetime) -> Month | None:
        """Return what was booked in the month of an instant; None if nothing was."""
        start = month_start(now)
        return next((one for one in self.months if one.start == start), None)

    def with_reading(self, reading: Reading, runs: Sequence[Run]) -> Self:
        """Return the ledger with a new reading; the increase is attributed to the time the load ran."""
        if (before := self.reading) is None or reading.at <= before.at:
            return replace(self, reading=reading)
        if not (more := _increase(before, reading)):
            same = reading.energy == before.energy
            return self if same else replace(self, reading=reading)
        used = {one.quarter: one.energy for one in self.used}
        for quarter, energy in _spread(more, before.at, reading.at, runs):
            used[quarter] = used.get(quarter, 0.0) + energy
        newest = sorted(used.items())[-_MAX_QUARTERS:]
        return replace(
            self, reading=reading, used=tuple(QuarterUsage(*one) for one in newest)
        )

    def with_idle(self, now: datetime, *, idle: bool) -> Self:
        """Return the ledger with a device idle from now on although its load should run, or no longer idle."""
        since = self.idle_since
        if idle or since is None:
            return replace(self, idle_since=since or now) if idle else self
        stretch, before = Run(start=since, end=max(since, now)), self.idle
        if stretch.duration < _MINUTE:
            # No device reacts at once.
            return replace(self, idle_since=None)
        if len(before) == _MAX_IDLE_TIMES:
            # The device keeps changing: merge with the idle time before.
            stretch, before = Run(start=before[-1].start, end=stretch.end), before[:-1]
        return replace(self, idle=(*before, stretch), idle_since=None)

    def with_finished(
        self,
        opens: datetime,
        runs: tuple[Run, ...],
        until: datetime,
        *,
        by_hand: bool,
    ) -> Self:
        """Return the ledger with a finished task to book, unless it is booked already."""
        if self.last is not None and runs and runs[0].start == self.last.runs[0].start:
            # After a restart, a finished task finishes once more.
            runs = tuple(run for run in runs if run.start >= self.last.runs[-1].end)
        if not runs:
            return replace(self, used=(), idle=(), idle_since=None)
        unbooked = FinishedTask(opens=opens, runs=runs, by_hand=by_hand, until=until)
        return replace(self, unbooked=unbooked)

    def with_recorded(self, done: Collection[SavedHour]) -> Self:
        """Return the ledger with some hours marked as recorded."""
        hours = [
            replace(one, recorded=one.recorded or one in done) for one in self.hours
        ]
        return replace(self, hours=_kept_hours(hours))

    def book(
        self,
        table: PriceTable,
        opening_price: float | None,
        *,
        power: float | None,
        metered: bool,
    ) -> Self:
        """Return the ledger with the finished task booked, in the month in which it ended.

        ``opening_price`` is the mean price in EUR/kWh if the task had started as its window opened; None if that is
        unknown. Unless the device is ``metered``, its ``power`` (kW) is assumed for the whole run time.
        """
        if (task := self.unbooked) is None:
            return self
        idle = self.idle
        if self.idle_since is not None:
            idle = (*idle, Run(start=self.idle_since, end=task.runs[-1].end))
        done = replace(self, used=(), idle=(), idle_since=None, unbooked=None)
        source, used = Source.METERED, {one.quarter: one.energy for one in self.used}
        if not (used or metered):
            source = Source.UNKNOWN if power is None else Source.POWER
            used = _used_with(power or 0.0, _without(task.runs, idle))
        if source is Source.UNKNOWN:
            return replace(done, last=Booking(runs=task.runs, source=source))
        energy = max(fsum(used.values()), 0.0)
        costs = _costs(used, table) if energy else {}
        # Started by hand, it was not planned and saved nothing.
        by_hour = {} if task.by_hand else _saved_by_hour(used, costs, opening_price)
        booking = Booking(
            runs=task.runs,
            source=source,
            energy=energy,
            cost=None if costs is None else fsum(costs.values()),
            saved=None if by_hour is None else fsum(by_hour.values()),
        )
        ended = task.runs[-1].end - _INSTANT
        before = self.month(ended) or Month(start=month_start(ended))
        month = before.with_booking(booking)
        others = (one for one in self.months if one is not before)
        return replace(
            done,
            last=booking,
            months=tuple(
                sorted((*others, month), key=attrgetter("start"))[-_KEPT_MONTHS:]
            ),
            hours=_with_hours(self.hours, by_hour or {}),
        )


def month_start(now: datetime) -> datetime:
    """Return the start of the month of an instant, in UTC."""
    return day_bounds(local_date(now).replace(day=1))[0]


EMPTY_LEDGER: Final = Ledger()


def next_month(now: datetime) -> datetime:
    """Return the start of the next month, in UTC."""
    return month_start(month_start(now) + timedelta(days=32))


def _increase(before: Reading, now: Reading) -> float:
    """Return the increase or correction of a meter in kWh; 0 if it is impossible.

    A counter that was reset has counted from zero.
    """
    again = now.energy < _RESET_BELOW * before.energy
    more = now.energy if again else now.energy - before.energy
    most = _MAX_POWER * (max(now.at - before.at, _MINUTE) / _HOUR)
    return more if abs(more) <= most else 0.0


def _spread(
    energy: float, start: datetime, end: datetime, runs: Sequence[Run]
) -> Iterator[tuple[datetime, float]]:
    """Yield energy (kWh) by quarter-hour, spread evenly over the run time between two instants."""
    parts = [
        part
        for run in runs
        if run.start < end and start < run.end
        for part in _quarters(max(run.start, start), min(run.end, end))
    ]
    total = sum((length for _, length in parts), timedelta())
    for quarter, length in parts:
        yield quarter, energy * (length / total)


def _quarters(start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """Yield the quarter-hours that overlap a time span, and for how long each does."""
    while start < end:
        quarter = quarter_of(start)
        until = min(quarter + QUARTER, end)
        yield quarter, until - start
        start = until


def _without(runs: Sequence[Run], idle: Sequence[Run]) -> list[Run]:
    """Return runs with idle times cut out."""
    left = list(runs)
    for gap in idle:
        parts = (
            Run(start=start, end=end)
            for run in left
            for start, end in (
                (run.start, min(run.end, gap.start)),
                (max(run.start, gap.end), run.end),
            )
        )
        left = [part for part in parts if part.start < part.end]
    return left


def _used_with(power: float, runs: Sequence[Run]) -> dict[datetime, float]:
    """Return the energy (kWh) by quarter-hour of a device that draws ``power`` (kW) during runs."""
    used: dict[datetime, float] = {}
    for run in runs:
        for quarter, length in _quarters(run.start, run.end):
            used[quarter] = used.get(quarter, 0.0) + power * (length / _HOUR)
    return used


def _costs(
    used: Mapping[datetime, float], table: PriceTable
) -> dict[datetime, float] | None:
    """Return the cost (EUR) by quarter-hour; None if a price is unknown."""
    costs: dict[datetime, float] = {}
    for quarter, energy in used.items():
        interval = table.at(quarter)
        if interval is None or interval.price is None:
            return None
        costs[quarter] = energy * interval.price
    return costs


def _saved_by_hour(
    used: Mapping[datetime, float],
    costs: Mapping[datetime, float] | None,
    opening_price: float | None,
) -> dict[datetime, float] | None:
    """Return the saving (EUR) by hour against paying ``opening_price`` (EUR/kWh) for everything; None if unknown."""
    if not costs:
        return None if costs is None else {}
    if opening_price is None:
        return None
    saved: dict[datetime, float] = {}
    for quarter, cost in costs.items():
        hour = _hour_of(quarter)
        saved[hour] = saved.get(hour, 0.0) + opening_price * used[quarter] - cost
    return saved


def _with_hours(
    hours: Sequence[SavedHour], saved: Mapping[datetime, float]
) -> tuple[SavedHour, ...]:
    """Return hours with new savings added, in order."""
    before = {one.start: one.saved for one in hours}
    new = (
        SavedHour(start=hour, saved=before.get(hour, 0.0) + more)
        for hour, more in saved.items()
    )
    others = (one for one in hours if one.start not in saved)
    return _kept_hours(sorted((*others, *new), key=attrgetter("start")))


def _kept_hours(hours: Sequence[SavedHour]) -> tuple[SavedHour, ...]:
    """Return the hours to keep, in order. If too many are not recorded, the oldest are merged."""
    kept = [one for one in hours if not one.recorded or one is hours[-1]]
    while len(kept) > _KEPT_HOURS:
        first, second, *others = kept
        kept = [replace(second, saved=first.saved + second.saved), *others]
    return tuple(kept)


def _hour_of(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
