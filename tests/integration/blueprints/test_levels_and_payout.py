"""A heat pump that follows the level, and a battery that follows the payout."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.pricing import local_date
from homeassistant.core import HomeAssistant
from tests.integration.conftest import Advance, entity_id

from . import go_to, helpers, is_on, reload, use

MIDNIGHT = datetime(2026, 6, 9, 22, tzinfo=UTC)


@pytest.mark.parametrize("now", [MIDNIGHT])
async def test_heat_pump(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """Over a day it is boosted and blocked by the level, and no mode is shorter than the minimum."""
    entry = await linked()
    level = entity_id(hass, subscription.id, "price_level")
    await helpers(hass, "boost", "block")
    dwell = timedelta(minutes=45)
    await use(
        hass,
        "heat_pump",
        price_level=level,
        boost_levels=["very_cheap", "cheap"],
        block_levels=["very_expensive", "expensive"],
        boost_switches=["input_boolean.boost"],
        block_switches=["input_boolean.block"],
        dwell={"minutes": 45},
    )
    modes = {"very_cheap": "boost", "cheap": "boost"}
    modes |= {"very_expensive": "block", "expensive": "block"}
    applied, held_until, seen = "normal", datetime.now(UTC), set()

    def check(now: datetime) -> None:
        nonlocal applied, held_until
        wanted = modes.get(hass.states.get(level).state, "normal")
        if wanted != applied and now >= held_until:
            applied, held_until = wanted, now + dwell
        assert is_on(hass, "boost") == (applied == "boost"), now
        assert is_on(hass, "block") == (applied == "block"), now
        seen.add(applied)

    await go_to(advance, MIDNIGHT + timedelta(hours=12), check)
    await reload(hass, entry)
    held_until = datetime.now(UTC) + dwell if applied == "normal" else held_until
    await go_to(advance, MIDNIGHT + timedelta(hours=24), check)
    assert seen == {"normal", "boost", "block"}


@pytest.mark.parametrize("now", [MIDNIGHT + timedelta(minutes=1)])
@pytest.mark.parametrize("rule", ["hours", "value"])
async def test_payout(
    hass: HomeAssistant, nomos, linked, advance: Advance, rule: str
) -> None:
    """The battery sells in the day's best intervals, also across a reload, and stops after each stretch."""
    feed_in = next(
        one
        for one in nomos.customers["solar@example.com"].subscriptions
        if one.type == "feed_in"
    )
    entry = await linked("solar@example.com")
    day = entry.runtime_data.prices[feed_in.id].data.day(local_date(datetime.now(UTC)))
    ranked = sorted(day.intervals, key=lambda one: (-one.price, one.start))
    value = ranked[20].price
    high = (
        ranked[:12]
        if rule == "hours"
        else [one for one in day.intervals if one.price > value]
    )
    await helpers(hass, "sell")
    target = {"target": {"entity_id": "input_boolean.sell"}}
    await use(
        hass,
        "feed_in_high_payout",
        payout=entity_id(hass, feed_in.id, "payout"),
        rule=rule,
        value=value,
        hours=3,
        high_actions=[{"action": "input_boolean.turn_on", **target}],
        end_actions=[{"action": "input_boolean.turn_off", **target}],
    )
    reloaded = False
    for one in day.intervals[1:]:
        await go_to(advance, one.start)
        assert is_on(hass, "sell") == (one in high), one.start
        if one in high and not reloaded:
            await reload(hass, entry)
            assert is_on(hass, "sell")
            reloaded = True
    assert reloaded
