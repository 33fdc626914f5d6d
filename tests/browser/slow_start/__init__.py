"""Delays Home Assistant's start while a file exists: pages are served already, but no integration is set up.

It replaces one of the few integrations that all others wait for.
"""

import asyncio
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers.typing import ConfigType


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Wait until the file is deleted."""
    file = Path(hass.config.path("slow_start"))
    while await hass.async_add_executor_job(file.exists):
        await asyncio.sleep(0.1)
    return True
