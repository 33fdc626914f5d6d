"""Tests of the triggers and conditions in the automation editor."""

from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from custom_components.nomos.condition import CONDITIONS
from custom_components.nomos.trigger import TRIGGERS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.condition import async_validate_condition_config
from homeassistant.helpers.entity import entity_sources
from homeassistant.helpers.trigger import async_validate_trigger_config
from homeassistant.setup import async_setup_component
from tests.integration.automation.helpers import crossing, device_of
from tests.integration.helpers import entity_id
from tests.integration.loads.helpers import DISHWASHER, add, shown

OURS: dict[str, dict[str, Any]] = {"trigger": TRIGGERS, "condition": CONDITIONS}

parametrize = pytest.mark.parametrize("kind", OURS)


@pytest.fixture
async def asked(hass: HomeAssistant, hass_ws_client, linked):
    """Return a function that sends the editor's commands to a hub with a linked account."""
    assert await async_setup_component(hass, "websocket_api", {})
    assert await async_setup_component(hass, "frontend", {})
    await linked()
    client = await hass_ws_client(hass)

    async def ask(**message: Any) -> Any:
        await client.send_json_auto_id(message)
        reply = await client.receive_json()
        assert reply["success"], reply
        if message["type"].endswith("/subscribe"):
            reply = await client.receive_json()
            return reply["event"]
        return reply["result"]

    return ask


@parametrize
async def test_all_are_offered(hass: HomeAssistant, asked, kind, caplog) -> None:
    """The editor gets every trigger and condition, with its target and fields."""
    platforms = await asked(type=f"{kind}_platforms/subscribe")
    ours = {key: value for key, value in platforms.items() if key.startswith("nomos.")}
    assert ours.keys() == {f"nomos.{key}" for key in OURS[kind]}
    for description in ours.values():
        assert description["target"]["entity"][0]["integration"] == "nomos"
        assert (
            description["fields"] or description is ours["nomos.lowest_price_started"]
        )
    assert "Unable to parse" not in caplog.text
    assert "Unable to find" not in caplog.text


# The editor cannot distinguish these: it ignores units, and two binary sensors without a class look the same.
FOR_ALL = {
    "trigger": {
        "price_crossed_value",
        "price_turned_negative",
        "tomorrow_prices_arrived",
    },
    "condition": {"among_cheapest_hours", "below_average"},
}
OF_LOADS = {"load_run_started", "load_run_ended"}


@parametrize
async def test_what_a_device_is_offered(
    hass: HomeAssistant, nomos, linked, asked, kind
) -> None:
    """For a chosen device, the editor offers what applies to it: levels for a contract, runs for a load."""
    await linked("solar@example.com")
    buys, sells = nomos.customers["solar@example.com"].subscriptions
    [entry] = (
        one
        for one in hass.config_entries.async_entries("nomos")
        if buys.id in one.runtime_data.prices
    )
    load = shown(hass, await add(hass, entry, DISHWASHER), "run_now", "binary_sensor")
    payout = entity_id(hass, sells.id, "payout")
    registry = er.async_get(hass)
    targets = {
        "buys": device_of(hass, buys),
        "sells": {"device_id": registry.async_get(payout).device_id},
        "load": {"device_id": registry.async_get(load.entity_id).device_id},
    }
    offered = {
        name: {
            key.removeprefix("nomos.")
            for key in await asked(type=f"get_{kind}s_for_target", target=target)
            if key.startswith("nomos.")
        }
        for name, target in targets.items()
    }
    assert offered == {
        "buys": OURS[kind].keys() - OF_LOADS,
        "sells": FOR_ALL[kind],
        # For prices, a load stands for its contract.
        "load": OURS[kind].keys(),
    }


@parametrize
async def test_other_devices_are_offered_nothing(
    hass: HomeAssistant, asked, kind
) -> None:
    """Other integrations have enumerations, prices and running machines, too."""
    others = {
        "sensor.mode": {"device_class": "enum"},
        "sensor.price": {"unit_of_measurement": "EUR/kWh"},
        "binary_sensor.washing": {"device_class": "running"},
    }
    for entity, attributes in others.items():
        hass.states.async_set(entity, "1", attributes)
        entity_sources(hass)[entity] = {"domain": "other"}
    found = await asked(
        type=f"get_{kind}s_for_target", target={"entity_id": list(others)}
    )
    assert not [one for one in found if one.startswith("nomos.")]


@parametrize
async def test_editor_output_is_valid(hass: HomeAssistant, asked, kind) -> None:
    """A configuration is valid with the fields as the editor fills them in."""
    platforms = await asked(type=f"{kind}_platforms/subscribe")
    for key in OURS[kind]:
        fields = platforms[f"nomos.{key}"]["fields"]
        options = {
            name: field["default"]
            for name, field in fields.items()
            if "default" in field
        }
        if "threshold" in fields:
            options["threshold"] = crossing("below", 0.2)
            options["threshold"]["value"]["active_choice"] = "number"
        required = {name for name, field in fields.items() if field["required"]}
        assert options.keys() >= required
        config = {"target": {"device_id": ["a"]}, "options": options}
        if kind == "trigger":
            await async_validate_trigger_config(
                hass, [{"platform": f"nomos.{key}", **config}]
            )
        else:
            await async_validate_condition_config(
                hass, {"condition": f"nomos.{key}", **config}
            )


@parametrize
@pytest.mark.parametrize("language", ["en", "de"])
async def test_texts_and_icons(hass: HomeAssistant, asked, kind, language) -> None:
    """The editor gets names, descriptions and icons."""
    texts = await asked(
        type="frontend/get_translations", language=language, category=f"{kind}s"
    )
    for key in OURS[kind]:
        path = f"component.nomos.{kind}s.{key}"
        assert texts["resources"][f"{path}.name"]
        assert texts["resources"][f"{path}.description"]
    icons = await asked(type="frontend/get_icons", category=f"{kind}s")
    assert icons["resources"]["nomos"].keys() == OURS[kind].keys()


async def test_documented_examples(hass: HomeAssistant) -> None:
    """Every trigger and condition has an example in the documentation, and all examples are valid."""
    text = (Path(__file__).parents[3] / "docs" / "automations.md").read_text()
    blocks = [
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    ]

    def ours(kind: str) -> list[Any]:
        """Return the examples of our own triggers and conditions; tests of the recipes cover the others."""
        found = [one for block in blocks for one in block.get(f"{kind}s", [])]
        return [
            one
            for one in found
            if isinstance(one, dict) and one.get(kind, "").startswith("nomos.")
        ]

    triggers, conditions = ours("trigger"), ours("condition")
    assert {one["trigger"] for one in triggers} == {f"nomos.{key}" for key in TRIGGERS}
    assert {one["condition"] for one in conditions} == {
        f"nomos.{key}" for key in CONDITIONS
    }
    await async_validate_trigger_config(hass, cv.TRIGGER_SCHEMA(triggers))
    for condition in conditions:
        await async_validate_condition_config(hass, cv.CONDITION_SCHEMA(condition))
