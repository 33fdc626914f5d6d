"""A house with a roof, a battery and a car in a real Home Assistant: built as a household does, and looked at."""

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
"""Of which the meters have statistics."""
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


def tell(mode: Mode) -> list[Json]:
    """Return the actions that tell the inverter a mode, as a household writes them."""
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


def history(name: str, end: datetime) -> list[Json]:
    """Return the statistics of a meter of the weeks before an instant, which end with zero; there was no battery."""
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
    """The test's hands on the house, and its eyes."""

    def __init__(
        self, processes: Processes, client: HubClient, customer: Customer
    ) -> None:
        """Begin without an account."""
        self.processes, self.client, self.customer = processes, client, customer
        self.entry_id = self.contract = ""

    async def build(self, start: datetime) -> None:
        """Link the account, and set up everything as a household does."""
        client = self.client
        state = await self.customer.control("GET", "state")
        [contract] = state["customers"][self.customer.email]["subscriptions"]
        self.contract = contract["id"]
        # Without months of usage to import.
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
        await self._follow()

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
                stats=history(name, end),
            )
        # The recorder imports them one after the other, in its own time.
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
        """Enter what feeding in pays, and leave all else as it is proposed."""
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

    async def _follow(self) -> None:
        """Make an automation of the blueprint."""
        source = PROJECT / "blueprints" / "automation" / BLUEPRINT
        await self.client.command(
            "blueprint/save",
            domain="automation",
            path=BLUEPRINT,
            yaml=source.read_text(),
        )
        inputs: Json = {
            "mode": MODE,
            "self_use": tell(Mode.AUTO),
            "hold": tell(Mode.NO_DISCHARGE),
            "charge": tell(Mode.FORCE_CHARGE),
            "delay_charge": tell(Mode.NO_CHARGE),
        }
        await self.client.post(
            "/api/config/automation/config/inverter",
            {
                "alias": "Inverter",
                "use_blueprint": {"path": BLUEPRINT, "input": inputs},
            },
        )

    async def settle(self) -> Json:
        """Wait until Home Assistant has done what there is to do; return what the house says."""
        answer = await self.client.post(
            "/api/services/demo_house/settle?return_response"
        )
        found: Json = answer["service_response"]
        return found

    async def disturb(self, *, level: bool = False, forecast: bool = False) -> None:
        """Lose the charge level, or an hour of the forecast; or nothing any more."""
        lost = {"level": level, "forecast": forecast}
        await self.client.post("/api/services/demo_house/disturb", lost)

    async def mode(self) -> Json:
        """Return the state of *Mode now*."""
        state: Json = await self.client.get(f"/api/states/{MODE}")
        return state

    async def number(self, key: str) -> float:
        """Return a number that the battery shows."""
        return float(
            (await self.client.get(f"/api/states/sensor.battery_{key}"))["state"]
        )

    async def prices(self, first: date, days: int) -> dict[datetime, float]:
        """Return the true prices in EUR/kWh by the quarter-hour."""
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
        """Return what diagnostics say is wrong with the forecasts."""
        found = await self.client.get(f"/api/diagnostics/config_entry/{self.entry_id}")
        problems: list[str] = found["data"]["forecasts"]["problems"]
        return problems

    async def restart(self) -> None:
        """Stop and start Home Assistant."""
        await self.client.disconnect()
        await self.processes.hub.stop()
        await self.processes.hub.start()
        await wait_until_running(self.client)
