"""Helpers that start a flow, and cut the power."""

from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant


async def begin(hass: HomeAssistant):
    """Start the flow that adds an account."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def power_cut(hass, entry, on_disk):
    """Stop without writing anything: the config entry is as it was on disk."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data=on_disk)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
