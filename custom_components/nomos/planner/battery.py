"""What to tell a battery's inverter, quarter-hour by quarter-hour: the modes that cost the least.

A dynamic programme over charge levels and the previous quarter-hour's mode. Levels are steps of one percent of the
capacity; costs between them are interpolated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import fsum, inf, sqrt
from operator import add
from typing import Final, NamedTuple

_HOUR: Final = timedelta(hours=1)
_LEVELS: Final = 100
_MODE_CHANGE_COST: Final = 0.001
"""EUR that a change to a mode other than self-use has to earn, so that modes do not flap."""
_POWER_GRADES: Final = 8
"""The number of grades of a power that are tried."""
_TIE: Final = 1e-5
"""EUR that make no difference: of powers that cost the same, the highest is used."""
_TARGET_PENALTY: Final = 10.0
"""EUR per kWh that is missing at a target: more than any price."""


class BatteryMode(StrEnum):
    """What an inverter can be told.

    - ``SELF_USE``: left to itself: the battery covers the need and stores the surplus;
    - ``HOLD``: stores the surplus, does not discharge;
    - ``DELAY_CHARGE``: sells the surplus, so that the battery keeps room; covers the need;
    - ``CHARGE``: charges at a power, up to a level, from the grid too;
    - ``FEED_IN``: discharges at a power, down to a level, into the grid too.
    """

    SELF_USE = "self_use"
    HOLD = "hold"
    DELAY_CHARGE = "delay_charge"
    CHARGE = "charge"
    FEED_IN = "feed_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What a battery and its inverter can do.

    Energies and levels are usable kWh, powers are kW on the house's side. The share ``charge_efficiency`` of what is
    charged reaches the battery, the share ``discharge_efficiency`` of what leaves the battery reaches the house.
    ``standby`` (kW) is lost all the time, ``wear`` is the cost of discharging in EUR/kWh. Nothing is discharged
    below ``reserve``. ``from_grid``: it may charge from the grid; ``to_grid``: it may discharge into the grid.

    Raises:
        ValueError: a value is impossible.

    """

    capacity: float
    charge_power: float
    discharge_power: float
    charge_efficiency: float = sqrt(0.9)
    discharge_efficiency: float = sqrt(0.9)
    standby: float = 0.0
    reserve: float = 0.0
    wear: float = 0.05
    from_grid: bool = True
    to_grid: bool = False

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if not (
            0 < self.capacity < inf
            and 0 < self.charge_power < inf
            and 0 < self.discharge_power < inf
            and 0 < self.charge_efficiency <= 1
            and 0 < self.discharge_efficiency <= 1
            and 0 <= self.standby < inf
            and 0 <= self.reserve <= self.capacity
            and 0 <= self.wear < inf
        ):
            raise ValueError("There is no such battery")


class Quarter(NamedTuple):
    """A quarter-hour, or what is left of one, and what is expected in it.

    ``need`` is what the house uses beyond its own solar power (kWh, negative for a surplus); ``price`` of import and
    ``payout`` of export are in EUR/kWh. If the price is only a stand-in, ``known`` is False: then nothing is bought
    for the battery, and nothing is sold from it.
    """

    start: datetime
    end: datetime
    need: float
    price: float
    payout: float = 0.0
    known: bool = True

    @property
    def hours(self) -> float:
        """Return the length in hours."""
        return (self.end - self.start) / _HOUR


class Step(NamedTuple):
    """What the inverter is told in a quarter-hour, and the result.

    ``power`` (kW) is that of ``CHARGE`` and ``FEED_IN``, else zero. ``level`` is the charge at the end (kWh),
    ``grid`` what is imported (kWh, negative for export), ``discharged`` what the battery delivers (kWh), ``cost``
    the cost of import and wear (EUR, negative if export earns more).
    """

    mode: BatteryMode
    power: float
    level: float
    grid: float
    discharged: float
    cost: float


class Target(NamedTuple):
    """A charge level (kWh) to be reached by an instant, whatever it costs."""

    at: datetime
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryPlan:
    """A step for each quarter-hour, and what the plan costs (EUR, wear included).

    ``cost`` and ``cost_self_use`` are of the same quarter-hours. ``end_value`` is how much more the charge left at
    the end is worth than under self-use; it is subtracted from ``cost``.
    """

    quarters: tuple[Quarter, ...]
    steps: tuple[Step, ...]
    cost: float
    cost_self_use: float
    end_value: float

    @property
    def gain(self) -> float:
        """Return what the plan saves against self-use; never negative."""
        return self.cost_self_use - self.cost


type _Costs = list[float]
"""The cost from an instant on, by charge level."""
type _CostsByMode = tuple[_Costs, ...]
"""The same, by the previous quarter-hour's mode, in the order of ``BatteryMode``."""
type _Outcome = tuple[int, float, float, float, float]
"""A mode, by its index in ``BatteryMode``; what is charged and discharged, the resulting level (kWh) and the cost."""
type _Choice = tuple[_Costs, list[float]]
"""The cost of ending at each level by charging or feeding in, and the amounts of the grades below full power."""
type _Choices = tuple[_Choice | None, _Choice | None]

_MODES: Final = tuple(BatteryMode)
_SELF_USE, _HOLD, _DELAY_CHARGE, _CHARGE, _FEED_IN = range(len(_MODES))


def plan_battery(
    battery: Battery,
    level: float,
    quarters: Sequence[Quarter],
    beyond: Sequence[Quarter] = (),
    *,
    target: Target | None = None,
    mode: BatteryMode = BatteryMode.SELF_USE,
) -> BatteryPlan:
    """Return the plan for some quarter-hours, starting with a charge level (kWh) and the current mode.

    What charge is worth at their end follows from the quarter-hours ``beyond``, whose guessed prices count as known.
    A target may lie among them: then the plan leaves enough charge to still reach it.
    """
    level = min(max(level, 0.0), battery.capacity)
    guessed = [quarter._replace(known=True) for quarter in beyond]
    last = _cost_after(battery, guessed)
    costs_beyond = costs_at_end = _costs_to_go(battery, guessed, last)[0]
    if target is not None and guessed and guessed[0].start < target.at:
        costs_at_end = _costs_to_go(battery, guessed, last, target)[0]
    costs_to_go = _costs_to_go(battery, quarters, costs_at_end, target)[1:]
    steps = tuple(_best_steps(battery, level, quarters, costs_to_go, mode))
    idle = tuple(_self_use(battery, level, quarters))
    size = battery.capacity / _LEVELS

    def to_go(chosen: Sequence[Step]) -> float:
        end = chosen[-1].level if chosen else level
        return _interpolated(costs_beyond[_SELF_USE], end / size)

    end_value = to_go(idle) - to_go(steps)
    cost, cost_self_use = (fsum(one.cost for one in run) for run in (steps, idle))
    if target is None and cost - end_value > cost_self_use:
        # Costs between levels are interpolated, and the difference is within that error.
        steps, cost, end_value = idle, cost_self_use, 0.0
    return BatteryPlan(
        quarters=tuple(quarters),
        steps=steps,
        cost=cost - end_value,
        cost_self_use=cost_self_use,
        end_value=end_value,
    )


def _cost_after(battery: Battery, quarters: Sequence[Quarter]) -> _CostsByMode:
    """Return the cost after some quarter-hours, if the next day is like them.

    Any surplus that a charged battery has no room for is sold, so charge is worth at least that payout. Without
    this, spare charge would be sold beforehand, and be missing if there is less sun than expected.
    """
    payouts = [quarter.payout for quarter in quarters if quarter.need < 0]
    sold = max(min(payouts, default=0.0), 0.0) / battery.charge_efficiency
    size = battery.capacity / _LEVELS
    return ([-sold * size * step for step in range(_LEVELS + 1)],) * len(_MODES)


def _costs_to_go(
    battery: Battery,
    quarters: Sequence[Quarter],
    last: _CostsByMode,
    target: Target | None = None,
) -> list[_CostsByMode]:
    """Return the cost from the start of each quarter-hour on, and from the end of the last."""
    size = battery.capacity / _LEVELS
    found = [last]
    for quarter in reversed(quarters):
        if target is not None and quarter.start < target.at <= quarter.end:
            missed = [
                _TARGET_PENALTY * max(target.level - step * size, 0.0)
                for step in range(_LEVELS + 1)
            ]
            found[-1] = tuple(
                list(map(add, costs, missed, strict=True)) for costs in found[-1]
            )
        found.append(_cost_to_go(battery, quarter, found[-1]))
    return found[::-1]


def _cost_to_go(
    battery: Battery, quarter: Quarter, after: _CostsByMode
) -> _CostsByMode:
    """Return the cost from the start of a quarter-hour on."""
    size = battery.capacity / _LEVELS
    choices = _choices(battery, quarter, after)
    by_mode: _CostsByMode = tuple([inf] * (_LEVELS + 1) for _ in _MODES)
    best: _Costs = []
    for step in range(_LEVELS + 1):
        least = inf
        for mode, _, _, end, cost in _outcomes(battery, quarter, step * size, choices):
            cost += _interpolated(after[mode], end / size)
            by_mode[mode][step] = cost
            least = min(least, cost)
        best.append(min(by_mode[_SELF_USE][step], least + _MODE_CHANGE_COST))
    return tuple(list(map(min, best, costs, strict=True)) for costs in by_mode)


def _best_steps(
    battery: Battery,
    level: float,
    quarters: Sequence[Quarter],
    costs_to_go: Sequence[_CostsByMode],
    mode: BatteryMode,
) -> Iterator[Step]:
    """Yield the best steps from a charge level on."""
    size = battery.capacity / _LEVELS
    before = _MODES.index(mode)
    for quarter, after in zip(quarters, costs_to_go, strict=True):
        choices = _choices(battery, quarter, after)
        best, least = None, inf
        for found in _outcomes(battery, quarter, level, choices):
            new_mode, _, _, end, cost = found
            change = 0.0 if new_mode in (before, _SELF_USE) else _MODE_CHANGE_COST
            if (
                cost := cost + change + _interpolated(after[new_mode], end / size)
            ) < least:
                best, least = found, cost
        assert best is not None
        yield _step(quarter, best)
        before, level = best[0], best[3]


def self_use(battery: Battery, level: float, quarter: Quarter) -> Step:
    """Return what the inverter does by itself in a quarter-hour."""
    return _step(quarter, next(_outcomes(battery, quarter, level, (None, None))))


def _self_use(
    battery: Battery, level: float, quarters: Sequence[Quarter]
) -> Iterator[Step]:
    for quarter in quarters:
        step = self_use(battery, level, quarter)
        level = step.level
        yield step


def _step(quarter: Quarter, outcome: _Outcome) -> Step:
    mode, charged, discharged, level, cost = outcome
    power = (charged + discharged) / quarter.hours
    return Step(
        _MODES[mode],
        power if mode in (_CHARGE, _FEED_IN) else 0.0,
        level,
        quarter.need + charged - discharged,
        discharged,
        cost,
    )


def _choices(battery: Battery, quarter: Quarter, after: _CostsByMode) -> _Choices:
    """Return the cost of ending at each level by charging, and by feeding in; None if that is not allowed.

    Neither includes costs that depend on the level before.
    """
    if not quarter.known:
        return None, None
    size = battery.capacity / _LEVELS
    bought = size / battery.charge_efficiency * quarter.price
    sold = size * battery.discharge_efficiency * (quarter.payout - battery.wear)
    charge = _choice(after[_CHARGE], bought, battery.charge_power * quarter.hours)
    feed_in = _choice(after[_FEED_IN], sold, battery.discharge_power * quarter.hours)
    return charge if battery.from_grid else None, feed_in if battery.to_grid else None


def _choice(costs: _Costs, price: float, most: float) -> _Choice:
    line = [cost + step * price for step, cost in enumerate(costs)]
    return line, [
        most * grade / _POWER_GRADES for grade in range(_POWER_GRADES - 1, 0, -1)
    ]


def _outcomes(
    battery: Battery, quarter: Quarter, level: float, choices: _Choices
) -> Iterator[_Outcome]:
    """Yield the possible modes at a charge level, self-use first, each with its best power only."""
    _, _, need, price, payout, _ = quarter
    left = level - battery.standby * quarter.hours
    for mode, charged, discharged in _mode_amounts(
        battery, quarter, level, left, choices
    ):
        grid = need + charged - discharged
        cost = grid * (price if grid > 0 else payout) + battery.wear * discharged
        end = left + charged * battery.charge_efficiency
        end -= discharged / battery.discharge_efficiency
        yield mode, charged, discharged, min(max(end, 0.0), battery.capacity), cost


def _mode_amounts(
    battery: Battery, quarter: Quarter, level: float, left: float, choices: _Choices
) -> list[tuple[int, float, float]]:
    """Return modes with what is charged and discharged; ``left`` is the level less standby losses."""
    hours, need = quarter.hours, quarter.need
    gained, lost = battery.charge_efficiency, -1 / battery.discharge_efficiency
    most_in = min(battery.charge_power * hours, (battery.capacity - level) / gained)
    held = max(level - battery.reserve, 0.0)
    most_out = min(battery.discharge_power * hours, -held / lost)
    stored, covered = min(max(-need, 0.0), most_in), min(max(need, 0.0), most_out)
    amounts = [
        (_SELF_USE, stored, covered),
        (_HOLD, stored, 0.0),
        (_DELAY_CHARGE, 0.0, covered),
    ]
    size = battery.capacity / _LEVELS
    charge, feed_in = choices
    if charge and most_in > stored:
        bounds = stored, most_in
        charged = _best_amount(charge, bounds, left / size, gained / size)
        amounts.append((_CHARGE, charged, 0.0))
    if feed_in and most_out > covered:
        bounds = covered, most_out
        discharged = _best_amount(feed_in, bounds, left / size, lost / size)
        amounts.append((_FEED_IN, 0.0, discharged))
    return amounts


def _best_amount(
    choice: _Choice, bounds: tuple[float, float], left: float, slope: float
) -> float:
    """Return the cheapest amount: the largest possible, or that of a lower grade of the power.

    ``left`` is the position among the levels if nothing is done, ``slope`` what a kWh adds to it.
    """
    line, grades = choice
    lowest, most = bounds
    best, least = most, _interpolated(line, max(left + most * slope, 0.0)) - _TIE
    for amount in grades:
        if lowest < amount < most:
            # Standby losses may take it below the lowest level, and rounding above the highest.
            position = max(left + amount * slope, 0.0)
            index = min(int(position), _LEVELS - 1)
            one, two = line[index : index + 2]
            if (cost := one + (two - one) * (position - index)) < least:
                best, least = amount, cost - _TIE
    return best


def _interpolated(costs: _Costs, position: float) -> float:
    index = min(int(position), _LEVELS - 1)
    return costs[index] + (costs[index + 1] - costs[index]) * (position - index)
