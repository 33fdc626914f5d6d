"""Any number of prices and readings, as they arrive and as they are stored."""

from datetime import UTC, datetime, timedelta
from math import sin
from typing import Any, Final

from custom_components.nomos.api import PriceSeries, UsageItem
from custom_components.nomos.prices.conversion import price_table
from custom_components.nomos.pricing import PriceTable

FIRST: Final = datetime(2026, 6, 8, 22, tzinfo=UTC)
"""A midnight in Germany."""

QUARTER: Final = timedelta(minutes=15)


def price_answer(count: int, *, shift: float = 0.0) -> dict[str, Any]:
    """Return a response with a number of intervals: two waves a day, noise, and a distinct price for each."""
    return {
        "subscription": "sub_1",
        "unit": "ct/kWh",
        "currency": "EUR",
        "resolution": "15min",
        "items": [
            {
                "timestamp": f"{FIRST + index * QUARTER:%Y-%m-%dT%H:%M:%SZ}",
                "amount": round(24 + shift + _wave(index), 4),
                "components": [
                    {"type": "electricity", "amount": round(9 + _wave(index), 4)},
                    {"type": "grid", "amount": 9.47},
                    {"type": "levies", "amount": 5.53},
                ],
            }
            for index in range(count)
        ],
    }


def _wave(index: int) -> float:
    return 9 * sin(index / 7.6) + 3 * sin(index / 15.3) + index * 7919 % 101 / 50


def price_sample(count: int, *, shift: float = 0.0) -> PriceTable:
    """Return a table with a number of intervals."""
    return price_table(PriceSeries.from_json(price_answer(count, shift=shift)))


def reading_sample(count: int) -> list[UsageItem]:
    """Return readings of a number of quarter-hours."""
    return [
        UsageItem(FIRST + index * QUARTER, round(0.1 + index % 13 / 40, 3), final=True)
        for index in range(count)
    ]
