"""Hourly running totals for long-term statistics: which rows have to be written. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

DECIMALS: Final = 9
"""Usage has three decimals and prices in EUR/kWh have six: rounding here only removes floating-point noise."""

_SAME: Final = 0.5 * 10**-DECIMALS

type Rows = Mapping[datetime, tuple[float, float]]
"""The value of each hour and the total up to its end, by its start (UTC) and in order."""


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """The rows of a statistic from some hour on, and the total before it."""

    rows: Rows = field(default_factory=dict)
    before: float = 0.0

    def states(self) -> dict[datetime, float]:
        """Return the value of each hour."""
        return {start: state for start, (state, _) in self.rows.items()}

    def revised(self, values: Mapping[datetime, float]) -> Rows:
        """Return the rows that have to be written to add or replace some values.

        Nothing is removed. Rows whose value and total stay the same are left out.
        """
        merged = {**self.states(), **values}
        rows, total = {}, self.before
        for start in sorted(merged):
            state = round(merged[start], DECIMALS)
            total = round(total + state, DECIMALS)
            known = self.rows.get(start)
            if (
                known is None
                or abs(known[0] - state) > _SAME
                or abs(known[1] - total) > _SAME
            ):
                rows[start] = state, total
        return rows
