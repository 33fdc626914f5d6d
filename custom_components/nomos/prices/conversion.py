"""Price tables as they come from the wire, as they lie on the disk, and what of them is kept."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..api import PriceItem, PriceSeries
from ..pricing import Components, Interval, PriceTable, day_bounds, local_date
from ..storage import StoredFile, read_count, read_instant, read_number, stored_file

_EVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def price_table(
    series: PriceSeries, since: datetime = _EVER[0], until: datetime = _EVER[1]
) -> PriceTable:
    """Return what the wire said as the program means it: intervals in EUR/kWh; those that touch a stretch of time."""
    return PriceTable.of(_intervals(series, since, until))


def _intervals(
    series: PriceSeries, since: datetime, until: datetime
) -> Iterator[Interval]:
    items = series.items or ()
    first = bisect_right(items, since, key=lambda item: item.start + series.resolution)
    for item in items[first:]:
        if item.start >= until:
            return
        yield Interval(
            item.start,
            item.start + series.resolution,
            _euro(item.amount),
            _components(item),
        )


def _components(item: PriceItem) -> Components:
    return Components(_euro(item.electricity), _euro(item.grid), _euro(item.levies))


def _euro(cents: float | None) -> float | None:
    """Return ct/kWh as EUR/kWh, without the binary dust of the division."""
    return None if cents is None else round(cents / 100, 8)


def price_file(hass: HomeAssistant, subscription_id: str) -> StoredFile:
    """Return the file that holds a subscription's prices."""
    return stored_file(hass, f"prices.{slug(subscription_id)}")


def slug(identifier: str) -> str:
    """Return an opaque id as a part of a file's name."""
    return "".join(
        sign if sign.isalnum() or sign in "_-" else "." for sign in identifier
    )


def encode_table(subscription_id: str, table: PriceTable) -> dict[str, Any]:
    """Return a table as JSON: start and end in seconds since 1970, prices in EUR/kWh."""
    return {
        "subscription": subscription_id,
        "intervals": [
            [
                int(one.start.timestamp()),
                int(one.end.timestamp()),
                one.price,
                one.components.electricity,
                one.components.grid,
                one.components.levies,
            ]
            for one in table.intervals
        ],
    }


def decode_table(subscription_id: str, stored: Any) -> PriceTable:
    """Read what ``encode_table`` wrote; ValueError where it is of another subscription, or nonsense."""
    if stored["subscription"] != subscription_id:
        raise ValueError("another subscription")
    return PriceTable.of(
        Interval(
            read_instant(read_count(start)),
            read_instant(read_count(end)),
            _price(price),
            Components(_price(electricity), _price(grid), _price(levies)),
        )
        for start, end, price, electricity, grid, levies in stored["intervals"]
    )


def _price(value: Any) -> float | None:
    return None if value is None else read_number(value)


def knows_price(table: PriceTable, now: datetime) -> bool:
    """Return whether a price is known at an aware instant."""
    return (current := table.at(now)) is not None and current.price is not None


def complete_until(table: PriceTable, day: date, supplied_to: datetime | None) -> bool:
    """Return whether every price of a tariff day is known that there will be."""
    start, end = day_bounds(day)
    if supplied_to is None or end <= supplied_to:
        return table.day(day).complete
    return table.knows(start, supplied_to)


def trimmed(table: PriceTable, now: datetime) -> PriceTable:
    """Return a table from yesterday on: charts and automations look back over midnight.

    A clock that is ahead takes nothing away: the last three days with prices stay. Cut by whole days, so that a table
    changes for its age once a day only.
    """
    first = local_date(now) - timedelta(days=1)
    if (horizon := table.horizon) is not None:
        last = local_date(horizon - timedelta(seconds=1))
        first = min(first, last - timedelta(days=2))
    return table.since(day_bounds(first)[0])
