"""Conversion of API answers and stored files to price tables, and of options to levels and periods."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..api import PriceSeries
from ..codec import decode
from ..pricing import (
    Components,
    Interval,
    LevelThresholds,
    PeriodLimits,
    PriceTable,
    day_bounds,
    last_day,
    local_date,
)
from ..storage import StoredFile, stored_file

_EVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

SHARES: Final = (
    "cheap_share",
    "very_cheap_share",
    "expensive_share",
    "very_expensive_share",
)
DISTANCES: Final = ("distance", "very_distance", "sure_distance")
"""The options of levels: in percent and in ct/kWh."""

PERIODS: Final = {"shortest_period": "shortest", "bridged_gap": "bridged"}
"""The options of periods, in minutes, and what they limit."""


def price_table(
    series: PriceSeries, since: datetime = _EVER[0], until: datetime = _EVER[1]
) -> PriceTable:
    """Convert prices of the API (ct/kWh) to a table (EUR/kWh) of the intervals that overlap a range."""
    items, length = series.items or (), series.resolution
    first = bisect_right(items, since, key=lambda item: item.start + length)
    end = bisect_left(items, until, key=lambda item: item.start)
    return PriceTable.of(
        Interval(
            item.start,
            item.start + length,
            _euro(item.amount),
            Components(_euro(item.electricity), _euro(item.grid), _euro(item.levies)),
        )
        for item in items[first:end]
    )


def _euro(cents: float | None) -> float | None:
    """Convert ct/kWh to EUR/kWh, without the rounding error of the division."""
    return None if cents is None else round(cents / 100, 8)


def price_file(hass: HomeAssistant, contract_id: str) -> StoredFile:
    """Return the file of a contract's prices."""
    return stored_file(hass, f"prices.{contract_id}")


def decode_table(stored: Any) -> PriceTable:
    """Decode a stored table; ValueError or TypeError if it is invalid."""
    return PriceTable.of(decode(tuple[Interval, ...], stored))


def knows_price(table: PriceTable, now: datetime) -> bool:
    """Return whether a price is known at an aware instant."""
    return (current := table.at(now)) is not None and current.price is not None


def is_complete(table: PriceTable, day: date, supplied_to: datetime | None) -> bool:
    """Return whether every price of a tariff day is known, up to the end of the contract."""
    start, end = day_bounds(day)
    return table.knows(start, min(end, supplied_to or end))


def trimmed(table: PriceTable, now: datetime) -> PriceTable:
    """Return a table from yesterday on, for charts and automations that look back past midnight.

    The last three days with prices always stay, so that a clock that is ahead removes nothing. Only whole days are
    dropped, so that a table changes only once a day because of its age.
    """
    first = local_date(now) - timedelta(days=1)
    if (horizon := table.horizon) is not None:
        first = min(first, last_day(horizon) - timedelta(days=2))
    return table.since(day_bounds(first)[0])


def level_thresholds(options: Mapping[str, Any]) -> LevelThresholds:
    """Return the customer's thresholds of levels; missing options have their defaults."""
    shares = {name: options[name] for name in SHARES if name in options}
    distances = {name: options[name] / 100 for name in DISTANCES if name in options}
    return LevelThresholds(**shares, **distances)


def contradictions(options: Mapping[str, Any]) -> dict[str, str]:
    """Return contradictions in the options of levels: names of options, and translation keys of the errors."""
    wrong = {}
    for kind in ("cheap", "expensive"):
        if options[f"very_{kind}_share"] > options[f"{kind}_share"]:
            wrong[f"very_{kind}_share"] = f"more_than_{kind}"
    if not options["distance"]:
        wrong["distance"] = "no_distance"
    if options["very_distance"] < options["distance"]:
        wrong["very_distance"] = "less_than_distance"
    return wrong


def period_limits(options: Mapping[str, Any]) -> PeriodLimits:
    """Return the customer's limits of periods; missing options have their defaults.

    If both are zero, nothing is joined or left out.
    """
    given: dict[str, Any] = {
        limit: timedelta(minutes=options[name])
        for name, limit in PERIODS.items()
        if name in options
    }
    limits = PeriodLimits(**given)
    if limits.shortest or limits.bridged:
        return limits
    return replace(limits, most=None)
