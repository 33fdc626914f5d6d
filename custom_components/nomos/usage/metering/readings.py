"""What the meter measured, interval by interval, and what it cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum

from ...api.columns import PackedMapping
from ...pricing import PriceTable

DECIMALS = 9
"""Usage comes with three decimals and prices in EUR/kWh with six: rounding here removes binary dust, nothing else."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The energy of one metered interval.

    ``kwh`` is positive in both directions; the contract says which way it flowed. A reading that is not ``final``
    may be replaced.
    """

    start: datetime
    length: timedelta
    kwh: float
    final: bool


@dataclass(frozen=True, slots=True)
class HourUsage:
    """Energy in kWh and cost in EUR of the readings within one hour.

    The cost is that of the readings whose price is known; None when there is none of them. ``priced`` tells
    whether that is all of them.
    """

    kwh: float
    cost: float | None
    priced: bool


def hours_of(
    readings: Iterable[Reading], table: PriceTable
) -> PackedMapping[datetime, HourUsage]:
    """Return usage and cost by the UTC hour, in order, and packed; hours without a reading are not there.

    Each reading costs its energy times the price of its own interval, so that the sum is what the invoice says.
    """
    energies: dict[datetime, list[float]] = {}
    costs: dict[datetime, list[float]] = {}
    for reading in readings:
        hour = reading.start.replace(minute=0, second=0, microsecond=0)
        energies.setdefault(hour, []).append(reading.kwh)
        if (price := price_of(reading, table)) is not None:
            costs.setdefault(hour, []).append(reading.kwh * price)
    rows = {
        hour: (
            round(fsum(energies[hour]), DECIMALS),
            round(fsum(costs[hour]), DECIMALS) if hour in costs else None,
            len(costs.get(hour, ())) == len(energies[hour]),
        )
        for hour in sorted(energies)
    }
    return PackedMapping(HourUsage, rows)


def price_of(reading: Reading, table: PriceTable) -> float | None:
    """Return the price of a reading in EUR/kWh: that of its interval, or the mean over those that it spans.

    None where a part of it has no known price.
    """
    end, at = reading.start + reading.length, reading.start
    weighted = []
    while at < end:
        interval = table.at(at)
        if interval is None or interval.price is None:
            return None
        until = min(interval.end, end)
        if at == reading.start and until == end:
            return interval.price
        weighted.append(interval.price * (until - at).total_seconds())
        at = until
    return fsum(weighted) / reading.length.total_seconds()
