"""A house with solar power, a battery and a car in a real Home Assistant, set up as a household would."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Final

from scripts.hub import PROJECT, wait_until_running
from scripts.hub_client import HubClient, Json
from scripts.sign_in import Customer, link
from tests.e2e.demo_house.physics import (
    CAPACITY,
    HOUR,
    QUARTER,
    WALLBOX,
    Mode,
    need,
    sun,
)
from tests.e2e.loads import add_load
from tests.e2e.processes import Processes

WEEKS: Final = 4
"""How many weeks of statistics the meters have."""
PAYOUT: Final = 0.08
WEAR: Final = 0.05
MODE: Final = "sensor.battery_mode_now"
METERS: Final = ("grid_import", "grid_export", "solar", "battery_in", "battery_out")
BLUEPRINT: Final = "nomos/battery_plan.yaml"

BATTERY: Final[Json] = {
    "name": "Battery",
    "level_sensor": "sensor.demo_level",
    "capacity": CAPACITY,
    "charge_power": 5,
    "discharge_power": 5,
    "losses": {"efficiency": 90, "standby": 0, "wear": 100 * WEAR},
    "allowed": {"reserve": 10, "from_grid": True, "to_grid": False},
}
CAR: Final[Json] = {
    "name": "Car",
    "duration": {"hours": 1, "minutes": 0},
    "end": "07:00:00",
    "when": {"repeat": "on_demand", "days": "every_day"},
    "how": {"contiguous": True, "power": WALLBOX},
    "price": {"prefer": "early"},
    "device": {"devices": ["switch.demo_wallbox"]},
}


def mode_actions(mode: Mode) -> list[Json]:
    """Return the actions that set a mode of the inverter, as a household would write them."""
    limits = (("power", "{{ power }}"), ("until", "{{ level }}"))
    return [
        *(
            {
                "action": "number.set_value",
                "target": {"entity_id": f"number.demo_{name}"},
                "data": {"value": value},
            }
            for name, value in limits
            if mode is Mode.FORCE_CHARGE
        ),
        {
            "action": "select.select_option",
            "target": {"entity_id": "select.demo_mode"},
            "data": {"option": mode.value},
        },
    ]


def meter_statistics(name: str, end: datetime) -> list[Json]:
    """Return a meter's statistics of the weeks before an instant, without a battery; their last sum is zero."""
    hours = [end - index * HOUR for index in range(WEEKS * 7 * 24, 0, -1)]
    rows, total = [], 0.0
    for at in hours:
        quarters = [at + index * QUARTER for index in range(4)]
        net = sum(need(one) - sun(one) for one in quarters) / 4
        total += {
            "grid_import": max(net, 0.0),
            "grid_export": max(-net, 0.0),
            "solar": sum(map(sun, quarters)) / 4,
        }.get(name, 0.0)
        rows.append((at, total))
    return [
        {"start": at.isoformat(), "state": one, "sum": one - total} for at, one in rows
    ]


class House:
    """Controls and reads the house from a test."""

    def __init__(
        self, processes: Processes, client: HubClient, customer: Customer
    ) -> None:
        """Begin without a linked account."""
        self.processes, self.client, self.customer = processes, client, customer
        self.entry_id = self.contract = ""

    async def build(self, start: datetime) -> None:
        """Link the account, and set up everything as a household would."""
        client = self.client
        state = await self.customer.control("GET", "state")
        [contract] = state["customers"][self.customer.email]["subscriptions"]
        self.contract = contract["id"]
        # A contract that began two days ago has no months of usage to import.
        begun = (start - 2 * 24 * HOUR).isoformat()
        change = {"action": "change", "id": self.contract, "start_at": begun}
        await self.customer.control("POST", "subscriptions", change)
        demo = await client.start_flow("demo_house")
        forecast = demo["result"]["entry_id"]
        await self._meters(forecast, start)
        self.entry_id = (await link(client, self.customer))["entry_id"]
        await self._payout(forecast)
        await self._add_battery()
        await add_load(client, self.entry_id, "other", CAR)
        await self._add_automation()

    async def _meters(self, forecast: str, start: datetime) -> None:
        end = start.replace(minute=0, second=0, microsecond=0)
        for name in METERS:
            await self.client.command(
                "recorder/import_statistics",
                metadata={
                    "mean_type": 0,
                    "has_sum": True,
                    "name": None,
                    "source": "recorder",
                    "statistic_id": f"sensor.demo_{name}",
                    "unit_class": "energy",
                    "unit_of_measurement": "kWh",
                },
                stats=meter_statistics(name, end),
            )
        # The recorder imports the statistics one by one in the background.
        rows: Json = {}
        async with asyncio.timeout(50):
            while not rows:
                rows = await self.client.command(
                    "recorder/statistics_during_period",
                    start_time=(end - HOUR).isoformat(),
                    statistic_ids=[f"sensor.demo_{METERS[-1]}"],
                    period="hour",
                )
        grid = {
            "type": "grid",
            "stat_energy_from": "sensor.demo_grid_import",
            "stat_energy_to": "sensor.demo_grid_export",
            "stat_cost": None,
            "entity_energy_price": None,
            "number_energy_price": None,
            "stat_compensation": None,
            "entity_energy_price_export": None,
            "number_energy_price_export": None,
            "cost_adjustment_day": 0,
        }
        roof = {
            "type": "solar",
            "stat_energy_from": "sensor.demo_solar",
            "config_entry_solar_forecast": [forecast],
        }
        battery = {
            "type": "battery",
            "stat_energy_from": "sensor.demo_battery_out",
            "stat_energy_to": "sensor.demo_battery_in",
        }
        await self.client.command(
            "energy/save_prefs", energy_sources=[grid, roof, battery]
        )

    async def _payout(self, forecast: str) -> None:
        """Enter the payout, and accept the suggestions for everything else."""
        flows = "/api/config/config_entries/options/flow"
        form = await self.client.post(flows, {"handler": self.entry_id})
        entered: Json = {}
        for field in form["data_schema"]:
            if field.get("type") != "expandable":
                entered[field["name"]] = field["default"]
        entered["battery"] = {"payout": 100 * PAYOUT, "solar_forecasts": [forecast]}
        done = await self.client.post(f"{flows}/{form['flow_id']}", entered)
        assert done["type"] == "create_entry", done
        await self.settle()

    async def _add_battery(self) -> None:
        flows = "/api/config/config_entries/subentries/flow"
        handler = {"handler": [self.entry_id, "battery"]}
        form = await self.client.post(flows, handler)
        done = await self.client.post(f"{flows}/{form['flow_id']}", BATTERY)
        assert done["type"] == "create_entry", done

    async def _add_automation(self) -> None:
        """Create an automation from the blueprint."""
        source = PROJECT / "blueprints" / "automation" / BLUEPRINT
        await self.client.command(
            "blueprint/save",
            domain="automation",
            path=BLUEPRINT,
            yaml=source.read_text(),
        )
        inputs: Json = {
            "mode": MODE,
            "self_use": mode_actions(Mode.AUTO),
            "hold": mode_actions(Mode.NO_DISCHARGE),
            "charge": mode_actions(Mode.FORCE_CHARGE),
            "delay_charge": mode_actions(Mode.NO_CHARGE),
        }
        await self.client.post(
            "/api/config/automation/config/inverter",
            {
                "alias": "Inverter",
                "use_blueprint": {"path": BLUEPRINT, "input": inputs},
            },
        )

    async def settle(self) -> Json:
        """Wait until Home Assistant has nothing left to do; return the state of the house."""
        answer = await self.client.post(
            "/api/services/demo_house/settle?return_response"
        )
        found: Json = answer["service_response"]
        return found

    async def set_faults(self, *, level: bool = False, forecast: bool = False) -> None:
        """Set whether the charge level, or an hour of the forecast, is missing; neither by default."""
        lost = {"level": level, "forecast": forecast}
        await self.client.post("/api/services/demo_house/set_faults", lost)

    async def mode(self) -> Json:
        """Return the state of *Mode now*."""
        state: Json = await self.client.get(f"/api/states/{MODE}")
        return state

    async def number(self, key: str) -> float:
        """Return the state of one of the battery's sensors."""
        return float(
            (await self.client.get(f"/api/states/sensor.battery_{key}"))["state"]
        )

    async def prices(self, first: date, days: int) -> dict[datetime, float]:
        """Return the simulator's prices by the quarter-hour, in EUR/kWh."""
        found = {}
        for index in range(days):
            day = await self.customer.control(
                "GET",
                "prices",
                date=str(first + timedelta(days=index)),
                subscription=self.contract,
            )
            for one in day["items"]:
                found[datetime.fromisoformat(one["start"])] = one["amount"] / 100
        return found

    async def problems(self) -> list[str]:
        """Return the problems of the forecasts according to the diagnostics."""
        found = await self.client.get(f"/api/diagnostics/config_entry/{self.entry_id}")
        problems: list[str] = found["data"]["forecasts"]["problems"]
        return problems

    async def restart(self) -> None:
        """Stop and start Home Assistant."""
        await self.client.disconnect()
        await self.processes.hub.stop()
        await self.processes.hub.start()
        await wait_until_running(self.client)
