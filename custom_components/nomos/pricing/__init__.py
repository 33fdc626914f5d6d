"""The meaning of prices: tables, days and their statistics, levels.

Pure functions and frozen data. No I/O, no clock (``now`` is a parameter), no Home Assistant.
"""

from .days import TARIFF_ZONE, day_bounds, last_day, local_date, next_midnight
from .levels import (
    DEFAULT_THRESHOLDS,
    DayLevels,
    Level,
    LevelThresholds,
    PriceRating,
    below_average,
    cheap_periods,
)
from .table import EMPTY_TABLE, Components, DayPrices, Interval, PriceTable

__all__ = [
    "DEFAULT_THRESHOLDS",
    "EMPTY_TABLE",
    "TARIFF_ZONE",
    "Components",
    "DayLevels",
    "DayPrices",
    "Interval",
    "Level",
    "LevelThresholds",
    "PriceRating",
    "PriceTable",
    "below_average",
    "cheap_periods",
    "day_bounds",
    "last_day",
    "local_date",
    "next_midnight",
]
