"""Tests of the choices in a blueprint's form."""

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.const import DOMAIN, MANUFACTURER
from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.selector import selector
from homeassistant.util import yaml as yaml_util
from tests.integration.battery.helpers import add as add_battery
from tests.integration.blueprints import ENGLISH
from tests.integration.helpers import entity_id
from tests.integration.loads.helpers import add

CONTRACTS = {
    "negative_price": {"consumption", "feed-in"},
    "tomorrow_notification": {"consumption"},
}
"""The kind of contract for each blueprint that asks for one."""

type Options = Mapping[str, Any]


def selectors(kind: str) -> dict[tuple[str, str], Options]:
    """Return the selectors of a kind, by blueprint and input, as Home Assistant sends them to the frontend."""
    found = {}
    for path in ENGLISH:
        inputs = yaml_util.load_yaml_dict(str(path))["blueprint"]["input"]
        for name, about in inputs.items():
            if kind in about["selector"]:
                config = selector(about["selector"]).serialize()["selector"]
                found[path.stem, name] = config[kind]
    return found


def entity_fits(entity: str, wanted: Options, hass: HomeAssistant) -> bool:
    """Return whether an entity passes a filter by its state, as the frontend decides."""
    known = er.async_get(hass).async_get(entity)
    if known is None or (state := hass.states.get(entity)) is None:
        return False
    seen = {
        "integration": known.platform,
        "domain": split_entity_id(entity)[0],
        "device_class": state.attributes.get("device_class"),
    }
    return all(
        seen[key] in (value if isinstance(value, list) else [value])
        for key, value in wanted.items()
    )


def device_fits(device_id: str, options: Options, hass: HomeAssistant) -> bool:
    """Return whether a device is offered, as the frontend decides: all keys of a filter are compared literally."""
    device = dr.async_get(hass).async_get(device_id)
    entities = er.async_entries_for_device(er.async_get(hass), device_id)

    def passes(wanted: Options) -> bool:
        rest = dict(wanted)
        integration = rest.pop("integration", None)
        return (
            integration is None or any(one.platform == integration for one in entities)
        ) and all(getattr(device, key) == value for key, value in rest.items())

    return any(passes(wanted) for wanted in options.get("filter", [{}])) and (
        "entity" not in options
        or any(
            entity_fits(one.entity_id, wanted, hass)
            for one in entities
            for wanted in options["entity"]
        )
    )


@pytest.fixture
async def devices(hass: HomeAssistant, nomos, linked) -> dict[str, str]:
    """Return devices by name: contracts, a load and a battery of an account, and one of another integration."""
    entry = await linked("solar@example.com")
    consumption, feed_in = nomos.customers["solar@example.com"].subscriptions
    load, battery = await add(hass, entry), await add_battery(hass, entry)
    stranger = MockConfigEntry(domain="stranger")
    stranger.add_to_hass(hass)
    registry = dr.async_get(hass)
    other = registry.async_get_or_create(
        config_entry_id=stranger.entry_id,
        identifiers={("stranger", "1")},
        manufacturer=MANUFACTURER,
    )
    ids = {
        "consumption": consumption.id,
        "feed-in": feed_in.id,
        "load": load,
        "battery": battery,
    }
    named = {
        name: registry.async_get_device_by_identifier((DOMAIN, one), entry.entry_id).id
        for name, one in ids.items()
    }
    return named | {"stranger": other.id}


async def test_devices(hass: HomeAssistant, devices: dict[str, str]) -> None:
    """A selector of a contract offers exactly the contracts that the blueprint is for."""
    registry = dr.async_get(hass)
    assert set(devices.values()) == {one.id for one in registry.devices}
    asking = selectors("device")
    assert {blueprint for blueprint, _ in asking} == CONTRACTS.keys()
    for (blueprint, _), options in asking.items():
        offered = {
            name for name, one in devices.items() if device_fits(one, options, hass)
        }
        assert offered == CONTRACTS[blueprint], blueprint


async def test_entities(hass: HomeAssistant, nomos, devices: dict[str, str]) -> None:
    """A selector of a Nomos entity offers exactly the intended one."""
    consumption, feed_in = nomos.customers["solar@example.com"].subscriptions
    registry = er.async_get(hass)
    [run_now] = (
        one.entity_id
        for one in er.async_entries_for_device(registry, devices["load"])
        if one.unique_id.endswith("_run_now")
    )
    [mode] = (
        one.entity_id
        for one in er.async_entries_for_device(registry, devices["battery"])
        if one.unique_id.endswith("_mode")
    )
    meant = {
        ("cheapest_window", "run_now"): run_now,
        ("battery_plan", "mode"): mode,
        ("feed_in_high_payout", "payout"): entity_id(hass, feed_in.id, "payout"),
        ("heat_pump", "price_level"): entity_id(hass, consumption.id, "price_level"),
    }
    asking = {
        key: options["filter"]
        for key, options in selectors("entity").items()
        if any(one.get("integration") == DOMAIN for one in options["filter"])
    }
    assert asking.keys() == meant.keys()
    for key, filters in asking.items():
        assert any(entity_fits(meant[key], wanted, hass) for wanted in filters), key
