"""Tests of entities whose id changes: loads follow."""

from datetime import timedelta

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.helpers import Advance, restart
from tests.integration.loads.appliances import (
    DAYTIME,
    Plug,
    by_hand,
    in_mid_run,
    plug_in,
)
from tests.integration.loads.helpers import moment, press, put, runs_now, shown, until

pytestmark = pytest.mark.usefixtures("german_hub", "entity_registry_enabled_by_default")

MINUTE = timedelta(minutes=1)


def sensor(hass: HomeAssistant, domain: str, name: str) -> str:
    """Register an entity of another integration; return its id."""
    return (
        er.async_get(hass)
        .async_get_or_create(domain, "test", name, suggested_object_id=name)
        .entity_id
    )


async def rename(hass: HomeAssistant, old: str, new: str) -> None:
    """Change an entity's id, as in its settings."""
    er.async_get(hass).async_update_entity(old, new_entity_id=new)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_all_fields_follow(hass: HomeAssistant, linked) -> None:
    """Every field of every load follows; entities that are no longer used are ignored."""
    entry = await linked()
    fields = {
        "charge_sensor": "sensor",
        "target_entity": "number",
        "plugged_sensor": "binary_sensor",
        "ask_sensor": "binary_sensor",
        "energy_sensor": "sensor",
    }
    named = {key: sensor(hass, domain, f"old_{key}") for key, domain in fields.items()}
    one, two = sensor(hass, "switch", "old_one"), sensor(hass, "switch", "old_two")
    data = {"capacity": 60, "power": 11, "repeat": "on_demand", "target": 80, **named}
    loads = [
        await put(hass, entry, name=name, devices=[one, two], **data)
        for name in ("Car", "Second car")
    ]
    for old in (*named.values(), two):
        await rename(hass, old, old.replace("old", "new"))
    for load in loads:
        stored = entry.subentries[load].data
        assert {key: stored[key] for key in named} == {
            key: old.replace("old", "new") for key, old in named.items()
        }
        assert list(stored["devices"]) == [one, "switch.new_two"]
        assert "old_" not in str({**stored, "devices": []})
    hass.states.async_set(
        "sensor.new_charge_sensor", "55", {"unit_of_measurement": "%"}
    )
    await hass.async_block_till_done()
    for load in entry.runtime_data.loads.all.values():
        assert load.sensors.readings.charge.amount == 55


async def test_a_device_in_mid_run(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """It keeps its state, is switched off at the end of the run, and manual switching is still respected."""
    plug = Plug("Plug")
    plug._attr_unique_id = "plug"
    await plug_in(hass, plug)
    entry = await linked()
    load = await in_mid_run(hass, advance, entry, plug)
    end = moment(hass, load, "next_end")
    plug.commands.clear()
    await rename(hass, "switch.plug", "switch.dishwasher")
    assert plug.entity_id == "switch.dishwasher"
    await advance(5 * MINUTE)
    assert (plug.value, plug.commands) == ("on", [])
    assert (runs_now(hass, load), moment(hass, load, "next_end")) == (True, end)
    await by_hand(hass, plug.entity_id, "turn_off")
    await rename(hass, "switch.dishwasher", "switch.washer")
    await restart(hass, entry)
    await advance(5 * MINUTE)
    assert plug.value == "off"
    await press(hass, load, "start_now")
    assert plug.value == "on"
    await until(advance, moment(hass, load, "next_end"))
    assert plug.value == "off"


async def test_a_meter_in_mid_run(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """What it counted before and after the rename counts."""
    unit = {"unit_of_measurement": "kWh"}
    old = sensor(hass, "sensor", "plug_energy")
    hass.states.async_set(old, "100", unit)
    load = await put(hass, await linked(), energy_sensor=old, power=9, **DAYTIME)
    await until(advance, moment(hass, load, "next_start"))
    await advance(10 * MINUTE)
    hass.states.async_set(old, "100.5", unit)
    await hass.async_block_till_done()
    hass.states.async_remove(old)
    await rename(hass, old, "sensor.dishwasher_energy")
    await advance(10 * MINUTE)
    hass.states.async_set("sensor.dishwasher_energy", "101.25", unit)
    await until(advance, moment(hass, load, "next_end"))
    await advance(16 * MINUTE)
    energy = shown(hass, load, "last_cost").attributes["energy"]
    assert energy == pytest.approx(1.25)
