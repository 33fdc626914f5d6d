"""Running totals by the hour, as long-term statistics have them: which rows have to be written. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

DECIMALS: Final = 9
"""Usage comes with three decimals and prices in EUR/kWh with six: rounding here removes binary dust, nothing else."""

_SAME: Final = 0.5 * 10**-DECIMALS

type Rows = Mapping[datetime, tuple[float, float]]
"""The value of each hour, by its start (UTC) and in order, and the total up to its end."""


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """The rows of a statistic from some hour on, and the total before it."""

    rows: Rows = field(default_factory=dict)
    before: float = 0.0

    def states(self) -> dict[datetime, float]:
        """Return the value of each hour."""
        return {start: state for start, (state, _) in self.rows.items()}

    def revised(self, values: Mapping[datetime, float]) -> Rows:
        """Return the rows that have to be written for some values to replace or join those that are there.

        Nothing is taken away. A row whose value and total are the same already is not among them.
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
