"""Tests of every blueprint as Home Assistant imports it."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
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
from tests.integration.blueprints import ENGLISH, FILES, FOLDER, install

REPOSITORY = "nomos-home-assistant/nomos"
IN_REPOSITORY = "blueprints/automation/nomos"
DOCS = FOLDER.parents[2] / "docs"
TRANSLATIONS = FOLDER.parents[2] / "custom_components" / "nomos" / "translations"

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


def test_languages() -> None:
    """Each blueprint exists in English and in German."""
    assert {path.stem.removesuffix(".de") for path in FILES} == {
        "cheapest_window",
        "battery_plan",
        "feed_in_high_payout",
        "heat_pump",
        "negative_price",
        "tomorrow_notification",
    }
    assert len(FILES) == 2 * len(ENGLISH)


def language_of(path: Path) -> str:
    """Return the language of a blueprint."""
    return "de" if path.stem.endswith(".de") else "en"


def without_texts(node: Any) -> Any:
    """Return part of a blueprint without texts and without its own URL."""
    match node:
        case dict():
            texts = {"alias", "author", "description", "label", "name", "source_url"}
            return {k: without_texts(v) for k, v in node.items() if k not in texts}
        case list():
            return [without_texts(one) for one in node]
        case _:
            return node


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_german_differs_in_texts_only(path: Path) -> None:
    """The German blueprint has the same inputs, triggers and actions, but its own texts."""
    german = load(path.with_suffix(".de.yaml"))
    english = load(path)
    assert without_texts(german.data) == without_texts(english.data)
    assert without_texts({"name": "a", "b": [1]}) == {"b": [1]}
    assert german.metadata["description"] != english.metadata["description"]


@each
def test_entity_names(path: Path) -> None:
    """Quoted names are those of entities in the language of the blueprint."""
    language = language_of(path)
    texts = json.loads((TRANSLATIONS / f"{language}.json").read_text())
    names = {
        about["name"]
        for entities in texts["entity"].values()
        for about in entities.values()
    }
    blueprint = load(path)
    said = [blueprint.metadata["description"]] + [
        about["description"] for about in blueprint.inputs.values()
    ]
    quotes = {"en": r'"(.*?)"', "de": "„(.*?)“"}[language]
    quoted = {name for text in said for name in re.findall(quotes, text)}
    assert quoted <= names
    assert quoted or "device" in json.dumps(blueprint.data["triggers"], default=str)


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
    """Home Assistant imports the blueprint from its URL and saves the same blueprint."""
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
async def test_defaults_are_sufficient(hass: HomeAssistant, path: Path) -> None:
    """Home Assistant accepts an automation with only those inputs that have no default."""
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


@pytest.mark.parametrize(
    ("page", "language"), [("blueprints.md", "en"), ("blueprints.de.md", "de")]
)
def test_page(page: str, language: str) -> None:
    """The page names every blueprint of its language with its inputs and its import link."""
    text = (DOCS / page).read_text()
    links = set(re.findall(r"blueprint_url=([^)]+)\)", text))
    blueprints = [load(path) for path in FILES if language_of(path) == language]
    assert links == {
        one.metadata["source_url"].replace(":", "%3A").replace("/", "%2F")
        for one in blueprints
    }
    for one in blueprints:
        title = one.metadata["name"].removeprefix("Nomos - ")
        assert f"## {title[0].upper()}{title[1:]}\n" in text
        for about in one.inputs.values():
            row = f"| {about['name']} | {about['description']} |"
            assert row in text, row
