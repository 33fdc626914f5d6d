"""Tests of every blueprint as Home Assistant imports it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from homeassistant.components.automation.config import (
    AUTOMATION_BLUEPRINT_SCHEMA,
    async_validate_config_item,
)
from homeassistant.components.blueprint.importer import fetch_blueprint_from_url
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import selector
from homeassistant.util import yaml as yaml_util
from tests.integration.blueprints import FILES, FOLDER, install

REPOSITORY = "nomos-home-assistant/nomos"
IN_REPOSITORY = "blueprints/automation/nomos"
PAGE = FOLDER.parents[2] / "docs" / "blueprints.md"

each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def load(path: Path) -> Blueprint:
    """Return a blueprint that passes the schemas of blueprints and of automations."""
    data = yaml_util.load_yaml_dict(path)
    return Blueprint(
        data,
        path=str(path),
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )


def test_there_are_blueprints() -> None:
    """There is at least one blueprint."""
    assert {path.stem for path in FILES} == {
        "cheapest_window",
        "battery_plan",
        "feed_in_high_payout",
        "heat_pump",
        "negative_price",
        "tomorrow_notification",
    }


@each
def test_metadata(path: Path) -> None:
    """A blueprint has a description, a source and the required version."""
    blueprint = load(path)
    assert blueprint.validate() is None
    about = blueprint.metadata
    assert about["name"].startswith("Nomos - ")
    assert about["description"]
    assert about["homeassistant"] == {"min_version": "2026.10.0"}
    assert about["source_url"] == (
        f"https://github.com/{REPOSITORY}/blob/main/{IN_REPOSITORY}/{path.name}"
    )


@each
def test_inputs(path: Path) -> None:
    """Every input is used, described, and has a selector that accepts its default."""
    blueprint = load(path)
    body = {key: value for key, value in blueprint.data.items() if key != "blueprint"}
    assert yaml_util.extract_inputs(body) == set(blueprint.inputs)
    for name, about in blueprint.inputs.items():
        assert about["name"], name
        assert about["description"].endswith("."), name
        chosen: Any = selector(about["selector"])
        if "default" in about:
            chosen(about["default"])


@each
async def test_import(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker, path: Path
) -> None:
    """Home Assistant loads the blueprint from its address and saves the same blueprint."""
    text = await hass.async_add_executor_job(path.read_text)
    aioclient_mock.get(
        f"https://raw.githubusercontent.com/{REPOSITORY}/main/{IN_REPOSITORY}/{path.name}",
        text=text,
    )
    url = load(path).metadata["source_url"]
    imported = await fetch_blueprint_from_url(hass, url)
    assert imported.suggested_filename == f"nomos-home-assistant/{path.stem}"
    assert imported.blueprint.validate() is None
    saved = yaml_util.parse_yaml(imported.blueprint.yaml())
    assert isinstance(saved, dict)
    assert Blueprint(saved, schema=BLUEPRINT_SCHEMA).data == imported.blueprint.data


def placeholders(blueprint: Blueprint) -> Iterator[tuple[str, Any]]:
    """Yield a value for every input without a default."""
    for name, about in blueprint.inputs.items():
        if "default" in about:
            continue
        [[kind, options]] = about["selector"].items()
        value: Any = {"device": "0" * 32, "action": []}.get(kind)
        if kind == "entity":
            value = "input_boolean.one"
            if options.get("multiple"):
                value = [value]
        assert value is not None, name
        yield name, value


@each
async def test_defaults_make_an_automation(hass: HomeAssistant, path: Path) -> None:
    """With only the inputs that have no default, Home Assistant accepts the automation."""
    await hass.async_add_executor_job(install, hass)
    inputs = dict(placeholders(load(path)))
    config = {
        "id": "one",
        "alias": "one",
        "use_blueprint": {"path": f"nomos/{path.name}", "input": inputs},
    }
    validated = await async_validate_config_item(hass, "one", config)
    assert validated is not None
    assert validated.validation_error is None


def test_page() -> None:
    """The page names every blueprint with its inputs and its import link."""
    page = PAGE.read_text()
    for path in FILES:
        blueprint = load(path)
        url = blueprint.metadata["source_url"]
        encoded = url.replace(":", "%3A").replace("/", "%2F")
        assert (
            f"https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url={encoded}"
            in page
        )
        for about in blueprint.inputs.values():
            assert f"| {about['name']} |" in page, (path.stem, about["name"])
