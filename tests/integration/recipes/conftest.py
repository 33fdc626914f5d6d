"""The hub in a German house."""

import pytest

from homeassistant.core import HomeAssistant


@pytest.fixture(autouse=True)
async def german_hub(hass: HomeAssistant) -> None:
    """Let the hub stand where its customers live."""
    await hass.config.async_set_time_zone("Europe/Berlin")
