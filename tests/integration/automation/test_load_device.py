"""Tests of triggers and conditions on a load's device: those for prices use the contract of the load."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.const import DOMAIN
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import QUARTER, put, until

pytestmark = pytest.mark.usefixtures("german_hub")


async def test_price_trigger_on_a_load(
    hass: HomeAssistant, nomos, linked, subscription, advance: Advance
) -> None:
    """A negative price and a price rank are those of the load's contract."""
    entry = await linked()
    load_id = await put(hass, entry, duration={"hours": 2})
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, load_id), entry.entry_id
    )
    assert device is not None
    fired: list[Event] = []
    hass.bus.async_listen("fired", fired.append)
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "nomos.price_turned_negative",
                    "target": {"device_id": device.id},
                },
                "conditions": {
                    "condition": "nomos.among_cheapest_hours",
                    "target": {"device_id": device.id},
                    "options": {"hours": 1},
                },
                "actions": {"event": "fired"},
            }
        },
    )
    await hass.async_block_till_done()
    at = datetime(2026, 6, 10, 10, tzinfo=UTC)
    nomos.correct_price(subscription.id, at, -3.0)
    await next(iter(entry.runtime_data.prices.values())).async_refresh()
    await until(advance, at - timedelta(seconds=1))
    assert not fired
    await until(advance, at + QUARTER)
    assert len(fired) == 1
