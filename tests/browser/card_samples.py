"""Responses of `nomos/chart` for days of every kind, made by the integration itself from the simulated market."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from custom_components.nomos.card.drawing import ChartOptions, chart
from custom_components.nomos.pricing import (
    TARIFF_ZONE,
    Components,
    Interval,
    PriceTable,
    TableLevels,
    day_bounds,
)
from simulator.market import Market, SyntheticMarket
from simulator.tariff import price_of

ENTITY = "sensor.nomos_current_price"
LOAD = "binary_sensor.dishwasher_run_now"

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SUMMER = date(2026, 6, 10)
SPRING = date(2026, 3, 29)
"""The day on which the clocks go forward: 92 quarter-hours."""
AUTUMN = date(2026, 10, 25)
"""The day on which the clocks go back: 100 quarter-hours."""
SUNNY = date(2026, 6, 14)
"""A Sunday with so much solar power that the market price falls below zero."""


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """Return an instant of a tariff day by its local time."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=TARIFF_ZONE)


def intervals(
    days: Iterable[date],
    *,
    step: timedelta = QUARTER,
    feed_in: bool = False,
    less: float = 0.0,
    market: Market | None = None,
) -> list[Interval]:
    """Return the prices of days, all lowered by `less` EUR/kWh."""
    found = []
    for day in days:
        start, end = day_bounds(day)
        while start < end:
            point = price_of(
                market or SyntheticMarket(7),
                start,
                step,
                feed_in=feed_in,
                decimals=4,
            )
            assert point is not None
            parts = Components(
                *(
                    None if part is None else part / 100
                    for part in (point.electricity, point.grid, point.levies)
                )
            )
            if parts.electricity is not None:
                parts = replace(parts, electricity=parts.electricity - less)
            price = point.amount / 100 - less
            found.append(Interval(start, start + step, price, parts))
            start += step
    return found


def answer(
    known: Iterable[Interval],
    now: datetime,
    *,
    pays: bool = False,
    wish: ChartOptions | None = None,
    loads: Iterable[dict[str, Any]] = (),
    batteries: Iterable[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return the integration's response to a card at an instant."""
    levels = TableLevels(PriceTable.of(known))
    return {
        "supply": {"status": "active", "at": None},
        **chart(levels, now, wish or ChartOptions(), pays=pays),
        "loads": list(loads),
        "batteries": list(batteries),
        "watch": [ENTITY, LOAD],
    }


def load(name: str, *runs: tuple[datetime, datetime], running: bool = False) -> Any:
    """Return a load with its runs, as in the response to a card."""
    return {
        "name": name,
        "running": running,
        "runs": [[int(a.timestamp()), int(b.timestamp())] for a, b in runs],
    }


def battery(name: str, start: datetime, *stretches: tuple[str, int, float]) -> Any:
    """Return a battery with its plan (mode, quarter-hours, final percent), as in the response to a card."""
    rows, level, at = [], 20.0, int(start.timestamp())
    for mode, count, end in stretches:
        for step in range(1, count + 1):
            rows.append([at, at + 900, mode, level + (end - level) * step / count])
            at += 900
        level = end
    return {"name": name, "rows": rows}


def both(day: date) -> tuple[date, date]:
    """Return a day and the next one."""
    return day, day + DAY


hourly = partial(intervals, step=HOUR)
