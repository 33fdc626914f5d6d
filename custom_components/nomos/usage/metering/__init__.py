"""The meaning of usage: what was metered, what it cost, and how running totals are kept right.

Pure functions and frozen data. No I/O, no clock, no Home Assistant. Builds on prices, knows nothing of the wire.
"""

from .days import (
    DayUsage,
    MonthUsage,
    PeriodUsage,
    days_and_hours_of,
    digest_of,
    group_by_day,
    period,
    share_of_optimum,
)
from .ledger import HourRow, RunningTotal, StatisticKind, revisions
from .readings import HourUsage, Reading, hours_of
from .terms import is_settled, month_chunks, month_start, months_before, next_month

__all__ = [
    "DayUsage",
    "HourRow",
    "HourUsage",
    "MonthUsage",
    "PeriodUsage",
    "Reading",
    "RunningTotal",
    "StatisticKind",
    "days_and_hours_of",
    "digest_of",
    "group_by_day",
    "hours_of",
    "is_settled",
    "month_chunks",
    "month_start",
    "months_before",
    "next_month",
    "period",
    "revisions",
    "share_of_optimum",
]
