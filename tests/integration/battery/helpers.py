"""Helpers for home batteries: form, states and device."""

from datetime import timedelta
from typing import Any

from custom_components.nomos.battery.manager import Batteries
from custom_components.nomos.const import BATTERY, DOMAIN
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from tests.integration.loads.helpers import fill_in

QUARTER = timedelta(minutes=15)
LEVEL = "sensor.battery_charge"

USUAL: dict[str, Any] = {
    "name": "Battery",
    "level_sensor": LEVEL,
    "capacity": 10,
    "charge_power": 5,
    "discharge_power": 5,
}

SENSORS = {
    "mode",
    "target_level",
    "charging_power",
    "next_change",
    "expected_gain",
    "gain_this_month",
}


def report(hass: HomeAssistant, level: float | str) -> None:
    """Set the charge level that the inverter reports."""
    hass.states.async_set(LEVEL, str(level), {"unit_of_measurement": "%"})


async def open_form(hass: HomeAssistant, entry) -> Any:
    """Open the dialog."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, BATTERY), context={"source": SOURCE_USER}
    )


async def add(hass: HomeAssistant, entry, **changes: Any) -> str:
    """Add a battery through the form; return its subentry's id. Fields that are None are left empty."""
    before = set(entry.subentries)
    entered = {key: one for key, one in (USUAL | changes).items() if one is not None}
    result = await fill_in(hass, await open_form(hass, entry), entered)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done(wait_background_tasks=True)
    [new] = set(entry.subentries) - before
    return str(new)


def entity_of(hass: HomeAssistant, battery_id: str, key: str) -> Any:
    """Return the entity id of a battery."""
    found = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{battery_id}_{key}"
    )
    assert found is not None, key
    return found


def state_of(hass: HomeAssistant, battery_id: str, key: str = "mode") -> State:
    """Return the state of a battery's entity."""
    state = hass.states.get(entity_of(hass, battery_id, key))
    assert state is not None
    return state


def batteries_of(entry) -> Batteries | None:
    """Return the batteries of an account; None if none has been set up."""
    found: Batteries | None = entry.runtime_data.batteries
    return found
