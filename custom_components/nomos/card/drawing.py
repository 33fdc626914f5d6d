"""What a price card draws: prices, levels, components, best windows, the outlook. Pure: no Home Assistant, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any, Final

from ..planner import Objective, Plan, PlanRequest, PlanStatus, plan
from ..planner.expected import Expected
from ..pricing import (
    QUARTER,
    TARIFF_ZONE,
    Interval,
    PeriodKind,
    PriceTable,
    TableLevels,
    day_bounds,
    hourly,
    local_date,
    quarter_of,
)

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_SOON: Final = 2 * _HOUR
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartOptions:
    """What a card requests: length (minutes) and number of best windows, yesterday, hours instead of quarter-hours."""

    minutes: int = 120
    windows: int = 1
    yesterday: bool = False
    hours: bool = False


def chart(
    levels: TableLevels,
    now: datetime,
    wish: ChartOptions,
    *,
    pays: bool,
    expected: Expected | None = None,
) -> dict[str, Any]:
    """Return the chart of today, tomorrow and, if requested, yesterday, with the best windows and the outlook.

    An interval is a row of start, end, price, level (1 very cheap to 5 very expensive), electricity, grid, levies.
    Hours, if requested, have levels of their own; ``exact`` then has the original intervals of the next two hours.
    All times are seconds since 1970, all prices EUR/kWh; unknown values are None. If the contract ``pays`` the
    customer, a high price is a good one.
    """
    table, today = levels.table, local_date(now)
    drawn = levels
    if wish.hours:
        drawn = replace(levels, table=hourly(table, whole=False))
    yesterday = today - _DAY
    wanted = [yesterday] if wish.yesterday else []
    days, rows = [], []
    for shown in (*wanted, today, today + _DAY):
        day = table.day(shown)
        start, end = day_bounds(shown)
        days.append(
            {
                "date": shown.isoformat(),
                "start": seconds(start),
                "end": seconds(end),
                "average": _rounded(day.average),
                "complete": day.complete,
            }
        )
        rows += [_row(one, drawn) for one in drawn.table.day(shown).intervals]
    soon = table.between(now, now + _SOON).intervals if wish.hours else ()
    return {
        "kind": "feed_in" if pays else "consumption",
        "time_zone": TARIFF_ZONE.key,
        "days": days,
        "yesterday": table.day(yesterday).average is not None,
        "intervals": rows,
        "exact": [_row(one, levels) for one in soon],
        "windows": [
            {
                "start": seconds(best.runs[0].start),
                "end": seconds(best.runs[0].end),
                "average": _rounded(best.average_price),
            }
            for best in _windows(table, now, wish, pays=pays)
        ],
        "period": _period(levels, now, pays=pays),
        "expected": _energies(expected, quarter_of(now)) if expected else None,
    }


def _energies(expected: Expected, start: datetime) -> dict[str, Any]:
    """Return solar energy and the need of house and loads (kWh) by quarter-hour until known prices end."""
    need, sun, at = [], [], start
    while at < (expected.prices.horizon or start):
        used, made = expected.energy(at, at + QUARTER)
        need.append(round(used, 3))
        sun.append(round(made, 3))
        at += QUARTER
    return {"start": seconds(start), "sun": sun, "need": need}


def _row(interval: Interval, levels: TableLevels) -> list[float | None]:
    rating, parts = levels.at(interval.start), interval.components
    return [
        seconds(interval.start),
        seconds(interval.end),
        _rounded(interval.price),
        int(rating.level) if rating else None,
        *map(_rounded, (parts.electricity, parts.grid, parts.levies)),
    ]


def _windows(
    table: PriceTable, now: datetime, wish: ChartOptions, *, pays: bool
) -> list[Plan]:
    """Return the best upcoming windows, best first: the cheapest, or those that pay most.

    Each is the best that does not overlap those before it. The first may begin with the current interval, which
    counts in full. There are fewer if prices are not known far enough.
    """
    current, horizon = table.at(now), table.horizon
    start = current.start if current else now
    if horizon is None or horizon <= start:
        return []
    length = timedelta(minutes=wish.minutes)
    objective = Objective.HIGHEST if pays else Objective.LOWEST

    def rank(best: Plan) -> tuple[float, datetime]:
        price = round(best.average_price or 0.0, _DIGITS)
        return (-price if pays else price, best.runs[0].start)

    def in_stretch(begin: datetime, end: datetime) -> Iterator[Plan]:
        request = PlanRequest(begin, end, length, objective=objective)
        best = plan(table, request, begin)
        if best.status is PlanStatus.COMPLETE:
            yield best
            [run] = best.runs
            around = in_stretch(begin, run.start), in_stretch(run.end, end)
            yield from merge(*around, key=rank)

    return list(islice(in_stretch(start, horizon), wish.windows))


def _period(levels: TableLevels, now: datetime, *, pays: bool) -> dict[str, int] | None:
    """Return the current or next cheap period; for payouts, the period of high ones."""
    kind = PeriodKind.EXPENSIVE if pays else PeriodKind.CHEAP
    coming = (one for one in levels.periods(kind) if one.end > now)
    if (found := next(coming, None)) is None:
        return None
    return {"start": seconds(found.start), "end": seconds(found.end)}


def seconds(instant: datetime) -> int:
    """Return an instant as seconds since 1970."""
    return int(instant.timestamp())


def _rounded(value: float | None) -> float | None:
    """Return a price without the digits that the card does not show."""
    return None if value is None else round(value, _DIGITS)
