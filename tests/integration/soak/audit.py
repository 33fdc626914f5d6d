"""Checks that Home Assistant can save everything and shows nothing of other customers."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.json import json_bytes


def unsavable(hass: HomeAssistant) -> str | None:
    """Return something that Home Assistant cannot save or show because of an invalid string, or None."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    for name, data in (
        ("config entries", hass.config_entries._data_to_save),
        ("entities", entities._data_to_save),
        ("devices", devices._data_to_save),
        ("issues", ir.async_get(hass)._data_to_save),
        ("states", hass.states.async_all),
    ):
        try:
            json_bytes(data())
        except (TypeError, ValueError) as err:
            return f"{name}: {err}"
    return None


def shown_of(
    hass: HomeAssistant, entry_id: str, strangers: Iterable[str]
) -> str | None:
    """Return a device or entity of a config entry that belongs to one of the contracts, or None."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    ours = [name for device in devices for _, name in device.identifiers]
    ours += [entity.unique_id for entity in entities]
    for stranger in strangers:
        for name in ours:
            if stranger in name:
                return name
    return None
