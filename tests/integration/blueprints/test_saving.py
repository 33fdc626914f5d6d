"""Tests of saving automations, an event that reaches all of them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from tests.integration.blueprints import helpers, is_on, save, turn, use
from tests.integration.blueprints.automations import follow
from tests.integration.helpers import Advance, entity_id
from tests.integration.loads.helpers import add

type SetUp = Callable[[HomeAssistant, Any, Any], Awaitable[str]]


async def load(hass: HomeAssistant, nomos, linked) -> str:
    """Set up a device that will run in the afternoon."""
    load_id = await add(hass, await linked(), start="14:00:00", end="20:00:00")
    await follow(hass, load_id)
    return "dishwasher"


async def heat_pump(hass: HomeAssistant, nomos, linked) -> str:
    """Set up a heat pump that is never boosted."""
    await linked()
    [subscription] = nomos.customers["smart@example.com"].subscriptions
    await helpers(hass, "boost")
    await use(
        hass,
        "heat_pump",
        price_level=entity_id(hass, subscription.id, "price_level"),
        boost_levels=[],
        boost_switches=["input_boolean.boost"],
        dwell={"minutes": 1},
    )
    return "boost"


async def payout(hass: HomeAssistant, nomos, linked) -> str:
    """Set up a battery that never sells."""
    await linked("solar@example.com")
    _, feed_in = nomos.customers["solar@example.com"].subscriptions
    await helpers(hass, "sell")
    target = {"target": {"entity_id": "input_boolean.sell"}}
    await use(
        hass,
        "feed_in_high_payout",
        payout=entity_id(hass, feed_in.id, "payout"),
        rule="value",
        value=5,
        high_actions=[],
        end_actions=[{"action": "input_boolean.turn_off", **target}],
    )
    return "sell"


@pytest.mark.parametrize("set_up", [load, heat_pump, payout])
async def test_manual_switching(
    hass: HomeAssistant, nomos, linked, advance: Advance, set_up: SetUp
) -> None:
    """A device switched by hand stays on when another automation is saved, and is corrected when this one is."""
    switch = await set_up(hass, nomos, linked)
    for wait in (timedelta(minutes=2), timedelta(seconds=10)):
        await advance(wait)
        await turn(hass, switch, "on")
        await save(hass, itself=False)
        assert is_on(hass, switch)
        await advance(timedelta(seconds=1))
        await save(hass, itself=True)
        assert not is_on(hass, switch)
