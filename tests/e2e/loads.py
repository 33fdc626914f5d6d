"""Helpers for loads in a real Home Assistant: add and control them, and wait for states."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
import re

from scripts.hub_client import HubClient, Json
from scripts.sign_in import DOMAIN, Customer
from tests.e2e.processes import Processes


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


async def make_plug(client: HubClient, lost: tuple[int, ...] = ()) -> None:
    """Make `switch.plug` out of helpers; `counter.commands` counts its commands, some of which get lost."""
    await client.command("input_boolean/create", name="Relay")
    await client.command("counter/create", name="Commands")
    flow = await client.start_flow("template")
    await client.submit_flow(flow["flow_id"], {"next_step_id": "switch"})

    def do(service: str) -> list[Json]:
        heard = f"{{{{ states('counter.commands') | int not in {lost} }}}}"
        return [
            {
                "action": "counter.increment",
                "target": {"entity_id": "counter.commands"},
            },
            {"condition": "template", "value_template": heard},
            {
                "action": f"input_boolean.{service}",
                "target": {"entity_id": "input_boolean.relay"},
            },
        ]

    done = await client.submit_flow(
        flow["flow_id"],
        {
            "name": "Plug",
            "value_template": "{{ is_state('input_boolean.relay', 'on') }}",
            "turn_on": do("turn_on"),
            "turn_off": do("turn_off"),
        },
    )
    assert done["type"] == "create_entry", done


async def wait_for(
    client: HubClient, entity_id: str, wanted: str | Callable[[Json], bool]
) -> Json:
    """Wait until an entity's state equals a string or satisfies a function; return it."""
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


async def wait_for_all(client: HubClient, wanted: Mapping[str, str]) -> None:
    """Wait until all of these entities have the given states."""
    shown: dict[str, str] = {}
    try:
        async with asyncio.timeout(50):
            while shown != wanted:
                shown = {
                    one["entity_id"]: one["state"]
                    for one in await client.get("/api/states")
                    if one["entity_id"] in wanted
                }
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{shown} instead of {wanted}") from None


async def set_prices(customer: Customer, amounts: Mapping[datetime, float]) -> None:
    """Set the prices of some quarter-hours, in ct/kWh; the hub gets them with its next request."""
    state = await customer.control("GET", "state")
    subscription, *_ = state["customers"][customer.email]["subscriptions"]
    for start, amount in amounts.items():
        correction = {
            "subscription": subscription["id"],
            "start": start.isoformat(),
            "amount": amount,
        }
        await customer.control("POST", "prices", correction)


async def switch_times(
    client: HubClient, device: str, since: datetime
) -> list[datetime]:
    """Return when a device was switched on and off alternately, according to its history; it begins and ends off."""
    await wait_for(client, device, "off")
    seen: list[Json] = []
    async with asyncio.timeout(50):
        while not seen or seen[-1]["s"] != "off":
            history = await client.command(
                "history/history_during_period",
                start_time=since.isoformat(),
                entity_ids=[device],
                minimal_response=True,
                no_attributes=True,
            )
            seen = history.get(device, [])
    found, before = [], "off"
    for one in seen:
        if one["s"] in {"on", "off"} and one["s"] != before:
            before = one["s"]
            changed: float = one["lc"] if "lc" in one else one["lu"]
            found.append(datetime.fromtimestamp(changed, UTC))
    return found


async def shown_runs(client: HubClient, name: str) -> list[tuple[datetime, datetime]]:
    """Return the runs in a load's state, past ones included."""
    state = await client.state(f"binary_sensor.{name}_run_now")
    assert state is not None
    return [
        (datetime.fromisoformat(run["start"]), datetime.fromisoformat(run["end"]))
        for run in state["attributes"]["runs"]
    ]


def logged_errors(processes: Processes) -> list[str]:
    """Return the errors and tracebacks that the integration logged."""
    log = processes.hub.log.read_text(errors="replace")
    return [
        record
        for record in re.split(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", log)
        if re.search(rf"custom_components[./]{DOMAIN}", record)
        and ("Traceback" in record or " ERROR " in record)
    ]
