"""The meaning of prices: tables, days and their statistics.

Pure functions and frozen data. No I/O, no clock (``now`` is a parameter), no Home Assistant.
"""

from .days import TARIFF_ZONE, day_bounds, local_date, next_midnight
from .table import EMPTY_TABLE, Components, DayPrices, Interval, PriceTable

__all__ = [
    "EMPTY_TABLE",
    "TARIFF_ZONE",
    "Components",
    "DayPrices",
    "Interval",
    "PriceTable",
    "day_bounds",
    "local_date",
    "next_midnight",
]
