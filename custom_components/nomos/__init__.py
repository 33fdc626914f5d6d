"""Nomos: dynamic electricity prices for Home Assistant."""

from homeassistant.const import CONF_TOKEN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import instance_id
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)

from .account import NomosAccount
from .const import DOMAIN
from .runtime import NomosConfigEntry, NomosRuntime
from .schedule import installation_phase

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: NomosConfigEntry) -> bool:
    """Set up a linked account."""
    if not entry.data[CONF_TOKEN].get("refresh_token"):
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN, translation_key="authentication_failed"
        )
    implementation = await async_get_config_entry_implementation(hass, entry)
    phase = installation_phase(
        await instance_id.async_get(hass), entry.unique_id or entry.entry_id
    )
    account = NomosAccount(
        hass, entry, OAuth2Session(hass, entry, implementation), phase
    )
    await account.async_config_entry_first_refresh()
    entry.runtime_data = NomosRuntime(hass, entry, account)
    await entry.runtime_data.async_begin()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: NomosConfigEntry) -> bool:
    """Unload a linked account."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
