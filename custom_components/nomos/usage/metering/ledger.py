"""Running totals by the hour: what has to be written so that they are right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from ...api.columns import Packed
from ...pricing import day_bounds
from .readings import DECIMALS, HourUsage

_SAME: Final = 0.5 * 10**-DECIMALS


class StatisticKind(StrEnum):
    """The running totals that are kept of a contract."""

    USAGE = "usage"
    """Energy bought, in kWh."""
    COST = "cost"
    """What it cost, in EUR, without any base fee."""
    BASE_FEE = "base_fee"
    """The monthly base fee of the plan in EUR, an equal part of it on each day of the month."""
    TOTAL_COST = "total_cost"
    """Cost and base fee together, in EUR."""
    RETURNED = "returned"
    """Energy fed into the grid, in kWh."""
    COMPENSATION = "compensation"
    """What was paid for it, in EUR."""


@dataclass(frozen=True, slots=True)
class HourRow:
    """The value of the hour that starts at ``start`` (UTC), and the total up to its end."""

    start: datetime
    state: float
    sum: float


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """What is written of a series from some hour on, in order, and the total before it."""

    rows: Sequence[HourRow] = ()
    before: float = 0.0
    states: Mapping[datetime, float] = field(init=False)

    def __post_init__(self) -> None:
        """Index the values."""
        object.__setattr__(self, "states", {row.start: row.state for row in self.rows})

    def revised(self, values: Mapping[datetime, float]) -> Packed[HourRow]:
        """Return the rows that have to be written for some values to replace or join those that are there.

        Nothing is taken away. A row whose value and total are the same already is not among them.
        """
        sums = {row.start: row.sum for row in self.rows}
        merged = {**self.states, **values}
        rows, total = [], self.before
        for start in sorted(merged):
            state = round(merged[start], DECIMALS)
            total = round(total + state, DECIMALS)
            if (
                start not in sums
                or abs(self.states[start] - state) > _SAME
                or abs(sums[start] - total) > _SAME
            ):
                rows.append((start, state, total))
        return Packed(HourRow, tuple(rows))


_NOTHING: Final = RunningTotal()


def revisions(
    accounts: Mapping[StatisticKind, RunningTotal],
    hours: Mapping[datetime, HourUsage],
    fees: Mapping[date, float],
    *,
    fees_from: date = date.max,
    selling: bool,
) -> dict[StatisticKind, Packed[HourRow]]:
    """Return the rows that have to be written for new hours and days of base fee to be right.

    Args:
        accounts: what is written already, from the first hour on that may change.
        hours: usage and cost of the hours that were looked at. A cost that lacks the price of a reading does not
            replace one that is there.
        fees: the base fee in EUR of each day that is over. A day that has its fee keeps it: what the plan
            costs today says nothing of last year.
        fees_from: from this day on it is known what the plan cost, and a fee replaces another one.
        selling: whether energy is fed into the grid.

    """
    energy, money = (
        (StatisticKind.RETURNED, StatisticKind.COMPENSATION)
        if selling
        else (StatisticKind.USAGE, StatisticKind.COST)
    )
    paid = accounts.get(money, _NOTHING).states
    costs = {
        hour: usage.cost
        for hour, usage in hours.items()
        if usage.cost is not None and (usage.priced or hour not in paid)
    }
    result = {
        energy: accounts.get(energy, _NOTHING).revised(
            {hour: usage.kwh for hour, usage in hours.items()}
        ),
        money: accounts.get(money, _NOTHING).revised(costs),
    }
    if fees and not selling:
        charged = accounts.get(StatisticKind.BASE_FEE, _NOTHING)
        due = {
            start: fee
            for day, fee in fees.items()
            if (start := day_bounds(day)[0]) not in charged.states or day >= fees_from
        }
        result[StatisticKind.BASE_FEE] = charged.revised(due)
        all_costs, all_fees = {**paid, **costs}, {**charged.states, **due}
        result[StatisticKind.TOTAL_COST] = accounts.get(
            StatisticKind.TOTAL_COST, _NOTHING
        ).revised(_added(all_costs, all_fees))
    return {series: rows for series, rows in result.items() if rows}


def _added(*parts: Mapping[datetime, float]) -> dict[datetime, float]:
    hours: Iterable[datetime] = sorted(set().union(*parts))
    return {hour: sum(part.get(hour, 0.0) for part in parts) for hour in hours}
