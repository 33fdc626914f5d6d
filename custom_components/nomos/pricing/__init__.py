"""The meaning of prices: tables, days and their statistics, levels, periods.

Pure functions and frozen data. No I/O, no clock (``now`` is a parameter), no Home Assistant.
"""

from .days import (
    QUARTER,
    TARIFF_ZONE,
    day_bounds,
    last_day,
    local_date,
    next_midnight,
    quarter_of,
)
from .hours import hourly
from .levels import (
    DEFAULT_THRESHOLDS,
    DayLevels,
    Level,
    LevelThresholds,
    PriceRating,
    below_average,
)
from .periods import (
    DEFAULT_LIMITS,
    Period,
    PeriodKind,
    PeriodLimits,
    TableLevels,
    find_periods,
)
from .stand_in import with_stand_ins
from .table import EMPTY_TABLE, Components, DayPrices, Interval, PriceTable
from .window import window

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_THRESHOLDS",
    "EMPTY_TABLE",
    "QUARTER",
    "TARIFF_ZONE",
    "Components",
    "DayLevels",
    "DayPrices",
    "Interval",
    "Level",
    "LevelThresholds",
    "Period",
    "PeriodKind",
    "PeriodLimits",
    "PriceRating",
    "PriceTable",
    "TableLevels",
    "below_average",
    "day_bounds",
    "find_periods",
    "hourly",
    "last_day",
    "local_date",
    "next_midnight",
    "quarter_of",
    "window",
    "with_stand_ins",
]
