"""The running totals of a contract: which rows have to be written. Pure functions."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from ..pricing import day_bounds, days_between
from ..totals import Rows, RunningTotal
from .metering import HourUsage
from .months import month_start, next_month


class StatisticKind(StrEnum):
    """The running totals that are kept of a contract."""

    USAGE = "usage"
    """Energy bought, in kWh."""
    COST = "cost"
    """What it cost, in EUR, without any base fee."""
    BASE_FEE = "base_fee"
    """The tariff's monthly base fee in EUR, an equal part of it on each day of the month."""
    TOTAL_COST = "total_cost"
    """Cost and base fee together, in EUR."""
    RETURNED = "returned"
    """Energy fed into the grid, in kWh."""
    COMPENSATION = "compensation"
    """What was paid for it, in EUR."""


def revisions(
    totals: Mapping[StatisticKind, RunningTotal],
    hours: Mapping[datetime, HourUsage],
    fees: Mapping[date, float],
    *,
    fees_from: date = date.max,
    selling: bool,
) -> dict[StatisticKind, Rows]:
    """Return the rows that have to be written for new hours and new days of base fee.

    Args:
        totals: what is already written, from the first hour that may change.
        hours: usage and cost. A cost that lacks the price of a reading does not replace one that is written.
        fees: base fee in EUR of past days. A booked fee stays, since today's tariff says nothing about last year.
        fees_from: from this day on, the fees are certain and replace booked ones.
        selling: whether energy is fed into the grid.

    """
    energy, money = (
        (StatisticKind.RETURNED, StatisticKind.COMPENSATION)
        if selling
        else (StatisticKind.USAGE, StatisticKind.COST)
    )
    known = defaultdict(RunningTotal, totals)
    paid = known[money].states()
    costs = {
        hour: usage.cost
        for hour, usage in hours.items()
        if usage.cost is not None and (usage.priced or hour not in paid)
    }
    result = {
        energy: known[energy].revised(
            {hour: usage.kwh for hour, usage in hours.items()}
        ),
        money: known[money].revised(costs),
    }
    if fees and not selling:
        charged = known[StatisticKind.BASE_FEE]
        due = {
            start: fee
            for day, fee in fees.items()
            if (start := day_bounds(day)[0]) not in charged.rows or day >= fees_from
        }
        result[StatisticKind.BASE_FEE] = charged.revised(due)
        sums = paid | costs
        for hour, fee in (charged.states() | due).items():
            sums[hour] = sums.get(hour, 0.0) + fee
        result[StatisticKind.TOTAL_COST] = known[StatisticKind.TOTAL_COST].revised(sums)
    return {kind: rows for kind, rows in result.items() if rows}


def daily_fees(
    monthly: Mapping[date, float], first: date, end: date
) -> dict[date, float]:
    """Return the base fee in EUR of each day in a range: an equal part of its month's fee.

    ``monthly`` has the monthly fee by the first day on which it applies; the earliest one also applies before it.
    """
    if not monthly:
        return {}
    return {
        day: monthly[
            max((since for since in monthly if since <= day), default=min(monthly))
        ]
        / (next_month(day) - month_start(day)).days
        for day in days_between(first, end)
    }
