"""A real Home Assistant switches a smart plug that does not always obey."""

from typing import Final

from custom_components.nomos.loads.plan import LoadStatus
from scripts.hub_client import HubClient, Json
from scripts.sign_in import Customer, link
from tests.e2e.loads import add_load, make_plug, press, wait_for

PLUG: Final = "switch.plug"
LOST: Final = (1, 3)
"""The numbers of the commands that get lost: the first that turns the plug on, and the first that turns it off."""


DISHWASHER: Final[Json] = {
    "name": "Dishwasher",
    "duration": {"hours": 0, "minutes": 0, "seconds": 15},
    "end": "07:00:00",
    "when": {"repeat": "on_demand", "days": "every_day"},
    "how": {"contiguous": True},
    "price": {"prefer": "early"},
    "device": {"devices": [PLUG]},
}
"""An on-demand load that runs for 15 seconds."""


async def test_a_plug_that_disobeys_twice(
    client: HubClient, customer: Customer
) -> None:
    """Each lost command is repeated, so the load runs from *Start now* to its end."""
    await make_plug(client, LOST)
    entry = await link(client, customer)
    await add_load(client, entry["entry_id"], "appliance", DISHWASHER)
    status = "sensor.dishwasher_status"
    await wait_for(client, status, LoadStatus.NOT_ASKED)
    await press(client, "button.dishwasher_start_now")
    await wait_for(client, PLUG, "on")
    await wait_for(client, status, LoadStatus.DONE)
    await wait_for(client, PLUG, "off")
    commands = await client.state("counter.commands")
    assert commands is not None
    assert commands["state"] == "4"
    assert not (await client.command("repairs/list_issues"))["issues"]
