"""An integration for tests that forecasts the sun on a roof. It runs in the tests' Home Assistant, not in theirs."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant


async def async_setup_entry(_hass: HomeAssistant, _entry: ConfigEntry) -> bool:
    """Have nothing to do but forecast."""
    return True


async def async_unload_entry(_hass: HomeAssistant, _entry: ConfigEntry) -> bool:
    """Have nothing to undo."""
    return True
