"""A real Home Assistant charges a car, while people switch things by hand."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from custom_components.nomos.loads.plan import LoadStatus
from scripts.hub import wait_until_running
from scripts.hub_client import HubClient, Json
from scripts.sign_in import DOMAIN, Customer, link
from tests.e2e.loads import add_load, press, set_prices, wait_for
from tests.e2e.moved_clock import MovedClock, on_linux
from tests.e2e.processes import Processes

pytestmark = on_linux

BERLIN: Final = ZoneInfo("Europe/Berlin")
QUARTER: Final = timedelta(minutes=15)
START: Final = datetime(2026, 11, 17, 9, 13, tzinfo=UTC)
"""The start of the processes. The car's run crosses a boundary of prices."""

CHARGE: Final = "sensor.my_car_charge"
CABLE: Final = "binary_sensor.my_car_cable"
WALLBOX: Final = "input_boolean.wallbox"
STATUS: Final = "sensor.car_status"
RUN_NOW: Final = "binary_sensor.car_run_now"

CAR: Final[Json] = {
    "name": "Car",
    # From 20 to 90 percent it takes ten minutes.
    "power": 4.2,
    "end": "07:00:00",
    "charge": {
        "capacity": 1,
        "charge_sensor": CHARGE,
        "target": 90,
        "plugged_sensor": CABLE,
        "lowest_charge": 25,
    },
    "when": {"repeat": "on_demand", "days": "every_day", "within": 24},
    "how": {"contiguous": False},
    "price": {"prefer": "early"},
    "device": {"devices": [WALLBOX]},
}

DISHWASHER: Final[Json] = {
    "name": "Dishwasher",
    "duration": {"hours": 2, "minutes": 0},
    "end": "07:00:00",
    "when": {"repeat": "on_demand", "days": "every_day"},
    "how": {"contiguous": True},
    "price": {"prefer": "early"},
    "device": {"devices": ["input_boolean.machine"]},
}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> MovedClock:
    """Return the clock for this module's processes, which skips the run."""
    return MovedClock(tmp_path_factory.mktemp("clock"), START)


async def switch(client: HubClient, entity_id: str, to: str) -> None:
    """Switch a helper on or off, as from a dashboard."""
    await client.post(
        f"/api/services/input_boolean/turn_{to}", {"entity_id": entity_id}
    )


async def report(client: HubClient, cable: str, charge: str) -> None:
    """Set the states of the car's sensors."""
    attributes = {"unit_of_measurement": "%"}
    await client.post(
        f"/api/states/{CHARGE}", {"state": charge, "attributes": attributes}
    )
    await client.post(f"/api/states/{CABLE}", {"state": cable})


async def publish(customer: Customer, *, tomorrow: bool) -> None:
    """Let Nomos publish the coming days at once, or never."""
    today = START.astimezone(BERLIN).date()
    days = [str(today + timedelta(days=number)) for number in (1, 2)]
    at = "00:00" if tomorrow else "never"
    await customer.control(
        "POST", "settings", {"publications": dict.fromkeys(days, at)}
    )


async def make_cheap(customer: Customer) -> None:
    """Make the first quarter-hour and the next three the cheapest of all."""
    await set_prices(customer, {START + number * QUARTER: -50 for number in range(4)})


async def current_run(client: HubClient) -> tuple[datetime, datetime]:
    """Return when the current run began, and when it is to end."""
    state = await wait_for(client, RUN_NOW, "on")
    run = state["attributes"]["runs"][0]
    return datetime.fromisoformat(run["start"]), datetime.fromisoformat(run["end"])


async def test_from_the_cable_to_the_target(
    client: HubClient, customer: Customer, processes: Processes, clock: MovedClock
) -> None:
    """A car reaches its target although its sensor is unavailable, new prices arrive and the hub restarts."""
    await publish(customer, tomorrow=False)
    await make_cheap(customer)
    await client.command("input_boolean/create", name="Wallbox")
    entry = await link(client, customer)
    await report(client, cable="off", charge="20")
    await add_load(client, entry["entry_id"], "car", CAR)
    await wait_for(client, STATUS, LoadStatus.NOT_PLUGGED_IN)

    await report(client, cable="on", charge="20")
    await wait_for(client, WALLBOX, "on")
    first, _ = await current_run(client)
    await report(client, cable="on", charge="unavailable")
    await publish(customer, tomorrow=True)
    await client.post(f"/api/services/{DOMAIN}/refresh")
    known = next(
        one["entity_id"]
        for one in await client.entities(DOMAIN)
        if one["translation_key"] == "tomorrow_available"
    )
    await wait_for(client, known, "on")
    assert (await current_run(client))[0] == first

    await client.disconnect()
    await processes.hub.stop()
    await processes.hub.start()
    await wait_until_running(client)
    # The car's sensors are not available yet.
    assert await client.state(CHARGE) is None
    await wait_for(client, WALLBOX, "on")
    again, end = await current_run(client)
    assert again == first
    await clock.leap(client, max(end, clock.now()))
    await wait_for(client, STATUS, LoadStatus.DONE)
    await wait_for(client, WALLBOX, "off")
    await report(client, cable="on", charge="90")
    await wait_for(client, STATUS, LoadStatus.DONE)
    await wait_for(client, RUN_NOW, "off")


async def test_by_hand(client: HubClient, customer: Customer) -> None:
    """A device switched by hand is left alone until the next run starts or ends, or until *Start now* or *Skip*."""
    await client.command("input_boolean/create", name="Machine")
    entry = await link(client, customer)
    await add_load(client, entry["entry_id"], "appliance", DISHWASHER)
    status, machine = "sensor.dishwasher_status", "input_boolean.machine"
    await wait_for(client, status, LoadStatus.NOT_ASKED)
    await press(client, "button.dishwasher_start_now")
    await wait_for(client, machine, "on")
    await switch(client, machine, "off")
    await wait_for(client, status, LoadStatus.RUNNING)
    await wait_for(client, machine, "off")
    # The load is running already, so this only takes control of its device again.
    await press(client, "button.dishwasher_start_now")
    await wait_for(client, machine, "on")

    await press(client, "button.dishwasher_skip")
    await wait_for(client, machine, "off")
    await wait_for(client, status, LoadStatus.PARTIAL)
    await switch(client, machine, "on")
    await wait_for(client, machine, "on")
    load = {"entity_id": "switch.dishwasher_planned"}
    await client.post(f"/api/services/{DOMAIN}/start_load", load)
    await wait_for(client, status, LoadStatus.RUNNING)
    await client.post(f"/api/services/{DOMAIN}/skip_load", load)
    await wait_for(client, machine, "off")
    await wait_for(client, status, LoadStatus.PARTIAL)
