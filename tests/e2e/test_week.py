"""Days of a house with solar power and a battery in a real Home Assistant: the blueprint controls the inverter.

Home Assistant, the simulator and the house share a clock that leaps from one quarter-hour to the next. The bill is
calculated from the house's own meters. Two winter days are simulated, with real prices if they are available; with
``NOMOS_WEEK_DAYS=7``, one whole week in winter and one in summer.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
import os
from pathlib import Path
import shutil
from typing import Final

import pytest

from scripts.hub_client import Json
from scripts.sign_in import Customer
from tests.e2e.demo_house.physics import (
    BERLIN,
    CAPACITY,
    EFFICIENCY,
    QUARTER,
    WALLBOX,
    Mode,
    battery_flow,
    need,
    quarter_of,
    sun,
    sun_forecast,
    usual_need,
)
from tests.e2e.house import METERS, MODE, PAYOUT, WEAR, House
from tests.e2e.loads import logged_errors, press, wait_for
from tests.e2e.moved_clock import MovedClock, on_linux
from tests.e2e.processes import start_processes
from tests.shared_data import find_shared

pytestmark = on_linux

DAYS: Final = int(os.environ.get("NOMOS_WEEK_DAYS", "2"))
FIRST: Final = {"winter": date(2025, 1, 14), "summer": date(2025, 7, 15)}
MIN_GAIN: Final = {"winter": 0.5, "summer": -0.01}
"""The least gain per day, in EUR. In summer there is hardly any to make, and clouds are not forecast."""
MINUTE: Final = timedelta(minutes=1)
SEASONS: Final = [*FIRST] if "NOMOS_WEEK_DAYS" in os.environ else ["winter"]


class Bill:
    """The cost of quarter-hours (EUR): the real one, the planned one, and that of self-use alone."""

    def __init__(self, level: float) -> None:
        """Begin with a charge level in kWh."""
        self.real = self.planned = self.own = self.turnover = 0.0
        self.own_level = level

    def add(self, before: Json, after: Json, price: float, row: Json | None) -> None:
        """Add a quarter-hour, given the state of the house before and after it, and its row of the plan."""
        counted = {
            name: after["meters"][name] - before["meters"][name] for name in METERS
        }
        real = _cost(
            counted["grid_import"] - counted["grid_export"],
            counted["battery_out"],
            price,
        )
        self.real += real
        self.turnover += abs(real)
        surplus = counted["grid_export"] - counted["grid_import"]
        surplus += counted["battery_in"] - counted["battery_out"]
        own = battery_flow(self.own_level, surplus, 0.25, Mode.AUTO, 0, 0)
        self.own_level = own.level
        grid = own.charged - own.discharged - surplus
        self.own += _cost(grid, own.discharged, price)
        self.planned += real if row is None else _planned(before, row, price)


def _cost(grid: float, discharged: float, price: float) -> float:
    return grid * (price if grid > 0 else PAYOUT) + WEAR * discharged


def _planned(before: Json, row: Json, price: float) -> float:
    """Return what a quarter-hour would cost if house, sun and battery were as forecast."""
    at = datetime.fromisoformat(row["start"])
    hour = quarter_of(at).replace(minute=0)
    made = sun_forecast(at)[hour] / 4000
    level = before["level"] if row["before"] is None else kwh(row["before"])
    moved = kwh(row["level"]) - level
    charged, discharged = max(moved, 0.0) / EFFICIENCY, max(-moved, 0.0) * EFFICIENCY
    # The typical day has hourly resolution.
    used = sum(usual_need(hour + index * QUARTER) for index in range(4)) / 16
    expected = used + WALLBOX / 4 * before["wallbox"] - made
    return _cost(expected + charged - discharged, discharged, price)


def self_use_cost(
    level: float, start: datetime, prices: dict[datetime, float]
) -> float:
    """Return what a day of self-use costs that begins with a charge level."""
    total = 0.0
    for at in (start + index * QUARTER for index in range(96)):
        surplus = (sun(at) - need(at)) / 4
        flow = battery_flow(level, surplus, 0.25, Mode.AUTO, 0, 0)
        grid = flow.charged - flow.discharged - surplus
        total += _cost(grid, flow.discharged, prices[at])
        level = flow.level
    return total


def kwh(percent: float) -> float:
    """Convert a charge level to kWh."""
    return percent / 100 * CAPACITY


def row_of(mode: Json, at: datetime, later: int = 0) -> Json | None:
    """Return a quarter-hour's row of the schedule, with the level before it; None if there is none."""
    before = None
    for row in mode["attributes"]["schedule"]:
        if quarter_of(datetime.fromisoformat(row["start"])) == at + later * QUARTER:
            return {**row, "before": before}
        before = row["level"]
    return None


class Days:
    """Simulates all quarter-hours, and disturbs some of them. The constants count quarter-hours from the start."""

    LOST: Final = 68
    """When the charge level is lost for an hour: at 17:00 on the first day."""
    BY_HAND: Final = 88
    """When somebody starts charging the car at once: at 22:00."""
    RESTART: Final = 96
    """From when on Home Assistant is restarted while the battery is charged."""
    HOLE: Final = 132
    """When the solar forecast has a gap for two hours: at 9:00 on the second day."""
    LATEST: Final = 150
    """When Home Assistant is restarted if the battery has not been charged by then."""

    def __init__(self, house: House, clock: MovedClock) -> None:
        """Begin with the next quarter-hour."""
        self.house, self.clock = house, clock
        self.first = quarter_of(clock.now()) + QUARTER
        self.restarts = 0

    async def play(self, prices: dict[datetime, float]) -> Bill:
        """Simulate all quarter-hours; return the bill."""
        bill: Bill | None = None
        before: Json = {}
        row: Json | None = None
        for step in range(96 * DAYS):
            at = self.first + step * QUARTER
            await self.clock.leap(self.house.client, at + timedelta(seconds=1))
            now = await self.house.settle()
            if bill is None:
                bill = Bill(now["level"])
            else:
                bill.add(before, now, prices[at - QUARTER], row)
            await self._disturb(step)
            mode = await self.house.mode()
            due = step >= self.RESTART and _charges(mode, at)
            if not self.restarts and (due or step == self.LATEST):
                await self._restart()
                mode = await self.house.mode()
            before, row = await self.house.settle(), row_of(mode, at)
        assert bill is not None
        return bill

    async def _disturb(self, step: int) -> None:
        """Disturb a quarter-hour if it is one of those, or check the consequences."""
        house = self.house
        match step - self.LOST, step - self.BY_HAND, step - self.HOLE:
            case 0, _, _:
                await house.set_faults(level=True)
            case 2, _, _:
                mode = await house.mode()
                assert mode["state"] == "self_use"
                assert "charge level is unknown" in mode["attributes"]["reason"]
                assert (await house.settle())["mode"] == Mode.AUTO
            case 4, _, _:
                await house.set_faults()
                await house.settle()
                assert row_of(await house.mode(), quarter_of(self.clock.now()))
            case _, 0, _:
                await self._charge_the_car()
            case _, 5, _:
                assert not (await house.settle())["wallbox"]
            case _, _, 0:
                await house.set_faults(forecast=True)
            case _, _, 7:
                assert "sun_gap" in await house.problems()
                assert row_of(await house.mode(), quarter_of(self.clock.now()))
                await house.set_faults()

    async def _charge_the_car(self) -> None:
        """Press *Start now* of the car: the battery is planned again at once."""
        house, before = self.house, await self.house.mode()
        await press(house.client, "button.car_start_now")
        await wait_for(house.client, "switch.demo_wallbox", "on")
        await house.settle()
        after = await house.mode()
        schedules = [one["attributes"]["schedule"] for one in (before, after)]
        assert schedules[1][0]["start"] > schedules[0][0]["start"]

    async def _restart(self) -> None:
        """Restart Home Assistant: the inverter gets no other command than before and after."""
        self.restarts += 1
        mode, commanded = await self.house.mode(), (await self.house.settle())["mode"]
        await self.house.restart()
        shown = await wait_for(
            self.house.client, MODE, lambda one: bool(one["attributes"].get("schedule"))
        )
        found = await self.house.settle()
        assert {mode for _, mode in found["commands"]} <= {commanded, found["mode"]}
        if mode["state"] == "charge":
            assert shown["state"] == "charge"
            assert found["mode"] == commanded


def _charges(mode: Json, at: datetime) -> bool:
    """Return whether the battery is charged in this quarter-hour and the next."""
    rows = row_of(mode, at), row_of(mode, at, 1)
    return all(row is not None and row["mode"] == "charge" for row in rows)


@pytest.fixture(params=SEASONS)
def season(request: pytest.FixtureRequest) -> str:
    """Return the season that is simulated."""
    played: str = request.param
    return played


@pytest.fixture
async def house(season: str, tmp_path: Path) -> AsyncIterator[tuple[House, MovedClock]]:
    """Start the processes shortly before a day begins, and build the house.

    The battery is usually empty at midnight, with or without a plan, so the final charge hardly affects the result.
    """
    begin = datetime.combine(FIRST[season], time(), BERLIN) - 13 * MINUTE
    folder = tmp_path / "hub"
    demo = folder / "custom_components" / "demo_house"
    shutil.copytree(Path(__file__).parent / "demo_house", demo)
    clock = MovedClock(folder, begin)
    market = find_shared("data/day_ahead_de_lu_2025.csv")
    async with (
        start_processes(folder, clock=clock, market=market) as processes,
        processes.hub.client(processes.token) as client,
        Customer(processes.simulator_url) as customer,
    ):
        await customer.control("POST", "settings", {"rate_limit": None})
        house = House(processes, client, customer)
        await house.build(clock.now())
        yield house, clock


async def test_days(house: tuple[House, MovedClock], season: str) -> None:
    """The bill is as planned and lower than with self-use, and the battery's gain is the difference."""
    home, clock = house
    prices = await home.prices(clock.now().astimezone(BERLIN).date(), DAYS + 2)
    days = Days(home, clock)
    bill = await days.play(prices)
    assert days.restarts
    level, end = (await home.settle())["level"], quarter_of(clock.now())
    # The remaining charge is valued by what self-use makes of it.
    planned, own = (self_use_cost(one, end, prices) for one in (level, bill.own_level))
    gain = bill.own + own - bill.real - planned
    booked = await home.number("gain_this_month")
    assert gain > MIN_GAIN[season] * DAYS
    assert not logged_errors(home.processes)
    log = home.processes.hub.log.read_text(errors="replace")
    assert " ERROR (MainThread) [homeassistant.components.automation" not in log
    assert bill.real == pytest.approx(bill.planned, abs=0.05 * bill.turnover)
    # Nothing is booked for the hour without a charge level.
    assert booked == pytest.approx(gain, abs=0.1 * DAYS + 0.1)
