"""Tests of the devices of loads: they follow the runs, and manual switching is respected."""

import asyncio
from datetime import UTC, datetime, timedelta
import json

import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)

from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.loads.settings import LoadSettings
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance, restart
from tests.integration.loads.appliances import (
    DAYTIME,
    IN_VAIN,
    Boiler,
    Plug,
    Thermostat,
    in_mid_run,
    plug_in,
    repairs,
    until_it_runs,
)
from tests.integration.loads.helpers import moment, press, put, status, switch, until

pytestmark = pytest.mark.usefixtures("german_hub")

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


async def test_on_from_start_to_end(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """A device that is on while its load waits is switched off; it then follows the run, without extra commands."""
    load = await put(hass, await linked(), devices=[plug.entity_id], **DAYTIME)
    assert plug.commands == ["off"]
    start, end = (moment(hass, load, f"next_{edge}") for edge in ("start", "end"))
    await until(advance, start - SECOND)
    assert plug.value == "off"
    await advance(SECOND)
    assert plug.value == "on"
    await until(advance, end - SECOND)
    assert plug.value == "on"
    await advance(SECOND)
    assert plug.value == "off"
    await advance(3 * MINUTE)
    assert plug.commands == ["off", "on", "off"]
    assert not repairs(hass)


async def test_device_of_a_load_without_a_request(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """It is left alone until a run is requested; then it waits for the load, and is switched off if it is on."""
    entry = await linked()
    load = await put(
        hass, entry, devices=[plug.entity_id], repeat="on_demand", **DAYTIME
    )
    await restart(hass, entry)
    assert not plug.commands
    await switch(hass, load, on=True)
    assert plug.commands == ["off"]
    await until(advance, moment(hass, load, "next_start"))
    assert plug.value == "on"
    await until(advance, moment(hass, load, "next_end") + MINUTE)
    assert status(hass, load) == LoadStatus.DONE
    assert plug.value == "off"


async def test_a_run_at_odd_seconds(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """*Start now* switches on at once and off to the second; so does *Skip*."""
    load = await put(hass, await linked(), devices=[plug.entity_id], **DAYTIME)
    await advance(37 * SECOND)
    await press(hass, load, "start_now")
    assert plug.value == "on"
    end = datetime.now(UTC) + timedelta(hours=2)
    await until(advance, end - SECOND)
    assert plug.value == "on"
    await advance(SECOND)
    assert plug.value == "off"
    await press(hass, load, "start_now")
    assert plug.value == "on"
    await press(hass, load, "skip")
    assert plug.value == "off"


@pytest.mark.parametrize("pretends", [False, True])
async def test_lost_commands_are_repeated(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug, pretends
) -> None:
    """A lost command is repeated, and nothing is reported."""
    plug.pretends = pretends
    load = await put(hass, await linked(), devices=[plug.entity_id], **DAYTIME)
    await until(advance, moment(hass, load, "next_start") - SECOND)
    plug.commands.clear()
    plug.disobeys = 2
    await advance(SECOND)
    await give_time(29 * SECOND)
    assert plug.value == "off"
    assert status(hass, load) == LoadStatus.RUNNING
    await give_time(SECOND)
    assert plug.value == "on"
    await give_time(IN_VAIN)
    assert plug.commands == ["on"] * 3
    assert not repairs(hass)


@pytest.mark.parametrize("refuses", [False, True])
async def test_never_obeys(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug, refuses
) -> None:
    """After five commands, a repair and the status report it, until the device has the right state."""
    load = await put(hass, await linked(), devices=[plug.entity_id], **DAYTIME)
    await until(advance, moment(hass, load, "next_start") - SECOND)
    plug.commands.clear()
    plug.disobeys, plug.refuses = 1000, refuses
    await advance(SECOND)
    await give_time(IN_VAIN - SECOND)
    assert not repairs(hass)
    await give_time(SECOND)
    assert repairs(hass) == [
        {"name": "Dishwasher", "device": "Plug", "entity": plug.entity_id}
    ]
    assert status(hass, load) == LoadStatus.UNREACHABLE
    await give_time(timedelta(minutes=30), MINUTE)
    assert plug.commands == ["on"] * 5

    plug.disobeys, plug.refuses = 0, False
    plug.show("on")
    await hass.async_block_till_done()
    assert not repairs(hass)
    assert status(hass, load) == LoadStatus.RUNNING


async def test_cannot_be_switched_off(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug
) -> None:
    """A device that stays on after the run is reported until it obeys in the next run."""
    load = await in_mid_run(hass, advance, await linked(), plug)
    plug.disobeys = 5
    await until(advance, moment(hass, load, "next_end"))
    await give_time(IN_VAIN)
    assert plug.value == "on"
    assert status(hass, load) == LoadStatus.UNREACHABLE
    await until_it_runs(hass, advance, load)
    assert status(hass, load) == LoadStatus.RUNNING
    assert not repairs(hass)
    await until(advance, moment(hass, load, "next_end"))
    assert plug.value == "off"


async def test_one_of_two_disobeys(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug
) -> None:
    """The other device works as usual; the repair names the one that disobeys."""
    other = Plug("Pump", disobeys=1000)
    await plug_in(hass, other)
    load = await in_mid_run(hass, advance, await linked(), plug, other)
    await give_time(IN_VAIN)
    assert plug.value == "on"
    [named] = repairs(hass)
    assert named["entity"] == other.entity_id
    await until(advance, moment(hass, load, "next_end"))
    assert plug.value == other.value == "off"
    assert not repairs(hass)


async def test_unavailable_at_the_start(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug
) -> None:
    """It is reported after a while, and switched once it is back; if no command is due, it is not reported."""
    load = await put(hass, await linked(), devices=[plug.entity_id], **DAYTIME)
    plug.go(away=True)
    plug.commands.clear()
    await until(advance, moment(hass, load, "next_start"))
    assert not repairs(hass)
    await give_time(IN_VAIN)
    assert status(hass, load) == LoadStatus.UNREACHABLE
    assert len(repairs(hass)) == 1
    assert not plug.commands
    plug.go(away=False)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plug.commands == ["on"]
    assert status(hass, load) == LoadStatus.RUNNING
    assert not repairs(hass)


async def test_back_with_the_wrong_state(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """A device that comes back gets the right state: on during a run, off after it."""
    load = await in_mid_run(hass, advance, await linked(), plug)
    plug.go(away=True)
    plug._attr_is_on = False
    await advance(MINUTE)
    plug.go(away=False)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plug.value == "on"
    plug.go(away=True)
    await until(advance, moment(hass, load, "next_end") + MINUTE)
    plug.go(away=False)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plug.value == "off"


async def test_an_entity_that_does_not_exist(
    hass: HomeAssistant, linked, advance: Advance, give_time
) -> None:
    """It is reported by its id, and switched once it exists."""
    entry = await linked()
    load = await put(hass, entry, devices=["switch.plug"], **DAYTIME)
    await give_time(IN_VAIN)
    assert not repairs(hass)
    await until(advance, moment(hass, load, "next_start"))
    await give_time(IN_VAIN)
    [named] = repairs(hass)
    assert named["device"] == "switch.plug"
    late = Plug("Plug")
    await plug_in(hass, late)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert late.value == "on"
    assert not repairs(hass)
    await late.async_remove()
    await give_time(IN_VAIN)
    assert status(hass, load) == LoadStatus.UNREACHABLE


@pytest.mark.parametrize("off", ["away", None])
@pytest.mark.parametrize(
    ("made", "on"), [(Thermostat, "boost"), (Boiler, "performance")]
)
async def test_presets(
    hass: HomeAssistant, linked, advance: Advance, made, on, off
) -> None:
    """After the run, the configured or else the previous preset is set, even after a restart during the run."""
    if made is Boiler and off:
        off = "eco"
    heater = made("Heater")
    await plug_in(hass, heater)
    entry = await linked()
    load = await put(
        hass,
        entry,
        devices=[heater.entity_id],
        preset_on=on,
        preset_off=off,
        **DAYTIME,
    )
    assert heater.value == (off or "eco")
    await until(advance, moment(hass, load, "next_start"))
    assert heater.value == on
    await restart(hass, entry)
    assert heater.value == on
    await until(advance, moment(hass, load, "next_end"))
    assert heater.value == (off or "eco")


async def test_a_preset_that_is_set_by_hand(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """Set during a run, it stays until the end, then the previous one returns; between runs it is left alone."""
    heater = Thermostat("Heater")
    await plug_in(hass, heater)
    load = await in_mid_run(hass, advance, await linked(), heater, preset_on="boost")
    heater.show("away")
    await advance(MINUTE)
    assert heater.value == "away"
    await until(advance, moment(hass, load, "next_end"))
    assert heater.value == "eco"
    await advance(MINUTE)
    heater.show("away")
    await until_it_runs(hass, advance, load)
    assert heater.value == "boost"
    await until(advance, moment(hass, load, "next_end"))
    assert heater.value == "away"


async def test_a_script(hass: HomeAssistant, linked, advance: Advance) -> None:
    """It is started once per run, even if Home Assistant restarts meanwhile."""
    assert await async_setup_component(hass, "counter", {"counter": {"runs": {}}})
    actions = {
        "action": "counter.increment",
        "target": {"entity_id": "counter.runs"},
    }
    scripts = {"wash": {"sequence": [actions]}}
    assert await async_setup_component(hass, "script", {"script": scripts})
    entry = await linked()
    load = await put(hass, entry, devices=["script.wash"], **DAYTIME)

    def counted() -> str:
        return hass.states.get("counter.runs").state

    assert counted() == "0"
    await until(advance, moment(hass, load, "next_start"))
    assert counted() == "1"
    await restart(hass, entry)
    await until(advance, moment(hass, load, "next_end") + MINUTE)
    assert counted() == "1"
    await until_it_runs(hass, advance, load)
    assert counted() == "2"
    assert not repairs(hass)


async def test_unload_while_a_command_hangs(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """A device that never answers delays nothing, and is commanded again."""
    calls = []

    async def hang(call) -> None:
        calls.append(call)
        await asyncio.Event().wait()

    hass.services.async_register("fan", "turn_on", hang)
    hass.services.async_register("fan", "turn_off", hang)
    hass.states.async_set("fan.dryer", "off")
    entry = await linked()
    load = await put(hass, entry, devices=["fan.dryer"], **DAYTIME)
    start = moment(hass, load, "next_start")
    async with asyncio.timeout(20):
        await hass.async_block_till_done()
    assert not calls
    # This does not wait for the hanging command.
    hass.states.async_set("fan.dryer", "unavailable")
    hass.states.async_set("fan.dryer", "on")
    for _ in range(3):
        await asyncio.sleep(0)
    assert [call.service for call in calls] == ["turn_off"]
    assert moment(hass, load, "next_start") == start
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_diagnostics(
    hass: HomeAssistant, linked, plug: Plug, hass_client
) -> None:
    """Diagnostics count devices and commands, but name no device."""
    entry = await linked()
    load = await put(hass, entry, devices=[plug.entity_id], **DAYTIME)
    await press(hass, load, "start_now")
    assert await async_setup_component(hass, "diagnostics", {})
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["loads"][0]["devices"] == {
        "devices": 1,
        "obey": 1,
        "left_alone": 0,
        "reported": 0,
        "commands": 2,
    }
    assert "switch.plug" not in json.dumps(found)


def test_a_thermostat_without_a_preset() -> None:
    """Nothing can be set."""
    data = {**DAYTIME, "devices": ["switch.plug", "climate.heater"]}
    with pytest.raises(ValueError, match="no_preset"):
        LoadSettings.of(data)
    assert LoadSettings.of({**data, "preset_on": "boost"}).preset_on == "boost"
