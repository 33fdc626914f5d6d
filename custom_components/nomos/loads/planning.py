"""The plan of a load: for its window, as far as prices are known. Pure, for the executor."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from ..planner import Plan, PlanStatus, Run, plan, window
from ..pricing import PriceTable
from .model import LoadPlan, LoadSettings, LoadStatus


def plan_load(
    settings: LoadSettings,
    begun: LoadPlan | None,
    table: PriceTable,
    now: datetime,
    zone: tzinfo,
) -> LoadPlan:
    """Return the plan that has begun with what it lacks, or else the plan for the next window.

    ``begun`` is the last plan that began, all of whose runs are over. Windows are by the clock of the hub's ``zone``.
    """
    if begun is not None and (rest := _rest(settings, begun, table, now)) is not None:
        return rest
    # A load that has run is done with its window.
    after = max(now, begun.closes) if begun else now
    opens, closes = window(after, settings.start, settings.end, zone)
    opens = max(opens, _full_minute(after))
    waiting = LoadPlan(opens=opens, closes=closes, status=LoadStatus.WAITING)
    made = plan(table, settings.request(opens, closes), now)
    # Half a dishwasher's run helps nobody; half a car's charge does.
    if made.status is PlanStatus.COMPLETE or (made.runs and not settings.contiguous):
        return _load_plan(made, opens, closes)
    # The customer's own time is for when prices are missing, not for when they are too high.
    return _without_prices(settings, table, waiting, zone) if made.unknown else waiting


def is_above_cap(
    settings: LoadSettings, table: PriceTable, start: datetime, end: datetime
) -> bool:
    """Return whether a price between two instants is known to be above the cap."""
    cap = settings.price_cap
    return cap is not None and any(
        interval.price is not None and interval.price > cap
        for interval in table.between(start, end).intervals
    )


def _rest(
    settings: LoadSettings, begun: LoadPlan, table: PriceTable, now: datetime
) -> LoadPlan | None:
    """Return the plan that began, with what it lacks: more prices may be known now than when it was made."""
    if (left := settings.left_after(begun)) is None:
        return None
    opens = max(_full_minute(now), begun.runs[-1].end + left.min_pause)
    if opens >= begun.closes:
        return None
    made = plan(table, left.request(opens, begun.closes), now)
    if not made.runs:
        return None
    return begun.followed_by(_load_plan(made, begun.opens, begun.closes))


def _load_plan(made: Plan, opens: datetime, closes: datetime) -> LoadPlan:
    """Return what the planner has made, for a window."""
    status = LoadStatus.PLANNED
    if made.provisional:
        status = LoadStatus.PROVISIONAL
    elif made.status is PlanStatus.SHORT:
        status = LoadStatus.SHORT
    return LoadPlan(
        opens=opens,
        closes=closes,
        status=status,
        runs=made.runs,
        cost=made.cost,
        average_price=made.average_price,
        saving=made.saving_vs_now,
    )


def _without_prices(
    settings: LoadSettings, table: PriceTable, waiting: LoadPlan, zone: tzinfo
) -> LoadPlan:
    """Return the plan if prices are missing: at the customer's own time, if there is one."""
    if (fallback := settings.fallback) is None:
        return waiting
    opens, closes = waiting.opens, waiting.closes
    last, following = window(opens, fallback, fallback, zone)
    start = last if last >= opens else following
    end = min(start + settings.duration, closes)
    if start >= end or is_above_cap(settings, table, start, end):
        return waiting
    return replace(
        waiting, status=LoadStatus.FALLBACK, runs=(Run(start=start, end=end),)
    )


def _full_minute(instant: datetime) -> datetime:
    """Return an instant, moved up to a full minute."""
    floor = instant.replace(second=0, microsecond=0)
    return floor if floor == instant else floor + timedelta(minutes=1)
