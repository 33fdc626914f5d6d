"""The plan of a load: for its window, as far as prices are known. Pure, for the executor."""

from collections.abc import Iterable
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
AHEAD: Final = timedelta(days=1)
"""How long before it opens a window is planned if no price of it is known."""

PATIENCE: Final = timedelta(hours=6)
"""How long before the last known price ends a load with a price cap stops waiting for more prices."""


@dataclass(frozen=True, slots=True)
class _Prices:
    """What the energy of a load costs: what is bought, and the sun if it uses that."""

    bought: PriceTable
    power: float
    sun: OwnSun | None

    def known(self, start: datetime, end: datetime) -> PriceTable:
        """Return the prices that are known, between two instants with the sun."""
        if self.sun is None:
            return self.bought
        return self.sun.prices(self.bought, self.power, start, end)

    def guessed(self, known: PriceTable, start: datetime, end: datetime) -> PriceTable:
        """Return the prices that are known, with stand-ins for those between two instants that are not."""
        table = with_stand_ins(self.bought, start, end)
        if self.sun is None:
            return table
        if table is self.bought:
            return known
        sun = self.sun.guessed(start, end)
        return sun.prices(table, self.power, start, end).merge(known)


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

    A load that uses own solar power is planned by what it pays then; so are its money and its price cap.

    Args:
        settings: what the customer wants.
        task: the window, and the runs so far.
        left: what is still needed at ``now``, including the rest of the current run.
        table: what is known of prices.
        now: an aware instant.
        zone: of the hub, by whose clock the customer's own time is.
        urgent: for how long it has to run at once, whatever the price and the opening of the window; the rest is
            planned as that of a run that goes on.
        sun: what it may count on of the sun; None if it does not use that.

    """
    power = settings.power or 1.0
    prices = _Prices(table, power, sun)
    begun = min(task.opens, now, *(run.start for run in task.runs))
    table = prices.known(begun, max(task.closes, now + left))
    whole = task.time_run(now) + max(left, _ZERO)
    at_once = _ZERO if task.by_hand else min(urgent, left, task.closes - now)
    if at_once > _ZERO:
        task = _running_past(task, now, now + at_once)
        now, left = now + at_once, left - at_once
    current = task.run_at(now)
    own_time = settings.fallback is not None and not knows_price(table, now)
    in_one_go = task.by_hand or settings.contiguous
    if left <= _ZERO:
        runs = task.ended(now).runs
        status = LoadStatus.PLANNED if at_once else LoadStatus.DONE
    elif current and (in_one_go or _is_last(settings, task, left, table, now)):
        # What is needed may have changed since it began.
        end = now + left if task.by_hand else min(now + left, task.closes)
        runs = task.with_run(replace(current, end=end)).runs
        status = LoadStatus.PLANNED
    elif current and not at_once and own_time:
        runs, status = task.runs, LoadStatus.PLANNED
    else:
        more, status = _rest(settings, task, left, table, prices, now, zone)
        runs = _joined(task, now, more)
    made = LoadPlan(opens=task.opens, closes=task.closes, status=status, runs=runs)
    if sun is not None and runs:
        made = replace(made, solar_share=sun.share(runs, power))
    return _with_money(made, power, whole, table)


def next_planning(
    settings: LoadSettings, table: PriceTable, task: Task, now: datetime
) -> datetime | None:
    """Return when a plan has to be made again though no price has changed."""
    moments = [task.opens - AHEAD]
    if settings.price_cap is not None and table.horizon is not None:
        moments.append(table.horizon - PATIENCE)
        # What was to run before, had its price come, runs after it.
        known = [one for one in table.intervals if one.price is not None]
        moments += [two.start for one, two in pairwise(known) if one.end < two.start]
    return min((at for at in moments if at > now), default=None)


def _is_last(
    settings: LoadSettings,
    task: Task,
    left: timedelta,
    table: PriceTable,
    now: datetime,
) -> bool:
    """Return whether the current run goes on to the end, because less is left than the shortest run."""
    if now < task.opens or left >= settings.min_run:
        return False
    return not is_above_cap(settings, table, now, now + left)


def _rest(
    settings: LoadSettings,
    task: Task,
    left: timedelta,
    table: PriceTable,
    prices: _Prices,
    now: datetime,
    zone: tzinfo,
) -> tuple[tuple[Run, ...], LoadStatus]:
    """Return the best runs from now on, and what to report of them.

    Until prices are published, those of the day before stand in for them, to decide whether to begin early. A load
    with a price cap never runs at a price that is not known.
    """
    current = task.run_at(now) if now >= task.opens else None
    over = [run for run in task.runs if run.end <= now]
    start = now if current else max(_full_minute(now), task.opens)
    if over and not current:
        start = max(start, over[-1].end + settings.min_pause)
    no_more = settings.max_runs is not None and len(over) >= settings.max_runs
    if start >= task.closes or no_more:
        return (), LoadStatus.PARTIAL
    unknown = not any(
        one.price is not None for one in table.between(start, task.closes).intervals
    )
    if unknown and task.opens - now > AHEAD:
        return (), LoadStatus.WAITING_FOR_WINDOW
    request = settings.request(
        start,
        task.closes,
        left,
        runs=len(over),
        running_since=current.start if current else None,
    )
    guessed = table
    if not (settings.price_cap is not None and _runs_out(table, now)):
        guessed = prices.guessed(table, start, task.closes)
    runs = plan(guessed, request, now).runs
    if settings.contiguous and _length(runs) < left:
        # Half a dishwasher's run helps nobody; half a car's charge does.
        runs = ()
    if runs and all(table.knows(run.start, run.end) for run in runs):
        return runs, _status(settings, left, runs, table, start, task.closes)
    if not runs and table.knows(start, task.closes):
        return (), _status(settings, left, runs, table, start, task.closes)
    return _without_prices(settings, left, runs, table, (start, task.closes), zone)


def _without_prices(
    settings: LoadSettings,
    left: timedelta,
    runs: tuple[Run, ...],
    table: PriceTable,
    rest: tuple[datetime, datetime],
    zone: tzinfo,
) -> tuple[tuple[Run, ...], LoadStatus]:
    """Return what remains of runs that reach into unknown prices: at the customer's own time, if there is one."""
    start, closes = rest
    known = () if settings.contiguous else tuple(_known_parts(runs, table))
    if settings.fallback is not None:
        opens = max(start, known[-1].end + settings.min_pause) if known else start
        last, following = window(opens, settings.fallback, settings.fallback, zone)
        at = last if last >= opens else following
        own = Run(start=at, end=min(at + left - _length(known), closes))
        if own.start < own.end and not is_above_cap(
            settings, table, own.start, own.end
        ):
            return (*known, own), LoadStatus.FALLBACK
    if settings.price_cap is not None:
        runs = tuple(run for run in known if run.duration >= settings.min_run)
    return runs, LoadStatus.PROVISIONAL if runs else LoadStatus.WAITING_FOR_PRICES


def _status(
    settings: LoadSettings,
    left: timedelta,
    runs: tuple[Run, ...],
    table: PriceTable,
    start: datetime,
    closes: datetime,
) -> LoadStatus:
    """Return what to report of runs whose prices are known."""
    if not table.knows(start, closes):
        return LoadStatus.PROVISIONAL
    if _length(runs) >= left:
        return LoadStatus.PLANNED
    if not runs and is_above_cap(settings, table, start, closes):
        return LoadStatus.ABOVE_CAP
    return LoadStatus.PARTIAL


def is_above_cap(
    settings: LoadSettings, table: PriceTable, start: datetime, end: datetime
) -> bool:
    """Return whether a price between two instants is known to be above the cap."""
    cap = settings.price_cap
    return cap is not None and any(
        interval.price is not None and interval.price > cap
        for interval in table.between(start, end).intervals
    )


def _running_past(task: Task, now: datetime, end: datetime) -> Task:
    """Return the task with its current run, or one that starts now, going on at an instant."""
    current = task.run_at(now)
    start = current.start if current else now
    return task.ended(now).with_run(Run(start=start, end=end + _INSTANT))


def _joined(task: Task, now: datetime, more: tuple[Run, ...]) -> tuple[Run, ...]:
    """Return the runs of a task, and after them what is planned: the current run goes on, or ends now."""
    current = task.run_at(now)
    if current and more and more[0].start <= now:
        return (*task.with_run(replace(current, end=more[0].end)).runs, *more[1:])
    return (*task.ended(now).runs, *more)


def _known_parts(runs: Iterable[Run], table: PriceTable) -> Iterable[Run]:
    """Yield the parts of runs whose price is known."""
    for run in runs:
        part: Run | None = None
        for interval in table.between(run.start, run.end).intervals:
            start, end = max(interval.start, run.start), min(interval.end, run.end)
            if interval.price is None:
                continue
            if part is not None and part.end == start:
                part = replace(part, end=end)
                continue
            if part is not None:
                yield part
            part = Run(start=start, end=end)
        if part is not None:
            yield part


def _with_money(
    made: LoadPlan, power: float, whole: timedelta, table: PriceTable
) -> LoadPlan:
    """Return a plan with its share of what is needed, and with what it costs and saves."""
    length = _length(made.runs)
    made = replace(made, share=min(length / whole, 1.0) if whole else 1.0)
    average = average_price(table, made.runs)
    if average is None:
        return made
    energy = power * (length / _HOUR)
    at_once = average_price(table, (Run(start=made.opens, end=made.opens + length),))
    usual = average_price(
        table, _known_parts((Run(start=made.opens, end=made.closes),), table)
    )
    return replace(
        made,
        cost=average * energy,
        average_price=average,
        saving=None if at_once is None else (at_once - average) * energy,
        saving_vs_average=None if usual is None else (usual - average) * energy,
    )


def average_price(table: PriceTable, runs: Iterable[Run]) -> float | None:
    """Return the mean price over the time of runs in EUR/kWh; None if one is unknown, or there is no time."""
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


def _runs_out(table: PriceTable, now: datetime) -> bool:
    """Return whether known prices end so soon that more cannot be relied on."""
    return table.horizon is None or table.horizon - now <= PATIENCE


def _full_minute(instant: datetime) -> datetime:
    """Return an instant, moved up to a full minute."""
    floor = instant.replace(second=0, microsecond=0)
    return floor if floor == instant else floor + timedelta(minutes=1)
