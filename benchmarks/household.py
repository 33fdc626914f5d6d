"""What a year of planning a home battery earns, against rules and a solver: docs/savings.md.

    .venv/bin/python -m benchmarks.household [PRICES.csv] [--days N]

A house that needs 4,000 kWh a year has a battery of 10 kWh, 5 kW, 90 percent and 5 ct/kWh of wear, with and without a
roof of 7,600 kWh a year. It is simulated with day-ahead prices of a year. Feeding in pays 8 ct/kWh, or the market
price. Plans are made as in the integration: when prices are published, at midnight, and at a quarter-hour at which the charge
level is more than 3 percent off. Only published prices are known. House and sun are either known, or forecast: by the
mean of the seven days before, and by a solar forecast that is off by 20 percent from day to day.

The solver plans when prices are published and every six hours, with the same prices, and knows house and sun. Gains
are relative to self-use, after wear. ``--days N`` simulates the first N days only; a case takes some minutes for the
year, more with forecasts.
"""

import argparse
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import product
from math import cos, exp, pi, radians, sin
from pathlib import Path
from random import Random
from statistics import fmean
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
ROOF: Final = 7600
"""The yearly energy of the roof, in kWh."""
YIELDS: Final = (2.6, 4.6, 8.6, 11.8, 12.9, 13.2, 13.2, 11.9, 9.3, 6.2, 3.3, 2.4)
"""Its distribution over the months, in percent: about that of a south-facing roof in Germany."""
CLOUDS: Final = (0.15, 0.3, 0.5, 0.8, 0.95, 1)
_DAY: Final = timedelta(days=1)
_OFF_BY: Final = 0.03 * BATTERY.capacity


def house(at: datetime) -> float:
    """Return the use of a fictional household in a quarter-hour (kWh): two peaks a day, more in winter, always different."""
    local = at.astimezone(TARIFF_ZONE)
    hour = local.hour + local.minute / 60
    shape = 0.6 - 0.25 * exp(-(((hour - 3) / 3) ** 2))
    for height, peak, width in ((0.5, 7.5, 1.5), (0.5, 12.5, 1.5), (1.3, 19, 2.5)):
        shape += height * exp(-(((hour - peak) / width) ** 2))
    season = 1 + 0.15 * cos(2 * pi * (local.timetuple().tm_yday - 15) / 365)
    chance = Random(f"house {at.isoformat()}").uniform(0.6, 1.4)
    return 0.1226 * shape * season * chance


def sun(at: datetime) -> float:
    """Return the energy of a roof in a quarter-hour (kWh), from the month, the height of the sun and the day's clouds."""
    utc = at.astimezone(UTC)
    clouds = Random(f"clouds {utc.date()}").choice(CLOUDS) / fmean(CLOUDS)
    daily = ROOF * YIELDS[utc.month - 1] / 100 / monthrange(utc.year, utc.month)[1]
    return daily * clouds * _height(utc) / _heights(utc.date())


def _height(utc: datetime) -> float:
    """Return the sine of the height of the sun in the middle of Germany; 0 at night."""
    day, hour = utc.timetuple().tm_yday, utc.hour + utc.minute / 60 + 0.75
    tilt = radians(23.45) * sin(2 * pi * (day - 81) / 365)
    place = radians(50)
    along = cos(place) * cos(tilt) * cos(pi * (hour - 12) / 12)
    return max(sin(place) * sin(tilt) + along, 0.0)


@cache
def _heights(day: date) -> float:
    """Return the sum over the quarter-hours of a day in UTC."""
    start = datetime.combine(day, time(), UTC)
    return sum(_height(start + step * QUARTER) for step in range(96))


def guessed_house(at: datetime) -> float:
    """Return the mean use at the same time on the seven days before."""
    return sum(house(at - days * _DAY) for days in range(1, 8)) / 7


def guessed_sun(at: datetime) -> float:
    """Return a solar forecast that is off by up to a third, and by 20 percent on average."""
    return sun(at) * Random(f"forecast {at.date()}").choice([0.67, 0.85, 1.15, 1.33])


@dataclass(frozen=True)
class Setting:
    """A household: its grid fee, its roof, and whether it knows future use and sun.

    With ``market``, feeding in pays the market price, otherwise 8 ct/kWh.
    """

    fee: str
    roof: bool
    knows: bool
    market: Year | None = None

    def paid(self, at: datetime) -> float:
        """Return the payout of a kilowatt-hour that is fed in."""
        interval = self.market.whole.at(at) if self.market else None
        return PAYOUT if interval is None else interval.price or 0.0

    def need(self, at: datetime) -> float:
        """Return the real need of the house beyond its solar power, in kWh."""
        return house(at) - (sun(at) if self.roof else 0.0)

    def expected(self, prices: PriceTable, now: datetime) -> Expected:
        """Return the forecasts from an instant on, for three days."""
        use, shine = (house, sun) if self.knows else (guessed_house, guessed_sun)
        first = now - timedelta(minutes=now.minute % 15)
        times = [first + step * QUARTER for step in range(4 * 24 * 3)]
        nothing = EnergyForecast()
        fixed = PriceTable((Interval(first - _DAY, first + 5 * _DAY, PAYOUT),))
        return Expected(
            prices=prices,
            payouts=self.market.known(now) if self.market else fixed,
            house=EnergyForecast.of((at, use(at)) for at in times),
            sun=EnergyForecast.of((at, shine(at)) for at in times)
            if self.roof
            else nothing,
        )


def quarters_of(setting: Setting, year: Year, days: int) -> list[Quarter]:
    """Return the real quarter-hours of a year; the first day and the last two are reserved for forecasts."""
    intervals = year.whole.intervals[96 : 96 + 96 * days]
    last = year.whole.intervals[-1].end - 2 * _DAY
    return [
        Quarter(
            one.start,
            one.end,
            setting.need(one.start),
            one.price or 0.0,
            setting.paid(one.start),
        )
        for one in intervals
        if one.end <= last
    ]


type Rule = Callable[[Quarter, float], tuple[BatteryMode, float]]
"""Returns the mode and power of an inverter in a quarter-hour, at a charge level."""


def apply_mode(
    quarter: Quarter, level: float, mode: BatteryMode, power: float
) -> tuple[float, float]:
    """Return the charge level after a quarter-hour and its cost, given the real need of the house."""
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
    """The bill of a household, month by month."""

    def __init__(self) -> None:
        """Create an empty bill."""
        self.months: dict[int, float] = {}

    def add(self, quarter: Quarter, cost: float) -> None:
        """Add the cost of a quarter-hour."""
        month = local_date(quarter.start).month
        self.months[month] = self.months.get(month, 0.0) + cost

    @property
    def total(self) -> float:
        """Return the sum."""
        return sum(self.months.values())


def play(quarters: Sequence[Quarter], rule: Rule) -> Bill:
    """Return the bill of an inverter that follows a rule, starting with an empty battery."""
    level, bill = 0.0, Bill()
    for quarter in quarters:
        mode, power = rule(quarter, level)
        level, cost = apply_mode(quarter, level, mode, power)
        bill.add(quarter, cost)
    return bill


class Planned:
    """The rule that follows the integration's plans."""

    def __init__(self, setting: Setting, year: Year) -> None:
        """Begin without a plan."""
        self.setting, self._year = setting, year
        self._steps: dict[datetime, tuple[BatteryMode, float, float]] = {}
        self._known: PriceTable | None = None
        self._mode = BatteryMode.SELF_USE
        self.plans = 0

    def __call__(self, quarter: Quarter, level: float) -> tuple[BatteryMode, float]:
        """Plan again if necessary, and return the step of a quarter-hour."""
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
    """A battery at any power, by linear programmes that know house and sun.

    They are solved when prices are published and every six hours.
    """

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


def self_use_only(_quarter: Quarter, _level: float) -> tuple[BatteryMode, float]:
    """Always choose self-use."""
    return BatteryMode.SELF_USE, 0.0


def cheapest_hours(quarters: Sequence[Quarter], hours: int) -> Rule:
    """Charge in the cheapest hours of each day and never hold, as many automations do."""
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


def price_limit(limit: float) -> Rule:
    """Charge while the price is below a limit."""
    return lambda quarter, _: (
        (BatteryMode.CHARGE, BATTERY.charge_power)
        if quarter.price < limit
        else (BatteryMode.SELF_USE, 0.0)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate all settings, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prices", nargs="?", type=Path, default=find())
    parser.add_argument("--days", type=int, default=366)
    options = parser.parse_args(arguments)
    if options.prices is None:
        print("No prices: the file is not there.")
        return 0
    rows = []
    market = Year(read(options.prices, None))
    for (roof, paid), fee, knows in product(
        ((False, None), (True, None), (True, market)), FEES, (True, False)
    ):
        setting = Setting(fee, roof, knows, paid)
        rows.append(_row(setting, Year(read(options.prices, fee)), options.days))
        print(rows[-1], file=sys.stderr, flush=True)
    heads = (
        "sun, and what is paid for it",
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
    """Return the row of a setting, with gains in EUR."""
    quarters = quarters_of(setting, year, days)
    own, rule = play(quarters, self_use_only), Planned(setting, year)
    planned, solved = play(quarters, rule), Solved(setting, year).play(quarters)
    others = [cheapest_hours(quarters, 3), price_limit(0.25)]
    return (
        ("yes, market price" if setting.market else "yes, 8 ct/kWh")
        if setting.roof
        else "no",
        setting.fee,
        "known" if setting.knows else "guessed",
        len(quarters) // 96,
        f"{own.total - solved.total:.2f}",
        f"{own.total - planned.total:.2f}",
        f"{100 * (own.total - planned.total) / (own.total - solved.total):.1f} %",
        f"{min(own.months[month] - cost for month, cost in planned.months.items()):.2f}",
        *(f"{own.total - play(quarters, one).total:.2f}" for one in others),
        f"{96 * rule.plans / len(quarters):.1f}",
    )


if __name__ == "__main__":
    sys.exit(main())
