"""Nomos: dynamic electricity prices for Home Assistant."""

from functools import partial

from homeassistant.components.websocket_api import async_register_command
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, instance_id
from homeassistant.helpers.typing import ConfigType

from .account.contracts import NomosAccount
from .account.tokens import TokenJournal, async_wait_for_refresh
from .card.chart import async_send_chart
from .card.resources import async_setup_card
from .const import DOMAIN
from .forecast.accuracy import record_file
from .issues import async_withdraw_all
from .runtime import NomosConfigEntry, NomosRuntime, async_delete_stored
from .schedule import installation_phase
from .services import async_setup_services
from .storage import async_write_owed

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.IMAGE,
    Platform.NUMBER,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TIME,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all accounts share: the actions, the command of the card, and the card itself."""
    async_setup_services(hass)
    async_register_command(hass, async_send_chart)
    await async_setup_card(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: NomosConfigEntry) -> bool:
    """Set up a linked account."""
    entry.async_on_unload(partial(async_write_owed, hass, at_last=True))
    entry.async_on_unload(partial(async_withdraw_all, hass, entry.entry_id))
    await async_wait_for_refresh(hass, entry)
    await TokenJournal(hass, entry).async_reconcile()
    identity = entry.unique_id or entry.entry_id
    phase = installation_phase(await instance_id.async_get(hass), identity)
    account = NomosAccount(hass, entry, phase)
    is_known = await account.async_begin()
    entry.runtime_data = NomosRuntime(hass, entry, account)
    await entry.runtime_data.async_begin(must_answer=not is_known)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: NomosConfigEntry) -> bool:
    """Unload a linked account."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: NomosConfigEntry) -> None:
    """Delete the files of an account."""
    await async_delete_stored(hass, entry)
    await record_file(hass, entry).async_remove()
