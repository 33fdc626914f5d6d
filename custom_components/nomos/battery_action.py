"""The action that plans a battery: its fields and its response."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from math import sqrt
from typing import Any, Final

import probatio

from homeassistant.util.json import JsonObjectType

from .action_fields import FieldError, flag, number, price, rows, text
from .planner.battery import Battery, plan_battery
from .planner.expected import EnergyForecast, Expected
from .prices.formats import money
from .pricing import Interval, PriceTable, next_midnight
from .time_input import instant, plan_window

_FOREVER: Final = timedelta(days=30)
"""How long the last payout applies: longer than any plan."""
_MAX_ROWS: Final = 1000
_MAX_ENERGY: Final = 10_000
"""kWh, of a battery and of a row."""


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


_PAYOUTS: Final = _series("price", price)


def _payout(value: Any) -> Any:
    """Return a payout, or pairs of a start and the payout from then on."""
    return (_PAYOUTS if isinstance(value, list) else price)(value)


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
    probatio.Optional("wear", default=0.05): number(0, 100),
    probatio.Optional("from_grid", default=True): flag,
    probatio.Optional("to_grid", default=False): flag,
    probatio.Optional("payout"): _payout,
    probatio.Optional("solar_forecast", default=[]): _FORECAST,
    probatio.Optional("house_forecast", default=[]): _FORECAST,
    probatio.Optional("until"): text,
}


def battery_response(
    data: Mapping[str, Any],
    prices: PriceTable,
    payouts: PriceTable,
    now: datetime,
    zone: tzinfo,
) -> JsonObjectType:
    """Return the plan of a battery as JSON: times with the zone's offset, money in EUR, power in kW, levels in percent.

    ``payouts`` of a feed-in contract are used if the call has none.

    Raises:
        ServiceValidationError: the end is invalid or past.

    """
    battery = _battery(data)
    end = next_midnight(next_midnight(now))
    if "until" in data:
        end = plan_window(None, data["until"], now)[1]
    expected = Expected(
        prices=prices,
        payouts=_payout_table(data["payout"], now) if "payout" in data else payouts,
        house=data["house_forecast"],
        sun=data["solar_forecast"],
    )
    quarters, beyond = expected.split_at_horizon(now, end)
    level = data["level"] / 100 * battery.capacity
    plan = plan_battery(battery, level, quarters, beyond)
    until = quarters[-1].end if quarters else now
    known = all(quarter.known for quarter in plan.quarters)
    return {
        "schedule": [
            {
                "start": quarter.start.astimezone(zone).isoformat(),
                "end": quarter.end.astimezone(zone).isoformat(),
                "mode": step.mode.value,
                "power": round(step.power, 3),
                "level": round(100 * step.level / battery.capacity, 2),
                "import_price": quarter.price if quarter.known else None,
            }
            for quarter, step in zip(plan.quarters, plan.steps, strict=True)
        ],
        "cost": money(plan.cost),
        "cost_self_use": money(plan.cost_self_use),
        "gain": money(plan.gain),
        "end_value": money(plan.end_value),
        "provisional": until < end or not known,
        "until": until.astimezone(zone).isoformat(),
    }


def _battery(data: Mapping[str, Any]) -> Battery:
    efficiency = sqrt(data["efficiency"] / 100)
    return Battery(
        capacity=data["capacity"],
        charge_power=data["charge_power"],
        discharge_power=data["discharge_power"],
        charge_efficiency=efficiency,
        discharge_efficiency=efficiency,
        reserve=data["reserve"] / 100 * data["capacity"],
        wear=data["wear"],
        from_grid=data["from_grid"],
        to_grid=data["to_grid"],
    )


def _payout_table(
    payout: float | list[tuple[datetime, float]], now: datetime
) -> PriceTable:
    """Return payouts as a table, in which each applies until the next one."""
    steps = payout if isinstance(payout, list) else [(now, payout)]
    return PriceTable.of(
        Interval(start, end, price)
        for (start, price), (end, _) in pairwise([*steps, (now + _FOREVER, 0.0)])
        if start < end
    )
