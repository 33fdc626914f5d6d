"""Loads of a real Home Assistant: their form, and waiting for what they do."""

import asyncio
from collections.abc import Callable

from scripts.hub_client import HubClient, Json


async def add_load(
    client: HubClient, entry_id: str, load_type: str, settings: Json
) -> None:
    """Add a load through its form."""
    flows = "/api/config/config_entries/subentries/flow"
    menu = await client.post(flows, {"handler": [entry_id, "load"]})
    form = f"{flows}/{menu['flow_id']}"
    await client.post(form, {"next_step_id": load_type})
    done = await client.post(form, settings)
    assert done["type"] == "create_entry", done


async def press(client: HubClient, entity_id: str) -> None:
    """Press a button."""
    await client.post("/api/services/button/press", {"entity_id": entity_id})


async def wait_for(
    client: HubClient, entity_id: str, wanted: str | Callable[[Json], bool]
) -> Json:
    """Wait until an entity has a state, or one that is as it should be; return it."""
    state: Json | None = None

    def fits() -> bool:
        if state is None:
            return False
        if isinstance(wanted, str):
            return bool(state["state"] == wanted)
        return wanted(state)

    async with asyncio.timeout(50):
        while not fits():
            await asyncio.sleep(0.2)
            state = await client.state(entity_id)
    assert state is not None
    return state
