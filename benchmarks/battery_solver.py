"""The optimum of a battery that may use any power at any time: a linear programme, solved by HiGHS."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np

from custom_components.nomos.planner.battery import Battery, Quarter

_INFINITE = highspy.kHighsInf


@dataclass
class _Programme:
    """Columns and rows as they are added."""

    costs: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    columns: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def variable(self, cost: float, most: float, *, whole: bool = False) -> int:
        """Add a variable between zero and ``most``; return its column."""
        self.costs.append(cost)
        self.least.append(0.0)
        self.most.append(most)
        self.whole.append(whole)
        return len(self.costs) - 1

    def row(self, lower: float, upper: float, *terms: tuple[int, float]) -> None:
        """Bound a weighted sum of variables."""
        for column, factor in terms:
            self.columns.append(column)
            self.factors.append(factor)
        self.starts.append(len(self.columns))
        self.lower.append(lower)
        self.upper.append(upper)

    def either(self, one: int, most: float, other: int, most_other: float) -> None:
        """Allow only one of two variables to be positive."""
        choice = self.variable(0.0, 1.0, whole=True)
        self.row(-_INFINITE, 0.0, (one, 1.0), (choice, -most))
        self.row(-_INFINITE, most_other, (other, 1.0), (choice, most_other))

    def solve(self) -> tuple[float, list[float]]:
        """Return the least cost, and the values of all variables."""
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.costs), len(self.lower)
        model.col_cost_ = np.array(self.costs)
        model.col_lower_, model.col_upper_ = np.array(self.least), np.array(self.most)
        model.row_lower_, model.row_upper_ = np.array(self.lower), np.array(self.upper)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.array(self.starts)
        model.a_matrix_.index_ = np.array(self.columns)
        model.a_matrix_.value_ = np.array(self.factors)
        if any(self.whole):
            kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
            model.integrality_ = [kinds[one] for one in self.whole]
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        solver.passModel(model)
        solver.run()
        assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return solver.getInfo().objective_function_value, list(
            solver.getSolution().col_value
        )


def optimum(
    battery: Battery, level: float, quarters: Sequence[Quarter]
) -> tuple[float, list[tuple[float, float]]]:
    """Return the least cost in EUR, and the charge and discharge in each quarter-hour in kWh.

    The final charge is worth nothing. Where doing both at once could pay, integer variables exclude simultaneous import
    and export, or charging and discharging.
    """
    programme, moved = _Programme(), []
    before = None
    for quarter in quarters:
        hours, need = quarter.hours, quarter.need
        most_in, most_out = (
            battery.charge_power * hours,
            battery.discharge_power * hours,
        )
        if not battery.from_grid:
            most_in = min(most_in, max(-need, 0.0))
        if not battery.to_grid:
            most_out = min(most_out, max(need, 0.0))
        charged = programme.variable(0.0, most_in)
        discharged = programme.variable(battery.wear, most_out)
        bought = programme.variable(quarter.price, _INFINITE)
        sold = programme.variable(-quarter.payout, _INFINITE)
        held = programme.variable(0.0, battery.capacity)
        programme.row(
            need, need, (bought, 1), (sold, -1), (charged, -1), (discharged, 1)
        )
        start = level if before is None else 0.0
        terms: list[tuple[int, float]] = []
        if before is not None:
            terms = [(before, -1.0)]
        programme.row(
            start,
            start,
            (held, 1.0),
            (charged, -battery.charge_efficiency),
            (discharged, 1 / battery.discharge_efficiency),
            *terms,
        )
        if quarter.price < max(quarter.payout, 0.0) or quarter.payout < 0:
            programme.either(charged, most_in, discharged, most_out)
            most = abs(need) + most_in + most_out + 1
            programme.either(bought, most, sold, most)
        moved.append((charged, discharged))
        before = held
    cost, values = programme.solve()
    return cost, [(values[one], values[two]) for one, two in moved]
