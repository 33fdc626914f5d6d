"""The hub in a German house, with automations that wait."""

from collections.abc import AsyncIterator
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from tests.integration.conftest import Advance

from . import settle


@pytest.fixture(autouse=True)
def in_germany(german_hub: None) -> None:
    """Let the hub stand where its customers live."""


@pytest.fixture
def advance(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Advance:
    """Return a function that moves the clock, and does not wait for automations that wait themselves."""

    async def move(delta: timedelta) -> None:
        freezer.tick(delta)
        async_fire_time_changed(hass)
        await settle(hass)

    return move


@pytest.fixture(autouse=True)
async def end_of_automations(hass: HomeAssistant) -> AsyncIterator[None]:
    """Stop the automation at the end of a test, with all that it waits for."""
    yield
    if hass.states.get("automation.used"):
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": "automation.used"}, blocking=True
        )
