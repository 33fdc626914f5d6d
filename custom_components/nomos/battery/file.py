"""The file that holds what is remembered of batteries."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..storage import StoredFile, stored_file


def battery_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file of an account."""
    return stored_file(hass, f"batteries.{entry.entry_id}")
