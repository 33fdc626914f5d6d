"""The meaning of prices: tables, days and their statistics, levels, periods.

Pure functions and frozen data. No I/O, no clock (``now`` is a parameter), no Home Assistant.
"""

from .days import (
    QUARTER,
    TARIFF_ZONE,
    day_bounds,
    days_between,
    last_day,
    local_date,
    next_midnight,
    quarter_of,
)
from .hours import hourly
from .levels import (
    DEFAULT_THRESHOLDS,
    Level,
    LevelThresholds,
    PriceRating,
    below_average,
    rate_day,
)
from .periods import DEFAULT_LIMITS, PeriodKind, PeriodLimits, TableLevels
from .stand_in import with_stand_ins
from .table import EMPTY_TABLE, Components, DayPrices, Interval, PriceTable, touching
from .window import window

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_THRESHOLDS",
    "EMPTY_TABLE",
    "QUARTER",
    "TARIFF_ZONE",
    "Components",
    "DayPrices",
    "Interval",
    "Level",
    "LevelThresholds",
    "PeriodKind",
    "PeriodLimits",
    "PriceRating",
    "PriceTable",
    "TableLevels",
    "below_average",
    "day_bounds",
    "days_between",
    "hourly",
    "last_day",
    "local_date",
    "next_midnight",
    "quarter_of",
    "rate_day",
    "touching",
    "window",
    "with_stand_ins",
]
