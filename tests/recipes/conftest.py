"""The same hub, Nomos and clock as in the tests of the integration, in a German house."""

import pytest

from homeassistant.core import HomeAssistant
from tests.integration.conftest import (
    advance,
    credentials,
    custom_integrations,
    dice,
    hass_config_dir,
    instance,
    linked,
    market_file,
    no_secret_in_the_log,
    nomos,
    now,
    pauses,
    quiet_access_log,
    sockets,
    usage_known,
)

__all__ = [
    "advance",
    "credentials",
    "custom_integrations",
    "dice",
    "hass_config_dir",
    "instance",
    "linked",
    "market_file",
    "no_secret_in_the_log",
    "nomos",
    "now",
    "pauses",
    "quiet_access_log",
    "sockets",
    "usage_known",
]


@pytest.fixture(autouse=True)
async def german_hub(hass: HomeAssistant) -> None:
    """Let the hub stand where its customers live."""
    await hass.config.async_set_time_zone("Europe/Berlin")
