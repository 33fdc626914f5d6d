"""Tests of a heat pump that follows the level, and a battery that follows the payout."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.nomos.pricing import local_date
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tests.integration.blueprints import (
    Relays,
    go_to,
    helpers,
    is_on,
    reload,
    settle,
    use,
)
from tests.integration.helpers import Advance, entity_id

MIDNIGHT = datetime(2026, 6, 9, 22, tzinfo=UTC)
MODES = ("boost", "block", "normal")
FAILS = [{"action": "test.fail"}]
BREAKS = [{"action": "test.break"}]
MISSING = [{"action": "test.missing"}]
STOPS = [{"stop": "That was all."}]


@pytest.fixture(autouse=True)
def failing_actions(hass: HomeAssistant) -> None:
    """Set up actions that fail with an expected and with an unexpected error."""

    async def fail(_: ServiceCall) -> None:
        raise HomeAssistantError("no answer")

    async def fall_apart(_: ServiceCall) -> None:
        raise ConnectionResetError

    hass.services.async_register("test", "fail", fail)
    hass.services.async_register("test", "break", fall_apart)


@pytest.mark.parametrize("now", [MIDNIGHT])
@pytest.mark.parametrize("fails", [False, True], ids=["works", "fails"])
async def test_heat_pump(
    hass: HomeAssistant, linked, advance: Advance, subscription, fails: bool
) -> None:
    """Throughout a day, it is boosted and blocked by level, and no mode is shorter than the minimum.

    Additional actions may fail.
    """
    entry = await linked()
    level = entity_id(hass, subscription.id, "price_level")
    await helpers(hass, "boost", "block")
    dwell = timedelta(minutes=150)
    await use(
        hass,
        "heat_pump",
        price_level=level,
        boost_levels=["very_cheap", "cheap"],
        block_levels=["very_expensive", "expensive"],
        boost_switches=["input_boolean.boost"],
        block_switches=["input_boolean.block"],
        dwell={"minutes": 150},
        **({f"{mode}_actions": FAILS for mode in MODES} if fails else {}),
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


@pytest.mark.parametrize("trouble", [None, HomeAssistantError("no answer")])
async def test_command_gets_lost(
    hass: HomeAssistant, advance: Advance, trouble: Exception | None
) -> None:
    """It is repeated, even when a switch becomes available; additional actions do not wait for it."""
    switches = Relays(hass, "boost", "block")
    told = async_mock_service(hass, "test", "tell")
    hass.states.async_set("sensor.level", "normal")
    assert await async_setup_component(hass, "homeassistant", {})
    await use(
        hass,
        "heat_pump",
        price_level="sensor.level",
        boost_switches=["switch.boost"],
        block_switches=["switch.block"],
        boost_actions=[{"action": "test.tell"}],
        dwell={"minutes": 1},
    )

    def modes() -> list[str]:
        return [hass.states.get(f"switch.{name}").state for name in ("boost", "block")]

    async def wait(minutes: int) -> None:
        for _ in range(2 * minutes):
            await advance(timedelta(seconds=30))

    async def becomes(level: str) -> None:
        hass.states.async_set("sensor.level", level)
        await settle(hass)

    await becomes("very_expensive")
    await wait(3)
    assert modes() == ["off", "on"]
    switches.troubles = [trouble] * 4
    await becomes("very_cheap")
    assert modes() == ["off", "on"]
    assert len(told) == 1
    await wait(5)
    assert modes() == ["on", "off"]
    assert len(told) == 1

    switches.troubles = [trouble] * 100
    await becomes("normal")
    await wait(60)
    assert 80 < len(switches.troubles) < 96
    assert modes() == ["on", "off"]
    switches.troubles.clear()
    switches.turn("boost", "unavailable")
    await settle(hass)
    switches.turn("boost", "on")
    await settle(hass)
    assert modes() == ["off", "off"]


async def battery(hass: HomeAssistant, nomos, linked, more=(), **inputs):
    """Set up a battery that sells while the payout is high; return the account and the intervals of the day."""
    feed_in = next(
        one
        for one in nomos.customers["solar@example.com"].subscriptions
        if one.type == "feed_in"
    )
    entry = await linked("solar@example.com")
    day = entry.runtime_data.prices[feed_in.id].data.day(local_date(datetime.now(UTC)))
    await helpers(hass, "sell")
    target = {"target": {"entity_id": "input_boolean.sell"}}
    await use(
        hass,
        "feed_in_high_payout",
        payout=entity_id(hass, feed_in.id, "payout"),
        high_actions=[{"action": "input_boolean.turn_on", **target}, *more],
        end_actions=[{"action": "input_boolean.turn_off", **target}],
        **inputs,
    )
    return entry, day.intervals


def highest(intervals):
    """Return the intervals with the highest payout first."""
    return sorted(intervals, key=lambda one: (-one.price, one.start))


@pytest.mark.parametrize("now", [MIDNIGHT + timedelta(minutes=1)])
async def test_highest_hours(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The battery sells in exactly the day's best intervals, even across a reload."""
    entry, day = await battery(hass, nomos, linked, hours=3)
    await sells(hass, advance, entry, day, highest(day)[:12])


@pytest.mark.parametrize("now", [MIDNIGHT + timedelta(minutes=1)])
async def test_high_value(hass: HomeAssistant, nomos, linked, advance: Advance) -> None:
    """The battery sells while the payout is above a value."""
    entry, day = await battery(hass, nomos, linked, rule="value", value=0.08)
    high = [one for one in day if one.price > 0.08]
    assert 0 < len(high) < len(day)
    await sells(hass, advance, entry, day, high)


async def sells(hass: HomeAssistant, advance: Advance, entry, day, high) -> None:
    """Assert that it sells in exactly these intervals of a day, even across a reload."""
    reloaded = False
    for one in day[1:]:
        await go_to(advance, one.start)
        assert is_on(hass, "sell") == (one in high), one.start
        if one in high and not reloaded:
            await reload(hass, entry)
            assert is_on(hass, "sell")
            reloaded = True
    assert reloaded


@pytest.mark.parametrize("now", [datetime(2026, 6, 10, 17, 10, tzinfo=UTC)])
@pytest.mark.parametrize("more", [FAILS, BREAKS, MISSING, STOPS])
async def test_an_action_fails(
    hass: HomeAssistant, nomos, linked, advance: Advance, more: list[Any]
) -> None:
    """It also stops selling if an additional action failed at the start."""
    _, day = await battery(hass, nomos, linked, more, hours=1)
    high = highest(day)[:4]
    end = high[0].start + timedelta(hours=3)
    seen = []
    for one in day:
        if datetime.now(UTC) < one.start < end:
            await go_to(advance, one.start)
            assert is_on(hass, "sell") == (one in high), one.start
            seen.append(one in high)
    assert sum(seen) == len(high)
