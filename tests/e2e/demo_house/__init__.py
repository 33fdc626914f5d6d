"""A simulated house: solar power, meters, a battery whose inverter follows commands, and a wallbox.

It is installed into a real Home Assistant, whose clock the tests move.
"""

import asyncio
from datetime import timedelta
from typing import Final

import probatio

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.helpers.event import async_track_time_interval

from .inverter import DOMAIN, Inverter

PLATFORMS: Final = (
    Platform.SENSOR,
    Platform.SELECT,
    Platform.NUMBER,
    Platform.SWITCH,
)
_EVERY: Final = timedelta(seconds=30)
"""How often the devices report."""
_WATCHED: Final = "nomos"
"""The integration for whose tasks `settle` waits."""


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry[Inverter]) -> bool:
    """Set up the house."""
    inverter = entry.runtime_data = Inverter(hass)
    await inverter.async_begin()
    entry.async_on_unload(async_track_time_interval(hass, inverter.advance, _EVERY))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    async def settle(_call: ServiceCall) -> ServiceResponse:
        """Wait until no plan, request or command is pending; return the state of the house."""
        quiet = 0
        async with asyncio.timeout(50):
            while quiet < 2:
                await asyncio.sleep(0.01)
                quiet = 0 if _is_busy(hass) else quiet + 1
        inverter.advance()
        memory = inverter.memory
        return {
            "at": memory.at,
            "level": memory.level,
            "mode": memory.mode.value,
            "wallbox": memory.wallbox,
            "meters": dict(memory.meters),
            "commands": [[at, mode] for at, mode in inverter.commands],
        }

    async def set_faults(call: ServiceCall) -> None:
        """Set whether the charge level, or an hour of the forecast, is missing."""
        inverter.level_is_lost = call.data["level"]
        inverter.forecast_has_hole = call.data["forecast"]
        inverter.advance()

    hass.services.async_register(
        DOMAIN, "settle", settle, supports_response=SupportsResponse.ONLY
    )
    hass.services.async_register(
        DOMAIN,
        "set_faults",
        set_faults,
        probatio.Schema(
            {probatio.Required("level"): bool, probatio.Required("forecast"): bool}
        ),
    )
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry[Inverter]) -> bool:
    """Unload the house."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


def _is_busy(hass: HomeAssistant) -> bool:
    """Return whether the integration under test or an automation is at work."""
    automations = hass.states.async_all("automation")
    return any(
        _WATCHED in task.get_name().lower() for task in asyncio.all_tasks()
    ) or any(one.attributes.get("current") for one in automations)
