"""The solar forecast of the demo house, as the Energy dashboard asks for it."""

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .inverter import Inverter
from .physics import BERLIN, sun_forecast


async def async_get_solar_forecast(
    hass: HomeAssistant, config_entry_id: str
) -> dict[str, dict[str, float]] | None:
    """Return the hourly energy in Wh; without noon if the forecast has a gap."""
    entry = hass.config_entries.async_get_entry(config_entry_id)
    if entry is None:
        return None
    inverter: Inverter = entry.runtime_data
    noon = range(12, 14) if inverter.forecast_has_hole else ()
    return {
        "wh_hours": {
            at.isoformat(): energy
            for at, energy in sun_forecast(dt_util.utcnow()).items()
            if at.astimezone(BERLIN).hour not in noon
        }
    }
