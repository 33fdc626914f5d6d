"""The cheapest way to use a battery, by trying everything, to hold the planner against."""

from collections.abc import Sequence
from functools import cache
from math import inf

from custom_components.nomos.planner.battery import Battery, Quarter

UNIT = 0.1
"""kWh. In batteries of 100 units without losses, needs and powers in units stay on the planner's levels."""


GRADES = 8
"""In how many steps the planner grades a power. Powers are multiples of as many units a quarter-hour."""


def units(kwh: float) -> int:
    """Return an energy in units."""
    return round(kwh / UNIT)


def powers(full: float, least: int, most: int) -> list[int]:
    """Return what a quarter-hour at each grade of a power comes to, between two amounts."""
    grades = [units(full / 4) * grade // GRADES for grade in range(1, GRADES)]
    return (
        [most, *(one for one in grades if least < one < most)] if most > least else []
    )


def least_cost(battery: Battery, level: float, quarters: Sequence[Quarter]) -> float:
    """Return what the cheapest of all sequences of modes, at all powers, costs in EUR; charge left is worth nothing."""
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
