"""The action that plans a battery: what it is called with, and its response."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import sqrt
from typing import Any, Final

import probatio

from homeassistant.util.json import JsonObjectType, JsonValueType

from .action_fields import FieldError, flag, number, rows, text
from .planner.battery import Battery, BatteryPlan, plan_battery
from .planner.expected import EnergyForecast, Expected
from .prices.formats import money
from .pricing import Interval, PriceTable, day_bounds, local_date
from .time_input import instant, plan_window

_DAY: Final = timedelta(days=1)
_FOREVER: Final = timedelta(days=30)
"""How long a payout holds of which no later one is given: longer than any plan."""
_MAX_ROWS: Final = 1000
_MAX_ENERGY: Final = 10_000
"""kWh, of a battery and of a row."""
_MAX_PRICE: Final = 100
"""EUR/kWh, either way."""


def _series(key: str, value: Callable[[Any], float]) -> Any:
    """Return a schema of a list of rows with a start and a number; it returns pairs of them, in order."""

    def in_order(found: list[dict[str, Any]]) -> list[tuple[datetime, float]]:
        pairs = sorted((instant(row["start"]), row[key]) for row in found)
        if len({start for start, _ in pairs}) < len(pairs):
            raise FieldError("same_start")
        return pairs

    row = probatio.Schema(
        {probatio.Required("start"): text, probatio.Required(key): value},
        extra=probatio.REMOVE_EXTRA,
    )
    return probatio.All(rows(_MAX_ROWS, row), in_order)


_PRICE: Final = number(-_MAX_PRICE, _MAX_PRICE)
_PAYOUTS: Final = probatio.Schema(_series("price", _PRICE))


def _payout(value: Any) -> Any:
    """Return a payout, or pairs of a start and the payout from then on."""
    return (_PAYOUTS if isinstance(value, list) else _PRICE)(value)


_FORECAST: Final = probatio.All(
    _series("kwh", number(0, _MAX_ENERGY)), EnergyForecast.of
)

PLAN_BATTERY_FIELDS: Final = {
    probatio.Required("level"): number(0, 100),
    probatio.Required("capacity"): number(0.01, _MAX_ENERGY),
    probatio.Required("charge_power"): number(0.001, _MAX_ENERGY),
    probatio.Required("discharge_power"): number(0.001, _MAX_ENERGY),
    probatio.Optional("efficiency", default=90): number(1, 100),
    probatio.Optional("reserve", default=0): number(0, 100),
    probatio.Optional("wear", default=0.05): number(0, _MAX_PRICE),
    probatio.Optional("from_grid", default=True): flag,
    probatio.Optional("to_grid", default=False): flag,
    probatio.Optional("payout"): _payout,
    probatio.Optional("solar_forecast", default=[]): _FORECAST,
    probatio.Optional("house_forecast", default=[]): _FORECAST,
    probatio.Optional("until"): text,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRequest:
    """What the action is asked: a battery, its charge level (kWh), and what is expected from ``start`` to ``end``.

    ``end`` is what was asked for; prices may end before it.
    """

    battery: Battery
    level: float
    expected: Expected
    start: datetime
    end: datetime

    @classmethod
    def of(
        cls,
        data: Mapping[str, Any],
        prices: PriceTable,
        payouts: PriceTable,
        now: datetime,
        zone: tzinfo,
    ) -> BatteryRequest:
        """Read the fields of a call; ``payouts`` are those of a feed-in contract, in case that none are given.

        Raises:
            ServiceValidationError: the end is no time, or over.

        """
        efficiency = sqrt(data["efficiency"] / 100)
        capacity = data["capacity"]
        end = day_bounds(local_date(now) + _DAY)[1]
        if "until" in data:
            end = plan_window(None, data["until"], now, zone)[1]
        if "payout" in data:
            payouts = _payout_table(data["payout"], now)
        return cls(
            battery=Battery(
                capacity=capacity,
                charge_power=data["charge_power"],
                discharge_power=data["discharge_power"],
                charge_efficiency=efficiency,
                discharge_efficiency=efficiency,
                reserve=data["reserve"] / 100 * capacity,
                wear=data["wear"],
                from_grid=data["from_grid"],
                to_grid=data["to_grid"],
            ),
            level=data["level"] / 100 * capacity,
            expected=Expected(
                prices=prices,
                payouts=payouts,
                house=data["house_forecast"],
                sun=data["solar_forecast"],
            ),
            start=now,
            end=end,
        )

    def response(self, zone: tzinfo) -> JsonObjectType:
        """Return the plan as JSON: times with the zone's offset, money in EUR, power in kW, levels in percent."""
        quarters, beyond = self.expected.to_plan(self.start, self.end)
        plan = plan_battery(self.battery, self.level, quarters, beyond)
        until = quarters[-1].end if quarters else self.start
        known = all(quarter.known for quarter in plan.quarters)
        return {
            "schedule": self._schedule(plan, zone),
            "cost": money(plan.cost),
            "cost_self_use": money(plan.cost_self_use),
            "gain": money(plan.gain),
            "end_value": money(plan.end_value),
            "provisional": until < self.end or not known,
            "until": until.astimezone(zone).isoformat(),
        }

    def _schedule(self, plan: BatteryPlan, zone: tzinfo) -> list[JsonValueType]:
        return [
            {
                "start": quarter.start.astimezone(zone).isoformat(),
                "end": quarter.end.astimezone(zone).isoformat(),
                "mode": step.mode.value,
                "power": round(step.power, 3),
                "level": round(100 * step.level / self.battery.capacity, 2),
                "import_price": quarter.price if quarter.known else None,
            }
            for quarter, step in zip(plan.quarters, plan.steps, strict=True)
        ]


def _payout_table(
    payout: float | list[tuple[datetime, float]], now: datetime
) -> PriceTable:
    """Return payouts as a table: each holds until the next one."""
    steps = payout if isinstance(payout, list) else [(now, payout)]
    ends = [*(start for start, _ in steps), now + _FOREVER][1:]
    return PriceTable.of(
        Interval(start, end, price)
        for (start, price), end in zip(steps, ends, strict=True)
        if start < end
    )
