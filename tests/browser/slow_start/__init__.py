"""Makes Home Assistant's start last while a file exists: pages are served by then, but no integration is set up yet.

It takes the place of one of the few integrations for which all others wait.
"""

import asyncio
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers.typing import ConfigType


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Wait until the file is gone."""
    file = Path(hass.config.path("slow_start"))
    while await hass.async_add_executor_job(file.exists):
        await asyncio.sleep(0.1)
    return True
