"""A real Home Assistant whose clock is set by NTP or by a person while a load runs."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from custom_components.nomos.loads.plan import LoadStatus
from scripts.hub_client import HubClient, Json
from scripts.sign_in import Customer, link
from tests.e2e.loads import (
    add_load,
    logged_errors,
    make_plug,
    set_prices,
    shown_runs,
    wait_for_all,
)
from tests.e2e.moved_clock import MovedClock, on_linux
from tests.e2e.processes import Processes

pytestmark = on_linux

SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)

MORNING: Final = datetime(2026, 11, 3, 5, tzinfo=UTC)
START: Final = MORNING + 3 * HOUR
NEXT_START: Final = START + 5 * HOUR
"""When the second cheap hour begins."""

PLUG: Final = "switch.plug"
DISHWASHER: Final[Json] = {
    "name": "Dishwasher",
    "duration": {"hours": 1, "minutes": 0},
    "end": "18:00:00",
    "when": {"repeat": "on_demand", "days": "every_day"},
    "how": {"contiguous": True},
    "price": {"prefer": "early"},
    "device": {"devices": [PLUG]},
}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> MovedClock:
    """Return the clock for this module's processes."""
    return MovedClock(tmp_path_factory.mktemp("clock"), MORNING, settable=True)


def shown(status: LoadStatus, *, on: bool, asked: bool = True) -> dict[str, str]:
    """Return the expected states of the load and of its device."""
    return {
        "sensor.dishwasher_status": status,
        "switch.dishwasher_planned": "on" if asked else "off",
        "binary_sensor.dishwasher_run_now": "on" if on else "off",
        PLUG: "on" if on else "off",
    }


PLANNED: Final = shown(LoadStatus.PLANNED, on=False)
RUNNING: Final = shown(LoadStatus.RUNNING, on=True)
DONE: Final = shown(LoadStatus.DONE, on=False, asked=False)


async def ask(client: HubClient, start: datetime) -> None:
    """Request a run; it is planned for one hour from an instant."""
    switch = {"entity_id": "switch.dishwasher_planned"}
    await client.post("/api/services/switch/turn_on", switch)
    await wait_for_all(client, PLANNED)
    assert await shown_runs(client, "dishwasher") == [(start, start + HOUR)]


async def commands(client: HubClient) -> int:
    """Return how many commands the plug has received."""
    counter = await client.state("counter.commands")
    assert counter is not None
    return int(counter["state"])


async def test_the_clock_is_set_in_a_run(
    client: HubClient, customer: Customer, processes: Processes, clock: MovedClock
) -> None:
    """A run ends by the new clock; if the clock is set to before its start, it starts again. There is no other run."""

    async def set_clock(to: datetime, then: dict[str, str]) -> None:
        clock.set(to)
        await wait_for_all(client, then)

    cheap = [start + n * HOUR / 4 for start in (START, NEXT_START) for n in range(4)]
    await set_prices(customer, dict.fromkeys(cheap, -60))
    entry = await link(client, customer)
    await make_plug(client)
    await add_load(client, entry["entry_id"], "other", DISHWASHER)

    await ask(client, START)
    before = await commands(client)
    # The last second passes in real time.
    await set_clock(START - SECOND, RUNNING)
    # Half an hour back, to before its start: it starts again at its time.
    await set_clock(START + 10 * MINUTE, RUNNING)
    await set_clock(START - 20 * MINUTE, PLANNED)
    assert await shown_runs(client, "dishwasher") == [(START, START + HOUR)]
    await set_clock(START - SECOND, RUNNING)
    # Half an hour back, but after its start: it goes on.
    await set_clock(START + 40 * MINUTE, RUNNING)
    await set_clock(START + 10 * MINUTE, RUNNING)
    assert await shown_runs(client, "dishwasher") == [(START, START + HOUR)]
    await set_clock(START + HOUR - SECOND, DONE)
    await set_clock(NEXT_START - 10 * MINUTE, DONE)
    assert await commands(client) == before + 4

    # Two hours ahead, to after its end: it is over.
    await ask(client, NEXT_START)
    before = await commands(client)
    await set_clock(NEXT_START - SECOND, RUNNING)
    await set_clock(NEXT_START + 10 * MINUTE, RUNNING)
    await set_clock(NEXT_START + 2 * HOUR + 10 * MINUTE, DONE)
    for hours in (4, 20):
        clock.set(NEXT_START + hours * HOUR)
        await wait_for_all(client, {PLUG: "off", "switch.dishwasher_planned": "off"})
    assert await commands(client) == before + 2
    assert not logged_errors(processes)
