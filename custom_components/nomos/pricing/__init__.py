"""The meaning of prices: tables, days and their statistics, levels, plans.

Pure functions and frozen data. No I/O, no clock (``now`` is a parameter), no Home Assistant.
"""

from .days import TARIFF_ZONE, day_bounds, local_date, next_midnight
from .levels import (
    DEFAULT_THRESHOLDS,
    DayLevels,
    Level,
    LevelThresholds,
    Period,
    Standing,
    below_average,
    cheapest_hours,
    join_periods,
)
from .plan_model import (
    Goal,
    Plan,
    PlanRequest,
    PlanStatus,
    Prefer,
    Profile,
    Run,
    Slice,
    duration_for,
    window,
)
from .planner import plan
from .table import EMPTY_TABLE, Components, DayPrices, Interval, PriceTable

__all__ = [
    "DEFAULT_THRESHOLDS",
    "EMPTY_TABLE",
    "TARIFF_ZONE",
    "Components",
    "DayLevels",
    "DayPrices",
    "Goal",
    "Interval",
    "Level",
    "LevelThresholds",
    "Period",
    "Plan",
    "PlanRequest",
    "PlanStatus",
    "Prefer",
    "PriceTable",
    "Profile",
    "Run",
    "Slice",
    "Standing",
    "below_average",
    "cheapest_hours",
    "day_bounds",
    "duration_for",
    "join_periods",
    "local_date",
    "next_midnight",
    "plan",
    "window",
]
