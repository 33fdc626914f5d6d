"""Nomos: dynamic electricity prices for Home Assistant."""

from functools import partial

from homeassistant.components.websocket_api import async_register_command
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    instance_id,
)
from homeassistant.helpers.typing import ConfigType

from .account.connection import async_forget
from .account.contracts import NomosAccount, account_file, async_load_account
from .account.tokens import async_reconcile, async_wait_for_refresh, journal
from .battery.model import battery_file
from .card.chart import async_send_chart
from .card.resources import async_setup_card
from .const import DOMAIN
from .forecast.accuracy import record_file
from .issues import async_withdraw_all
from .loads.manager import load_file
from .loads.saved import async_forget_saved
from .runtime import NomosConfigEntry, NomosRuntime
from .schedule import installation_phase
from .services import async_setup_services
from .storage import async_write_owed
from .usage.coordinator import async_delete_files

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
    await async_reconcile(hass, entry)
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
    """Delete the files of an account, and its state in memory."""
    await async_wait_for_refresh(hass, entry)
    async_forget(hass, entry)
    # The devices also identify contracts, in case the account's own file is lost.
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    known = {next(iter(device.identifiers))[1] for device in devices}
    if (stored := await async_load_account(hass, entry)) is not None:
        known |= stored.subscriptions.keys()
    for contract_id in known:
        await async_delete_files(hass, contract_id)
    for file in (account_file, load_file, battery_file, record_file, journal):
        await file(hass, entry).async_remove()
    async_forget_saved(hass, entry.subentries)
