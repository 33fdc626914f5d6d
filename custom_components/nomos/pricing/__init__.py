"""The meaning of prices: tables, days and their statistics.

Pure functions and frozen data. No I/O, no clock (``now`` is a parameter), no Home Assistant.
"""

from .days import TARIFF_ZONE, day_bounds, local_date, next_midnight
from .plan_model import (
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
    "EMPTY_TABLE",
    "TARIFF_ZONE",
    "Components",
    "DayPrices",
    "Interval",
    "Plan",
    "PlanRequest",
    "PlanStatus",
    "Prefer",
    "PriceTable",
    "Profile",
    "Run",
    "Slice",
    "day_bounds",
    "duration_for",
    "local_date",
    "next_midnight",
    "plan",
    "window",
]
