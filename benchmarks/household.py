"""What a year of planning a home battery earns, against rules and a solver: docs/savings.md.

    .venv/bin/python -m benchmarks.household [PRICES.csv] [--every N]

A house of 4,000 kWh a year with a battery of 10 kWh, 5 kW, 90 percent and 5 ct/kWh of wear, with and without a roof of
7,600 kWh a year, plays day-ahead prices of a year. It plans as the integration does: when prices are published, at
midnight, and at a quarter-hour at which the charge level is more than 3 percent off. It knows only published prices.
What it expects of house and sun is either what comes, or the mean of the seven days before and a sun that is off by 20
percent from day to day.

The solver plans as prices are published and every six hours, with the same prices, and knows house and sun. Gains are against self-use, after wear.
``--days N`` plays the first N days only.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import cos, exp, pi, radians, sin
from pathlib import Path
from random import Random
import sys
from typing import Final

from custom_components.nomos.planner.battery import (
    Battery,
    BatteryMode,
    Quarter,
    plan_battery,
    self_use,
)
from custom_components.nomos.planner.expected import EnergyForecast, Expected
from custom_components.nomos.pricing import (
    QUARTER,
    TARIFF_ZONE,
    Interval,
    PriceTable,
    local_date,
)

from .battery_solver import optimum
from .savings import FEES, Year, find, read
from .tables import table as markdown

BATTERY: Final = Battery(capacity=10, charge_power=5, discharge_power=5)
PAYOUT: Final = 0.08
_DAY: Final = timedelta(days=1)
_OFF_BY: Final = 0.03 * BATTERY.capacity


def house(at: datetime) -> float:
    """Return what a made-up household uses in a quarter-hour, in kWh: two peaks a day, more in winter, never the same."""
    local = at.astimezone(TARIFF_ZONE)
    hour = local.hour + local.minute / 60
    shape = 0.6 - 0.25 * exp(-(((hour - 3) / 3) ** 2))
    for height, peak, width in ((0.5, 7.5, 1.5), (0.5, 12.5, 1.5), (1.3, 19, 2.5)):
        shape += height * exp(-(((hour - peak) / width) ** 2))
    season = 1 + 0.15 * cos(2 * pi * (local.timetuple().tm_yday - 15) / 365)
    chance = Random(f"house {at.isoformat()}").uniform(0.6, 1.4)
    return 0.1226 * shape * season * chance


def sun(at: datetime) -> float:
    """Return what a roof produces in a quarter-hour, in kWh: the height of the sun, and the clouds of the day."""
    utc = at.astimezone(UTC)
    day, hour = utc.timetuple().tm_yday, utc.hour + utc.minute / 60 + 0.75
    tilt = radians(23.45) * sin(2 * pi * (day - 81) / 365)
    place = radians(50)
    height = sin(place) * sin(tilt) + cos(place) * cos(tilt) * cos(
        pi * (hour - 12) / 12
    )
    clouds = Random(f"clouds {utc.date()}").choice([0.15, 0.3, 0.5, 0.8, 0.95, 1])
    return max(height, 0.0) * clouds * 3.42


def guessed_house(at: datetime) -> float:
    """Return the mean of the same time of the seven days before."""
    return sum(house(at - days * _DAY) for days in range(1, 8)) / 7


def guessed_sun(at: datetime) -> float:
    """Return a forecast of the sun that is off by up to a third, and by 20 percent on average."""
    return sun(at) * Random(f"forecast {at.date()}").choice([0.67, 0.85, 1.15, 1.33])


@dataclass(frozen=True)
class Setting:
    """A household: its grid fee, whether it has a roof, and whether it knows what comes."""

    fee: str
    roof: bool
    knows: bool

    def need(self, at: datetime) -> float:
        """Return what the house really needs beyond its sun, in kWh."""
        return house(at) - (sun(at) if self.roof else 0.0)

    def expected(self, prices: PriceTable, now: datetime) -> Expected:
        """Return what is expected from a day before an instant to three days after it."""
        use, shine = (house, sun) if self.knows else (guessed_house, guessed_sun)
        first = now - timedelta(minutes=now.minute % 15)
        times = [first + step * QUARTER for step in range(4 * 24 * 3)]
        nothing = EnergyForecast()
        return Expected(
            prices=prices,
            payouts=PriceTable((Interval(first - _DAY, first + 5 * _DAY, PAYOUT),)),
            house=EnergyForecast.of((at, use(at)) for at in times),
            sun=EnergyForecast.of((at, shine(at)) for at in times)
            if self.roof
            else nothing,
        )


def quarters_of(setting: Setting, year: Year, days: int) -> list[Quarter]:
    """Return the quarter-hours of a year as they really were; the first day and the last two are left for forecasts."""
    intervals = year.whole.intervals[96 : 96 + 96 * days]
    last = year.whole.intervals[-1].end - 2 * _DAY
    return [
        Quarter(one.start, one.end, setting.need(one.start), one.price or 0.0, PAYOUT)
        for one in intervals
        if one.end <= last
    ]


type Tell = Callable[[Quarter, float], tuple[BatteryMode, float]]
"""Says what an inverter is told in a quarter-hour, at a charge level: a mode, and the power for it."""


def obey(
    quarter: Quarter, level: float, mode: BatteryMode, power: float
) -> tuple[float, float]:
    """Return the charge level after a quarter-hour and what it cost; the inverter covers what the house really needs."""
    own = self_use(BATTERY, level, quarter)
    room = (BATTERY.capacity - level) / BATTERY.charge_efficiency
    charged = discharged = 0.0
    match mode:
        case BatteryMode.SELF_USE:
            return own.level, own.cost
        case BatteryMode.CHARGE:
            most = min(BATTERY.charge_power * quarter.hours, room)
            charged = min(max(power * quarter.hours, 0.0), most)
        case BatteryMode.HOLD:
            if quarter.need < 0:
                return own.level, own.cost
        case BatteryMode.DELAY_CHARGE:
            if quarter.need > 0:
                return own.level, own.cost
        case BatteryMode.FEED_IN:
            held = (level - BATTERY.reserve) * BATTERY.discharge_efficiency
            discharged = min(power * quarter.hours, held)
    grid = quarter.need + charged - discharged
    cost = grid * (quarter.price if grid > 0 else quarter.payout)
    level += charged * BATTERY.charge_efficiency
    level -= discharged / BATTERY.discharge_efficiency
    return level, cost + BATTERY.wear * discharged


class Bill:
    """What a household pays, month by month."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.months: dict[int, float] = {}

    def add(self, quarter: Quarter, cost: float) -> None:
        """Add what a quarter-hour costs."""
        month = local_date(quarter.start).month
        self.months[month] = self.months.get(month, 0.0) + cost

    @property
    def total(self) -> float:
        """Return the whole."""
        return sum(self.months.values())


def play(quarters: Sequence[Quarter], tell: Tell) -> Bill:
    """Return the bill of an inverter that does what it is told, from an empty battery on."""
    level, bill = 0.0, Bill()
    for quarter in quarters:
        mode, power = tell(quarter, level)
        level, cost = obey(quarter, level, mode, power)
        bill.add(quarter, cost)
    return bill


class Planned:
    """Tells what the integration plans."""

    def __init__(self, setting: Setting, year: Year) -> None:
        """Begin without a plan."""
        self.setting, self._year = setting, year
        self._steps: dict[datetime, tuple[BatteryMode, float, float]] = {}
        self._known: PriceTable | None = None
        self._mode = BatteryMode.SELF_USE
        self.plans = 0

    def __call__(self, quarter: Quarter, level: float) -> tuple[BatteryMode, float]:
        """Plan again if there is reason to, and return the step of a quarter-hour."""
        known = self._year.known(quarter.start)
        step = self._steps.get(quarter.start)
        if known is not self._known or step is None or abs(step[2] - level) > _OFF_BY:
            self._plan(known, quarter.start, level)
            step = self._steps[quarter.start]
        self._mode = step[0]
        return step[0], step[1]

    def _plan(self, known: PriceTable, now: datetime, level: float) -> None:
        self._known, self.plans = known, self.plans + 1
        expected, horizon = self.setting.expected(known, now), known.horizon
        assert horizon is not None
        plan = plan_battery(
            BATTERY,
            level,
            list(expected.quarters(now, horizon)),
            list(expected.quarters(horizon, horizon + _DAY)),
            mode=self._mode,
        )
        before = [level, *(step.level for step in plan.steps)]
        self._steps = {
            quarter.start: (step.mode, step.power, held)
            for quarter, step, held in zip(
                plan.quarters, plan.steps, before, strict=False
            )
        }


class Solved:
    """Tells what a linear programme wants that may take any power: planned each hour, knowing house and sun."""

    def __init__(self, setting: Setting, year: Year) -> None:
        """Begin without a plan."""
        self._setting, self._year = replace(setting, knows=True), year
        self._moves: dict[datetime, tuple[float, float]] = {}
        self._known: PriceTable | None = None

    def play(self, quarters: Sequence[Quarter]) -> Bill:
        """Return the bill."""
        level, bill = 0.0, Bill()
        for quarter in quarters:
            at = quarter.start
            known = self._year.known(at)
            if known is not self._known or not (at.minute or at.hour % 6):
                self._plan(known, at, level)
            charged, discharged = self._moves[at]
            grid = quarter.need + charged - discharged
            cost = grid * (quarter.price if grid > 0 else quarter.payout)
            bill.add(quarter, cost + BATTERY.wear * discharged)
            level += charged * BATTERY.charge_efficiency
            level -= discharged / BATTERY.discharge_efficiency
        return bill

    def _plan(self, known: PriceTable, now: datetime, level: float) -> None:
        self._known = known
        assert known.horizon is not None
        expected = self._setting.expected(known, now)
        quarters = list(expected.quarters(now, known.horizon + _DAY))
        _, moves = optimum(BATTERY, level, quarters)
        self._moves = {
            quarter.start: move for quarter, move in zip(quarters, moves, strict=True)
        }


def left_to_itself(_quarter: Quarter, _level: float) -> tuple[BatteryMode, float]:
    """Tell nothing."""
    return BatteryMode.SELF_USE, 0.0


def cheapest_hours(quarters: Sequence[Quarter], hours: int) -> Tell:
    """Charge in the cheapest hours of each day, hold in none: the rule of many automations."""
    by_day: dict[object, list[Quarter]] = {}
    for quarter in quarters:
        by_day.setdefault(local_date(quarter.start), []).append(quarter)
    chosen = {
        one.start
        for day in by_day.values()
        for one in sorted(day, key=lambda quarter: quarter.price)[: 4 * hours]
    }
    return lambda quarter, _: (
        (BatteryMode.CHARGE, BATTERY.charge_power)
        if quarter.start in chosen
        else (BatteryMode.SELF_USE, 0.0)
    )


def price_limit(limit: float) -> Tell:
    """Charge below a price."""
    return lambda quarter, _: (
        (BatteryMode.CHARGE, BATTERY.charge_power)
        if quarter.price < limit
        else (BatteryMode.SELF_USE, 0.0)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prices", nargs="?", type=Path, default=find())
    parser.add_argument("--days", type=int, default=366)
    options = parser.parse_args(arguments)
    if options.prices is None:
        print("No prices: the file is not there.")
        return 0
    rows = []
    for roof in (False, True):
        for fee in FEES:
            year = Year(read(options.prices, fee))
            for knows in (True, False):
                rows.append(_row(Setting(fee, roof, knows), year, options.days))
                print(rows[-1], file=sys.stderr, flush=True)
    heads = (
        "sun",
        "grid fee",
        "house and sun are",
        "days",
        "solver",
        "planned",
        "of the solver",
        "worst month",
        "cheapest 3 h",
        "below 25 ct",
        "plans a day",
    )
    print(markdown(heads, rows))
    return 0


def _row(setting: Setting, year: Year, days: int) -> tuple[object, ...]:
    """Return the gains of a setting in EUR."""
    quarters = quarters_of(setting, year, days)
    own, tell = play(quarters, left_to_itself), Planned(setting, year)
    planned, solved = play(quarters, tell), Solved(setting, year).play(quarters)
    rules = [cheapest_hours(quarters, 3), price_limit(0.25)]
    return (
        "yes" if setting.roof else "no",
        setting.fee,
        "known" if setting.knows else "guessed",
        len(quarters) // 96,
        f"{own.total - solved.total:.2f}",
        f"{own.total - planned.total:.2f}",
        f"{100 * (own.total - planned.total) / (own.total - solved.total):.1f} %",
        f"{min(own.months[month] - cost for month, cost in planned.months.items()):.2f}",
        *(f"{own.total - play(quarters, rule).total:.2f}" for rule in rules),
        f"{96 * tell.plans / len(quarters):.1f}",
    )


if __name__ == "__main__":
    sys.exit(main())
