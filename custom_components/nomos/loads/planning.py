"""Plans a load in its window, as far as prices are known. Pure, for the executor."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from math import fsum
from typing import TYPE_CHECKING, Final

from ..planner import Run, plan
from ..prices.conversion import knows_price
from ..pricing import PriceTable, window, with_stand_ins
from .plan import LoadPlan, LoadStatus, Task
from .settings import LoadSettings

if TYPE_CHECKING:
    from ..planner.own_sun import OwnSun

_ZERO: Final = timedelta()
_INSTANT: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1)
PLAN_AHEAD: Final = timedelta(days=1)
"""How far ahead of its opening a window is planned if none of its prices is known."""

PRICE_MARGIN: Final = timedelta(hours=6)
"""How long before the end of known prices a load with a price cap stops waiting for more."""


def plan_load(
    settings: LoadSettings,
    task: Task,
    left: timedelta,
    table: PriceTable,
    now: datetime,
    zone: tzinfo,
    urgent: timedelta = _ZERO,
    sun: OwnSun | None = None,
) -> LoadPlan:
    """Return the plan of a task: its runs so far, and the best ones for what it still needs.

    If the load uses own solar power (``sun``), its plan, money and price cap go by what it pays after that.
    ``left`` is what is still needed at ``now``, including the rest of the current run. For the time ``urgent``, the
    load has to run at once, whatever the price and even before the window opens; what is left then is planned as if
    that run were in progress. The customer's own time is by the clock of ``zone``.
    """
    power, import_prices = settings.power or 1.0, table
    if sun is not None:
        begun = min(task.opens, now, *(run.start for run in task.runs))
        table = sun.prices(import_prices, power, begun, max(task.closes, now + left))
    total = task.time_run(now) + max(left, _ZERO)
    urgent_time = _ZERO if task.by_hand else min(urgent, left, task.closes - now)
    if urgent_time > _ZERO:
        task = _extended(task, now, now + urgent_time)
        now, left = now + urgent_time, left - urgent_time
    case = _Case(settings, task, left, table, import_prices, sun, now, zone)
    current = task.run_at(now)
    own_time = settings.fallback is not None and not knows_price(table, now)
    in_one_go = task.by_hand or settings.contiguous
    if left <= _ZERO:
        runs = task.ended(now).runs
        status = LoadStatus.PLANNED if urgent_time else LoadStatus.DONE
    elif current and (in_one_go or case.is_last_run):
        # The need may have changed since it began.
        end = now + left if task.by_hand else min(now + left, task.closes)
        runs = task.with_run(replace(current, end=end)).runs
        status = LoadStatus.PLANNED
    elif current and not urgent_time and own_time:
        runs, status = task.runs, LoadStatus.PLANNED
    else:
        more, status = case.rest()
        runs = _with_planned(task, now, more)
    made = LoadPlan(opens=task.opens, closes=task.closes, status=status, runs=runs)
    if sun is not None and runs:
        made = replace(made, solar_share=sun.share(runs, power))
    return _with_money(made, power, total, table)


def next_planning(
    settings: LoadSettings, table: PriceTable, task: Task, now: datetime
) -> datetime | None:
    """Return when to plan again even if no price has changed."""
    times = [task.opens - PLAN_AHEAD]
    if settings.price_cap is not None and table.horizon is not None:
        times.append(table.horizon - PRICE_MARGIN)
        # When a gap in the prices ends unfilled, runs that waited for it move behind it.
        known = [one for one in table.intervals if one.price is not None]
        times += [two.start for one, two in pairwise(known) if one.end < two.start]
    return min((at for at in times if at > now), default=None)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is left to plan of a task from ``now`` on.

    ``import_prices`` are the known prices of the grid, ``table`` those that the load pays: they differ if it uses
    solar power.
    """

    settings: LoadSettings
    task: Task
    left: timedelta
    table: PriceTable
    import_prices: PriceTable
    sun: OwnSun | None
    now: datetime
    zone: tzinfo

    @property
    def is_last_run(self) -> bool:
        """Return whether the current run continues to the end because less than ``min_run`` is left."""
        if self.now < self.task.opens or self.left >= self.settings.min_run:
            return False
        return not self.is_above_cap(self.now, self.now + self.left)

    def is_above_cap(self, start: datetime, end: datetime) -> bool:
        """Return whether a price between two instants is known to be above the cap."""
        cap = self.settings.price_cap
        return cap is not None and any(
            interval.price is not None and interval.price > cap
            for interval in self.table.between(start, end).intervals
        )

    def rest(self) -> tuple[tuple[Run, ...], LoadStatus]:
        """Return the best runs from now on, and the status to report.

        Until prices are published, those of the day before stand in for them, to decide whether to begin early. A
        load with a price cap never runs at an unknown price.
        """
        settings, task, table, now = self.settings, self.task, self.table, self.now
        closes = task.closes
        current = task.run_at(now) if now >= task.opens else None
        over = [run for run in task.runs if run.end <= now]
        start = now if current else max(_full_minute(now), task.opens)
        if over and not current:
            start = max(start, over[-1].end + settings.min_pause)
        no_more = settings.max_runs is not None and len(over) >= settings.max_runs
        if start >= closes or no_more:
            return (), LoadStatus.PARTIAL
        prices = (one.price for one in table.between(start, closes).intervals)
        if task.opens - now > PLAN_AHEAD and all(price is None for price in prices):
            return (), LoadStatus.WAITING_FOR_WINDOW
        request = settings.request(
            start,
            closes,
            self.left,
            runs=len(over),
            running_since=current.start if current else None,
        )
        may_guess = settings.price_cap is None or not _prices_end_soon(table, now)
        guessed = self._guessed(start) if may_guess else table
        runs = plan(guessed, request, now).runs
        if settings.contiguous and _length(runs) < self.left:
            # Half a dishwasher's run is no use; half a car's charge is.
            runs = ()
        known = all(table.knows(run.start, run.end) for run in runs)
        if known if runs else table.knows(start, closes):
            return runs, self._status(runs, start)
        return self._without_prices(runs, start)

    def _guessed(self, start: datetime) -> PriceTable:
        """Return the prices, with stand-ins for unknown ones from ``start`` on."""
        end = self.task.closes
        table = with_stand_ins(self.import_prices, start, end)
        if self.sun is None:
            return table
        if table is self.import_prices:
            return self.table
        sun, power = self.sun.guessed(start, end), self.settings.power or 1.0
        return sun.prices(table, power, start, end).merge(self.table)

    def _without_prices(
        self, runs: tuple[Run, ...], start: datetime
    ) -> tuple[tuple[Run, ...], LoadStatus]:
        """Return what remains of runs that reach into unknown prices, and a run at the customer's own time if set."""
        settings = self.settings
        known = () if settings.contiguous else tuple(_known_parts(runs, self.table))
        if settings.fallback is not None:
            opens = max(start, known[-1].end + settings.min_pause) if known else start
            last, following = window(
                opens, settings.fallback, settings.fallback, self.zone
            )
            at = last if last >= opens else following
            end = min(at + self.left - _length(known), self.task.closes)
            if at < end and not self.is_above_cap(at, end):
                return (*known, Run(start=at, end=end)), LoadStatus.FALLBACK
        if settings.price_cap is not None:
            runs = tuple(run for run in known if run.duration >= settings.min_run)
        return runs, LoadStatus.PROVISIONAL if runs else LoadStatus.WAITING_FOR_PRICES

    def _status(self, runs: tuple[Run, ...], start: datetime) -> LoadStatus:
        """Return the status to report for runs whose prices are known."""
        if not self.table.knows(start, self.task.closes):
            return LoadStatus.PROVISIONAL
        if _length(runs) >= self.left:
            return LoadStatus.PLANNED
        if not runs and self.is_above_cap(start, self.task.closes):
            return LoadStatus.ABOVE_CAP
        return LoadStatus.PARTIAL


def _extended(task: Task, now: datetime, end: datetime) -> Task:
    """Return the task with its current run, or one that starts now, extended just past ``end``."""
    current = task.run_at(now)
    start = current.start if current else now
    return task.ended(now).with_run(Run(start=start, end=end + _INSTANT))


def _with_planned(task: Task, now: datetime, more: tuple[Run, ...]) -> tuple[Run, ...]:
    """Return the runs of a task, then the planned ones; the current run continues, or ends now."""
    current = task.run_at(now)
    if current and more and more[0].start <= now:
        return (*task.with_run(replace(current, end=more[0].end)).runs, *more[1:])
    return (*task.ended(now).runs, *more)


def _known_parts(runs: Iterable[Run], table: PriceTable) -> Iterator[Run]:
    """Yield the parts of runs whose price is known."""
    for run in runs:
        parts: list[Run] = []
        for interval in table.between(run.start, run.end).intervals:
            start, end = max(interval.start, run.start), min(interval.end, run.end)
            if interval.price is None:
                continue
            if parts and parts[-1].end == start:
                parts[-1] = replace(parts[-1], end=end)
            else:
                parts.append(Run(start=start, end=end))
        yield from parts


def _with_money(
    made: LoadPlan, power: float, total: timedelta, table: PriceTable
) -> LoadPlan:
    """Return a plan with its share of the need, its cost and its savings."""
    length = _length(made.runs)
    made = replace(made, share=min(length / total, 1.0) if total else 1.0)
    average = average_price(table, made.runs)
    if average is None:
        return made
    energy = power * (length / _HOUR)
    opening_price = average_price(
        table, (Run(start=made.opens, end=made.opens + length),)
    )
    usual = average_price(
        table, _known_parts((Run(start=made.opens, end=made.closes),), table)
    )
    return replace(
        made,
        cost=average * energy,
        average_price=average,
        saving=None if opening_price is None else (opening_price - average) * energy,
        saving_vs_average=None if usual is None else (usual - average) * energy,
    )


def average_price(table: PriceTable, runs: Iterable[Run]) -> float | None:
    """Return the mean price over the time of runs in EUR/kWh; None if a price is unknown or the runs are empty."""
    weighted: list[float] = []
    hours: list[float] = []
    for run in runs:
        if not table.knows(run.start, run.end):
            return None
        for interval in table.between(run.start, run.end).intervals:
            length = min(interval.end, run.end) - max(interval.start, run.start)
            hours.append(length / _HOUR)
            weighted.append((interval.price or 0.0) * hours[-1])
    return fsum(weighted) / fsum(hours) if fsum(hours) else None


def _length(runs: Iterable[Run]) -> timedelta:
    return sum((run.duration for run in runs), _ZERO)


def _prices_end_soon(table: PriceTable, now: datetime) -> bool:
    """Return whether known prices end too soon to go on waiting for more."""
    return table.horizon is None or table.horizon - now <= PRICE_MARGIN


def _full_minute(instant: datetime) -> datetime:
    """Return an instant, rounded up to a full minute."""
    floor = instant.replace(second=0, microsecond=0)
    return floor if floor == instant else floor + timedelta(minutes=1)
