"""Helpers for flexible loads: forms, states and devices."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.loads.load import SUBENTRY_TYPE
from homeassistant.config_entries import SOURCE_USER, ConfigSubentry
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers import entity_registry as er

QUARTER = timedelta(minutes=15)

DISHWASHER: dict[str, Any] = {
    "name": "Dishwasher",
    "duration": {"hours": 2, "minutes": 15},
    "start": "20:00:00",
    "end": "07:00:00",
    "contiguous": True,
    "power": 1.2,
    "prefer": "early",
}

CAR: dict[str, Any] = {
    "name": "Car",
    "duration": {"hours": 4, "minutes": 0},
    "start": "00:00:00",
    "end": "00:00:00",
    "contiguous": False,
    "power": 11,
    "prefer": "early",
    "min_run": 30,
    "min_pause": 15,
    "max_runs": 3,
}


async def open_form(hass, entry, load_type="other"):
    """Choose the type of load in the dialog; return the step with the form."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_TYPE), context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.MENU
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], {"next_step_id": load_type}
    )


async def fill_in(hass, result, settings):
    """Submit the form, with each setting in its section; return the result."""
    assert result["type"] is FlowResultType.FORM
    filled, left = {}, dict(settings)
    for key, field in result["data_schema"].schema.items():
        if isinstance(field, section):
            inner = [str(one) for one in field.schema.schema if str(one) in left]
            filled[str(key)] = {one: left.pop(one) for one in inner}
        elif str(key) in left:
            filled[str(key)] = left.pop(str(key))
    assert not left, "not asked for"
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], filled
    )


async def add(hass, entry, settings=DISHWASHER, **changes):
    """Add a load through the form; return its subentry's id. ``type`` is the type of load."""
    filled = {
        key: value for key, value in (settings | changes).items() if value is not None
    }
    before = set(entry.subentries)
    result = await open_form(hass, entry, filled.pop("type", "other"))
    result = await fill_in(hass, result, filled)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    [new] = set(entry.subentries) - before
    return new


async def put(hass, entry, name="Dishwasher", **data):
    """Add a load without the form; return its subentry's id."""
    subentry = ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type=SUBENTRY_TYPE,
        title=name,
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    await hass.async_block_till_done(wait_background_tasks=True)
    return subentry.subentry_id


async def press(hass, load_id, key):
    """Press a button of a load."""
    target = {"entity_id": shown(hass, load_id, key, "button").entity_id}
    await hass.services.async_call("button", "press", target, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)


async def switch(hass, load_id, on):
    """Turn the switch *Planned* of a load on or off."""
    target = {"entity_id": shown(hass, load_id, "planned", "switch").entity_id}
    name = "turn_on" if on else "turn_off"
    await hass.services.async_call("switch", name, target, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)


async def record_runs(hass, advance, load_id, end, step=QUARTER):
    """Advance to an instant, stopping at all planned changes; return the runs as pairs of start and end."""
    runs, on_since = [], None
    while (left := end - datetime.now(UTC)) > timedelta():
        if runs_now(hass, load_id):
            on_since = on_since or datetime.now(UTC)
        elif on_since:
            runs.append((on_since, datetime.now(UTC)))
            on_since = None
        change = [
            at - datetime.now(UTC)
            for run in shown(hass, load_id, "run_now", "binary_sensor").attributes[
                "runs"
            ]
            for at in map(datetime.fromisoformat, (run["start"], run["end"]))
            if at > datetime.now(UTC)
        ]
        await advance(min(step, left, *change))
    if on_since:
        runs.append((on_since, datetime.now(UTC)))
    return runs


def suggested(result):
    """Return the suggested values of a form, flattened across sections."""
    found: dict[str, Any] = {}
    for key, field in result["data_schema"].schema.items():
        if isinstance(field, section):
            found |= suggested({"data_schema": field.schema})
        elif key.description:
            found[str(key)] = key.description["suggested_value"]
        elif callable(key.default):
            found[str(key)] = key.default()
    return found


def expanded_sections(result):
    """Return the expanded sections of a form."""
    return [
        str(key)
        for key, field in result["data_schema"].schema.items()
        if isinstance(field, section) and not field.options["collapsed"]
    ]


def shown(hass, load_id, key, platform="sensor"):
    """Return the state of a load's entity."""
    entity_id = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{load_id}_{key}"
    )
    assert entity_id, key
    return hass.states.get(entity_id)


def moment(hass, load_id, key):
    """Return the state of a timestamp sensor."""
    return datetime.fromisoformat(shown(hass, load_id, key).state)


def runs_now(hass, load_id):
    """Return whether *Run now* is on."""
    return shown(hass, load_id, "run_now", "binary_sensor").state == "on"


def status(hass, load_id):
    """Return the load's status."""
    return shown(hass, load_id, "status").state


def table_of(entry):
    """Return the price table of the account's only contract."""
    return next(iter(entry.runtime_data.prices.values())).data


async def until(advance, instant):
    """Advance to an instant by quarter-hours, the last step being exact."""
    while (left := instant - datetime.now(UTC)) > timedelta():
        await advance(min(QUARTER, left))
