"""Tests of an inverter that follows the plan of a home battery."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant, ServiceCall
from tests.integration.battery.helpers import add, entity_of, report, state_of
from tests.integration.blueprints import settle, use
from tests.integration.helpers import Advance

MODES = ("self_use", "hold", "charge", "delay_charge", "feed_in")


def set_mode(mode: str) -> list[dict[str, Any]]:
    """Return the action that sets an inverter's mode."""
    data = {"mode": mode, "power": "{{ power }}", "level": "{{ level }}"}
    return [{"action": "test.inverter", "data": data}]


async def follow(hass: HomeAssistant, battery: str, **inputs: Any) -> list[ServiceCall]:
    """Set up an inverter that follows a battery; return the list of its commands."""
    told: list[ServiceCall] = async_mock_service(hass, "test", "inverter")
    actions = {mode: set_mode(mode) for mode in MODES}
    mode_now = {"mode": entity_of(hass, battery, "mode")}
    await use(hass, "battery_plan", **(mode_now | actions | inputs))
    return told


async def test_a_day(hass: HomeAssistant, linked, advance: Advance) -> None:
    """The inverter gets the values of the sensors exactly when they change."""
    entry = await linked()
    report(hass, 20)
    battery = await add(hass, entry)
    told = await follow(hass, battery)
    seen: list[str] = []
    for _ in range(64):
        before = len(told)
        shown = [
            state_of(hass, battery, key).state for key in ("mode", "charging_power")
        ]
        await advance(timedelta(minutes=15))
        await advance(timedelta(seconds=1))
        now = [state_of(hass, battery, key).state for key in ("mode", "charging_power")]
        if now != shown:
            last = told[-1].data
            assert len(told) > before
            assert last["mode"] == now[0]
            assert last["power"] == pytest.approx(abs(float(now[1])))
            seen.append(now[0])
        target = float(state_of(hass, battery, "target_level").state)
        if now[0] == "charge":
            assert told[-1].data["level"] == pytest.approx(target)
            report(hass, target)
    assert {"charge", "self_use"} <= set(seen)


async def test_plan_is_unavailable(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """While the plan is unavailable, nothing changes for half an hour; then the inverter returns to self-use."""
    entry = await linked()
    report(hass, 20)
    battery = await add(hass, entry)
    told = await follow(hass, battery)
    while not told or told[-1].data["mode"] == "self_use":
        await advance(timedelta(minutes=15))
        await advance(timedelta(seconds=1))
    assert told[-1].data["mode"] == state_of(hass, battery).state
    before = len(told)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await settle(hass)
    await advance(timedelta(minutes=29))
    assert len(told) == before
    await advance(timedelta(minutes=2))
    await advance(timedelta(seconds=1))
    assert told[-1].data["mode"] == "self_use"


async def test_mode_that_an_inverter_lacks(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """A mode without actions falls back to self-use; commands are repeated every five minutes if configured."""
    entry = await linked()
    report(hass, 100)
    battery = await add(hass, entry)
    told = await follow(hass, battery, delay_charge=[], feed_in=[], again=True)
    hass.states.async_set(entity_of(hass, battery, "mode"), "delay_charge")
    await advance(timedelta(seconds=1))
    assert told[-1].data["mode"] == "self_use"
    before = len(told)
    await advance(timedelta(minutes=5))
    await advance(timedelta(seconds=1))
    assert len(told) == before + 1


async def test_repetition_while_the_plan_is_unavailable(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """Repeating a mode every five minutes does not restart the half hour."""
    entry = await linked()
    report(hass, 20)
    battery = await add(hass, entry)
    told = await follow(hass, battery, again=True)
    mode = entity_of(hass, battery, "mode")
    hass.states.async_set(mode, "hold")
    await advance(timedelta(seconds=1))
    assert told[-1].data["mode"] == "hold"
    hass.states.async_set(mode, "unavailable")
    for _ in range(7):
        await advance(timedelta(minutes=5))
        await advance(timedelta(seconds=1))
        if hass.states.get(mode).state != "unavailable":
            hass.states.async_set(mode, "unavailable")
    assert told[-1].data["mode"] == "self_use"
