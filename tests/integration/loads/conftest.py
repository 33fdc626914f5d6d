"""Fixtures for tests of loads: a smart plug, and time."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance
from tests.integration.loads.appliances import Plug, plug_in

SECOND = timedelta(seconds=1)


@pytest.fixture
def give_time(hass: HomeAssistant, advance: Advance):
    """Return a function that advances time in steps of seconds, or larger ones."""

    async def give(time: timedelta, step: timedelta = 5 * SECOND) -> None:
        end = datetime.now(UTC) + time
        while (left := end - datetime.now(UTC)) > timedelta():
            await advance(min(step, left))

    return give


@pytest.fixture
async def plug(hass: HomeAssistant) -> Plug:
    """Return a smart plug, which is on."""
    made = Plug("Plug")
    made._attr_is_on = True
    await plug_in(hass, made)
    return made
