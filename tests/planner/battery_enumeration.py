"""The cheapest use of a battery by exhaustive search, to compare the planner with."""

from collections.abc import Sequence
from functools import cache
from math import inf

from custom_components.nomos.planner.battery import Battery, Quarter

UNIT = 0.1
"""In kWh. In a lossless battery of 100 units, needs and powers in whole units stay on the planner's levels."""


GRADES = 8
"""The number of power steps of the planner. Powers are multiples of this number of units per quarter-hour."""


def units(kwh: float) -> int:
    """Convert an energy to units."""
    return round(kwh / UNIT)


def powers(full: float, least: int, most: int) -> list[int]:
    """Return the energy (units) of a quarter-hour at each power step within two limits."""
    grades = [units(full / 4) * grade // GRADES for grade in range(1, GRADES)]
    return (
        [most, *(one for one in grades if least < one < most)] if most > least else []
    )


def least_cost(battery: Battery, level: float, quarters: Sequence[Quarter]) -> float:
    """Return the cost (EUR) of the cheapest sequence of modes and powers; the final charge is worth nothing."""
    full, reserve = units(battery.capacity), units(battery.reserve)

    def paid(quarter: Quarter, charged: int, discharged: int) -> float:
        grid = quarter.need + (charged - discharged) * UNIT
        price = quarter.price if grid > 1e-9 else quarter.payout
        return grid * price + discharged * UNIT * battery.wear

    @cache
    def from_on(index: int, held: int) -> float:
        if index == len(quarters):
            return 0.0
        quarter = quarters[index]
        need = units(quarter.need)
        most_in = min(units(battery.charge_power / 4), full - held)
        most_out = min(units(battery.discharge_power / 4), max(held - reserve, 0))
        stored, covered = min(max(-need, 0), most_in), min(max(need, 0), most_out)
        ways = [(stored, covered), (stored, 0), (0, covered)]
        if quarter.known and battery.from_grid:
            grades = powers(battery.charge_power, stored, most_in)
            ways += [(charged, 0) for charged in grades]
        if quarter.known and battery.to_grid:
            grades = powers(battery.discharge_power, covered, most_out)
            ways += [(0, discharged) for discharged in grades]
        return min(
            paid(quarter, charged, given) + from_on(index + 1, held + charged - given)
            for charged, given in ways
        )

    return from_on(0, units(level)) if quarters else inf
