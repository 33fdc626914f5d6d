"""Tests of devices that loads switch: they follow the runs, and those who switch them by hand are respected."""

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
    """What is on while its load waits is switched off, and goes on and off with the run; more is not commanded."""
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


async def test_a_device_of_a_load_that_nobody_asked_for(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """It is left alone until somebody asks: then it waits with the load, also if it is on."""
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
    """Start now switches at once, and off to the second; Skip does, too."""
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
async def test_disobeys_twice(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug, pretends
) -> None:
    """A command that got lost is repeated, and nothing is reported."""
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
    """After five commands a repair and the status say so, until the device is as it should be."""
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
    """A device that stays on after the run is reported; one that obeys the next run is not any more."""
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
    """The other one is switched as ever; the repair names the one."""
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
    """It is reported after a while, and switched as soon as it is back; while nothing is wanted of it, nobody hears of it."""
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
    """A device that comes back is brought into line: on in mid-run, off after it."""
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
    """It is reported by its id, and switched once it is there."""
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
    """The one for the run, and then the one that is set or was there before, also after a restart in between."""
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
    """In mid-run it stays until the end, and then the one from before the run comes back; between runs it is nobody's."""
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
    """It is started once a run, also if Home Assistant restarts meanwhile."""
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
    """A device that never answers holds nothing up, and is asked again."""
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
    # Here nobody waits for what hangs.
    hass.states.async_set("fan.dryer", "unavailable")
    hass.states.async_set("fan.dryer", "on")
    for _ in range(3):
        await asyncio.sleep(0)
    assert [call.service for call in calls] == ["turn_off"]
    assert moment(hass, load, "next_start") == start
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_what_support_reads(
    hass: HomeAssistant, linked, plug: Plug, hass_client
) -> None:
    """Diagnostics count devices and commands, and name none."""
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
    """There is nothing to set it to."""
    data = {**DAYTIME, "devices": ["switch.plug", "climate.heater"]}
    with pytest.raises(ValueError, match="no_preset"):
        LoadSettings.of(data)
    assert LoadSettings.of({**data, "preset_on": "boost"}).preset_on == "boost"
