"""Tests of the examples in docs/card.md and of the list of prices in docs/entities.md."""

from datetime import timedelta
import json
from pathlib import Path
import shutil
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service
import yaml

from homeassistant.components.lovelace.const import LOVELACE_DATA
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from tests.integration.helpers import Advance
from tests.integration.recipes import PROJECT, blocks
from tests.node import run_node

FRONTEND = PROJECT / "custom_components" / "nomos" / "frontend"
CHECK = """
import { readFileSync } from "node:fs";
import { checkConfig } from "./config.js";
for (const config of JSON.parse(readFileSync(0, "utf8"))) checkConfig(config);
"""


async def test_cards(hass: HomeAssistant, linked, tmp_path: Path) -> None:
    """The card accepts the examples, they refer to a price, and the frontend knows the dashboard's strategy."""
    await linked()
    examples = [parse_yaml(block) for block in blocks("docs/card.md")]
    dashboard, *cards = [one for one in examples if {"strategy", "type"} & set(one)]
    assert dashboard == {"strategy": {"type": "custom:nomos"}}
    strategy = (FRONTEND / "nomos-dashboard.js").read_text()
    assert '"ll-strategy-dashboard-nomos"' in strategy
    assert len(cards) == 3
    for card in cards:
        assert isinstance(card, dict)
        assert card["type"] == "custom:nomos-price-card"
        assert hass.states.get(card["entity"]).attributes["prices_today"]
    folder = tmp_path / "frontend"
    shutil.copytree(FRONTEND, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "check.js").write_text(CHECK)
    run_node("check.js", given=json.dumps(cards), cwd=folder)


async def test_line_in_yaml(hass: HomeAssistant, linked, hass_client_no_auth) -> None:
    """Home Assistant accepts the line for resources in YAML, and its URL is served."""
    [example] = [one for one in blocks("docs/card.md") if "lovelace" in one]
    config: Any = parse_yaml(example)
    assert await async_setup_component(hass, "lovelace", config)
    assert await async_setup_component(hass, "frontend", config)
    await linked()
    [line] = hass.data[LOVELACE_DATA].resources.async_items()
    assert line["type"] == "module"
    client = await hass_client_no_auth()
    assert (await client.get(line["url"])).status == 200


async def test_pictures(
    hass: HomeAssistant, linked, advance: Advance, hass_client, tmp_path: Path
) -> None:
    """The notification refers to an existing picture, and e-paper gets the same one as a file."""
    await linked()
    notification, snapshot = [
        parse_yaml(one) for one in blocks("docs/card.md") if one.startswith("action:")
    ]
    assert isinstance(notification, dict)
    assert isinstance(snapshot, dict)
    entity = snapshot["target"]["entity_id"]
    er.async_get(hass).async_update_entity(entity, disabled_by=None)
    await advance(timedelta(seconds=31))  # Home Assistant reloads the account.
    file = tmp_path / Path(snapshot["data"]["filename"]).name
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    snapshot["data"]["filename"] = str(file)
    sent = async_mock_service(hass, *notification["action"].split("."))
    config = {"script": {"show": {"sequence": [notification, snapshot]}}}
    assert await async_setup_component(hass, "script", config)
    await hass.services.async_call("script", "show", blocking=True)
    [call] = sent
    client = await hass_client()
    shown = await client.get(call.data["data"]["image"])
    assert await shown.read() == file.read_bytes()
    assert file.read_bytes().startswith(b"\x89PNG")


async def test_price_in_cents(
    hass: HomeAssistant, nomos, subscription, linked, advance: Advance
) -> None:
    """The template sensor has the current price in cents, and is available whenever the price is."""
    await linked()
    example, _ = blocks("docs/entities.md")
    config: Any = parse_yaml(example)
    assert await async_setup_component(hass, "template", config)
    await hass.async_block_till_done()
    ours = "sensor.nomos_current_price"
    for at in range(3):
        await advance(timedelta(minutes=15 * at))
        euros, cents = hass.states.get(ours), hass.states.get("sensor.price_in_cents")
        assert float(cents.state) == pytest.approx(100 * float(euros.state), abs=5e-5)
        assert cents.attributes["unit_of_measurement"] == "ct/kWh"
    hass.states.async_set(ours, STATE_UNAVAILABLE)
    await hass.async_block_till_done()
    assert hass.states.get("sensor.price_in_cents").state == STATE_UNAVAILABLE


async def test_list_of_prices(hass: HomeAssistant, linked) -> None:
    """The current price has the attributes that the page shows."""
    await linked()
    _, block = blocks("docs/entities.md")
    shown: Any = yaml.safe_load(block)
    attributes = hass.states.get("sensor.nomos_current_price").attributes
    assert {name: attributes[name] for name in shown}.keys() == shown.keys()
    [row] = shown["prices_today"]
    for one in attributes["prices_today"]:
        assert {key: type(value) for key, value in one.items()} == {
            key: type(value) for key, value in row.items()
        }
    assert attributes["prices_today"][0]["start"] == row["start"]
    assert attributes["prices_tomorrow"] == shown["prices_tomorrow"] == []
