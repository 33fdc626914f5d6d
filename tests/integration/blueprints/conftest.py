"""Fixtures: a hub in Germany, and a clock for automations that wait."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from simulator import Simulator
from tests.integration.blueprints import settle
from tests.integration.helpers import Advance


@pytest.fixture(autouse=True)
def in_germany(german_hub: None) -> None:
    """Put the hub in Germany."""


@pytest.fixture(params=[0.003, 4.2], ids=["milliseconds", "seconds"])
def late(request: pytest.FixtureRequest) -> timedelta:
    """Return how late timers fire, since no timer is exact."""
    return timedelta(seconds=request.param)


@pytest.fixture
def advance(
    hass: HomeAssistant,
    nomos: Simulator,
    freezer: FrozenDateTimeFactory,
    late: timedelta,
) -> Advance:
    """Return a function that advances the clock without waiting for automations that are waiting themselves.

    The clock never stops at a whole second, since timers always fire a little later.
    """

    def be_late() -> None:
        if not datetime.now(UTC).microsecond:
            freezer.tick(late)

    async def move(delta: timedelta) -> None:
        freezer.tick(delta)
        be_late()
        async_fire_time_changed(hass)
        await settle(hass)

    be_late()
    return move


@pytest.fixture(autouse=True)
async def end_of_automations(hass: HomeAssistant) -> AsyncIterator[None]:
    """Stop all automations at the end of a test, including their waits."""
    yield
    if hass.states.get("automation.used"):
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": "automation.used"}, blocking=True
        )
