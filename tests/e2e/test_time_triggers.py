"""Test that Home Assistant's time trigger on entities of loads loses no event, with a real process."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from scripts.hub_client import HubClient, Json
from scripts.sign_in import Customer, link
from tests.e2e.loads import add_load
from tests.e2e.moved_clock import MovedClock, on_linux

pytestmark = on_linux

BERLIN: Final = ZoneInfo("Europe/Berlin")
MINUTE: Final = timedelta(minutes=1)
FIRST: Final = datetime(2026, 6, 10, 10, 1, tzinfo=UTC)
BEFORE: Final = timedelta(seconds=8)
"""Time to subscribe to the triggers on a slow machine."""

LOADS: Final = 12
"""Enough to notice lost events: before states were kept until their time had passed, one end in three was lost."""


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> MovedClock:
    """Return the clock for this module's processes, set to an hour before the loads run."""
    return MovedClock(tmp_path_factory.mktemp("clock"), FIRST - 60 * MINUTE)


def minute_from(name: str, at: datetime) -> Json:
    """Return the settings of a load that runs for the minute from an instant."""
    start, end = (f"{one.astimezone(BERLIN):%H:%M}:00" for one in (at, at + MINUTE))
    return {
        "name": name,
        "duration": {"hours": 0, "minutes": 1},
        "end": end,
        "when": {"start": start},
        "how": {},
        "price": {},
        "device": {},
    }


async def times(client: HubClient) -> dict[str, str]:
    """Return the states of the loads' start and end entities."""
    states: list[Json] = await client.get("/api/states")
    return {
        one["entity_id"]: one["state"]
        for one in states
        if one["entity_id"].startswith("sensor.load_")
        and one["entity_id"].endswith(("_next_start", "_next_end"))
    }


async def fired(client: HubClient, entities: Iterable[str]) -> AsyncGenerator[str]:
    """Subscribe to a time trigger on each entity; yield an empty string first, then each entity whose trigger fires."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{client.url}/api/websocket") as websocket,
    ):
        assert (await websocket.receive_json())["type"] == "auth_required"
        await websocket.send_json({"type": "auth", "access_token": client.token})
        assert (await websocket.receive_json())["type"] == "auth_ok"
        triggers = [{"trigger": "time", "at": one} for one in entities]
        await websocket.send_json(
            {"id": 1, "type": "subscribe_trigger", "trigger": triggers}
        )
        assert (await websocket.receive_json())["success"]
        yield ""
        async for message in websocket:
            data = message.json()
            for one in data if isinstance(data, list) else [data]:
                yield one["event"]["variables"]["trigger"]["entity_id"]


async def fired_at(
    client: HubClient, clock: MovedClock, entities: Iterable[str], at: datetime
) -> list[str]:
    """Let an instant pass at which each load starts or ends; return the entities whose triggers fired."""
    await clock.leap(client, at - BEFORE)
    # The hub would close this websocket, which is not read meanwhile.
    await client.disconnect()
    seen: list[str] = []
    # Wait beyond the last event, in case one is missing or fires twice.
    with suppress(TimeoutError):
        async with (
            aclosing(fired(client, entities)) as news,
            asyncio.timeout(40) as time,
        ):
            async for one in news:
                if not one:
                    assert clock.now() < at, "this machine is too slow"
                    continue
                seen.append(one)
                if len(seen) == LOADS:
                    time.reschedule(asyncio.get_running_loop().time() + 2)
    return sorted(seen)


async def test_each_start_and_each_end(
    client: HubClient, customer: Customer, clock: MovedClock
) -> None:
    """Every start and every end fires once, and then the entities show the next runs."""
    entry = await link(client, customer)
    for number in range(LOADS):
        load = minute_from(f"Load {number}", FIRST)
        await add_load(client, entry["entry_id"], "other", load)
    async with asyncio.timeout(30):
        while len(shown := await times(client)) < 2 * LOADS:
            await asyncio.sleep(0.1)
    for at in (FIRST, FIRST + MINUTE):
        entities = {one for one, state in shown.items() if state == at.isoformat()}
        assert len(entities) == LOADS
        assert await fired_at(client, clock, shown, at) == sorted(entities)
    async with asyncio.timeout(60):
        while (await times(client)).items() & shown.items():
            await asyncio.sleep(0.2)
