"""The forecast for Home Assistant's energy platform: short days in winter."""

from datetime import timedelta
from math import pi, sin

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

DAYS = (1100, 800, 1400)
"""The peak of the hourly energy of each day, in Wh."""


async def async_get_solar_forecast(
    _hass: HomeAssistant, _config_entry_id: str
) -> dict[str, dict[str, float]]:
    """Return the hourly energy from 6:00 to 20:00."""
    hours: dict[str, float] = {}
    today = dt_util.start_of_local_day()
    for number, most in enumerate(DAYS):
        for hour in range(6, 20):
            at = today + timedelta(days=number, hours=hour)
            share = sin(pi * (hour + 0.5 - 6) / 14) ** 2
            hours[at.isoformat()] = round(most * share)
    return {"wh_hours": hours}
