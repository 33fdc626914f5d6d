"""A real Home Assistant switches devices through the nights in which the clocks change."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from custom_components.nomos.loads.plan import LoadStatus
from scripts.hub import wait_until_running
from scripts.hub_client import HubClient, Json
from scripts.sign_in import Customer, link
from tests.e2e.loads import (
    add_load,
    logged_errors,
    set_prices,
    shown_runs,
    switch_times,
    wait_for,
    wait_for_all,
)
from tests.e2e.moved_clock import MovedClock, on_linux
from tests.e2e.processes import Processes

pytestmark = on_linux

SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
QUARTER: Final = timedelta(minutes=15)

AUTUMN: Final = datetime(2026, 10, 25, 1, tzinfo=UTC)
SPRING: Final = datetime(2027, 3, 28, 1, tzinfo=UTC)
"""When the clocks of Berlin change: from 03:00 to 02:00, and from 02:00 to 03:00."""

PRICES: Final = [-60, -60, -60, -60, -40, -40, -60, -60]
"""Prices in ct/kWh from half an hour before the change; a load that may pause does so in the middle."""


def load(device: str, minutes: int, *, may_pause: bool) -> Json:
    """Return the settings of an on-demand load."""
    return {
        "name": device.title(),
        "duration": {"hours": 0, "minutes": minutes},
        "end": "06:00:00",
        "when": {"repeat": "on_demand", "days": "every_day"},
        "how": {"contiguous": not may_pause, "min_run": 30},
        "price": {"prefer": "early"},
        "device": {"devices": [f"input_boolean.{device}"]},
    }


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> MovedClock:
    """Return the clock for this module's processes, set to an evening in October."""
    return MovedClock(tmp_path_factory.mktemp("clock"), AUTUMN - timedelta(hours=8))


type Plans = Mapping[str, Sequence[tuple[datetime, datetime]]]
"""The expected runs of each load."""


def expected_plans(first: datetime) -> Plans:
    """Return the cheapest runs if low prices begin at an instant."""
    return {
        "dishwasher": [(first, first + 8 * QUARTER)],
        "boiler": [
            (first, first + 4 * QUARTER),
            (first + 6 * QUARTER, first + 8 * QUARTER),
        ],
    }


async def ask(client: HubClient, entry_id: str, planned: Plans) -> None:
    """Add the loads, and request their runs."""
    for name, runs in planned.items():
        await client.command("input_boolean/create", name=name.title())
        length = sum((end - start for start, end in runs), timedelta())
        settings = load(name, length // MINUTE, may_pause=len(runs) > 1)
        await add_load(client, entry_id, "other", settings)
        switch = {"entity_id": f"switch.{name}_planned"}
        await client.post("/api/services/switch/turn_on", switch)
        await wait_for(client, f"sensor.{name}_status", LoadStatus.PLANNED)


async def wait_for_devices(client: HubClient, planned: Plans, at: datetime) -> None:
    """Wait until loads and devices have the states that are planned for an instant."""
    shown = {}
    for name, runs in planned.items():
        state = "on" if any(start <= at < end for start, end in runs) else "off"
        shown[f"binary_sensor.{name}_run_now"] = state
        shown[f"input_boolean.{name}"] = state
    await wait_for_all(client, shown)


@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["autumn", "spring"])
async def test_runs_across_the_change(
    client: HubClient,
    customer: Customer,
    processes: Processes,
    clock: MovedClock,
    change: datetime,
) -> None:
    """A run lasts as long as in any other night, even if the hub restarts within the repeated hour."""
    evening = change - timedelta(hours=7)
    await clock.leap(client, evening)
    first = edge = change - 2 * QUARTER
    starts = {first + n * QUARTER: amount for n, amount in enumerate(PRICES)}
    await set_prices(customer, starts)
    planned = expected_plans(first)
    await ask(client, (await link(client, customer))["entry_id"], planned)
    while edge <= first + 8 * QUARTER:
        await clock.leap(client, edge - MINUTE)
        await wait_for_devices(client, planned, edge - MINUTE)
        for name, runs in planned.items():
            assert await shown_runs(client, name) == runs
        # The last second passes in real time.
        await clock.leap(client, edge - SECOND)
        await wait_for_devices(client, planned, edge)
        if edge == AUTUMN:
            await client.disconnect()
            await processes.hub.stop()
            await processes.hub.start()
            await wait_until_running(client)
            await wait_for_devices(client, planned, edge)
        edge += 2 * QUARTER
    for name in planned:
        await wait_for(client, f"sensor.{name}_status", LoadStatus.DONE)
        await wait_for(client, f"switch.{name}_planned", "off")
    # Nothing else runs in the rest of the window, or on the day after.
    for hours in (5, 11):
        await clock.leap(client, change + timedelta(hours=hours))
    for name, runs in planned.items():
        seen = await switch_times(client, f"input_boolean.{name}", evening)
        edges = [at for run in runs for at in run]
        assert len(seen) == len(edges)
        assert all(
            abs(at - edge) < MINUTE for at, edge in zip(seen, edges, strict=True)
        )
    for helper in await client.command("input_boolean/list"):
        await client.command("input_boolean/delete", input_boolean_id=helper["id"])
    assert not logged_errors(processes)
