"""Automations that tests of several blueprints share."""

from custom_components.nomos.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.blueprints import helpers, use


async def follow(hass: HomeAssistant, load_id: str, **inputs) -> str:
    """Set up a switch that follows a load; return the load's sensor."""
    run_now = er.async_get(hass).async_get_entity_id(
        "binary_sensor", DOMAIN, f"{load_id}_run_now"
    )
    assert run_now
    await helpers(hass, "dishwasher")
    inputs = {"device": ["input_boolean.dishwasher"]} | inputs
    await use(hass, "cheapest_window", run_now=run_now, **inputs)
    return run_now
