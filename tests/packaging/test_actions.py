"""Tests of the actions: the form, the schema and the texts."""

import json
from typing import Any

import pytest

from custom_components.nomos import services
from homeassistant.helpers.selector import selector
from homeassistant.util.yaml import load_yaml_dict
from tests.packaging import INTEGRATION, Tree, read_json

ACTIONS = load_yaml_dict(str(INTEGRATION / "services.yaml"))
SCHEMAS = {
    "get_prices": services.GET_PRICES_SCHEMA,
    "plan": services.PLAN_SCHEMA,
    "plan_battery": services.PLAN_BATTERY_SCHEMA,
    "refresh": services.REFRESH_SCHEMA,
}
LOAD_ACTIONS = {"start_load", "skip_load"}


@pytest.fixture(name="texts", scope="module", params=["en", "de"])
def texts_fixture(request: pytest.FixtureRequest) -> Tree:
    """Return the texts of a language."""
    return read_json(INTEGRATION / "translations" / f"{request.param}.json")


@pytest.mark.parametrize("name", SCHEMAS)
def test_form_and_schema(name: str, texts: Tree) -> None:
    """The form has exactly the fields of the schema, each with a name and a description."""
    fields = ACTIONS[name]["fields"]
    assert fields.keys() == {str(key) for key in SCHEMAS[name].schema}
    text = texts["services"][name]
    assert text["name"]
    assert text["description"]
    assert text["fields"].keys() == fields.keys()
    for field in text["fields"].values():
        assert field.keys() == {"name", "description"}


def test_all_actions_have_texts_and_icons(texts: Tree) -> None:
    """Actions, texts and icons match."""
    actions = SCHEMAS.keys() | LOAD_ACTIONS
    assert ACTIONS.keys() == actions == texts["services"].keys()
    assert read_json(INTEGRATION / "icons.json")["services"].keys() == actions


@pytest.mark.parametrize("name", sorted(LOAD_ACTIONS))
def test_actions_on_loads(name: str, texts: Tree) -> None:
    """Actions on loads have a target and no field."""
    assert ACTIONS[name].keys() == {"target"}
    assert texts["services"][name].keys() == {"name", "description"}
    selector({"target": ACTIONS[name]["target"]})


@pytest.mark.parametrize("name", SCHEMAS)
def test_defaults_and_examples(name: str) -> None:
    """The schema accepts the form's defaults and examples."""
    schema = SCHEMAS[name]
    defaults = {
        str(key): key.default() for key in schema.schema if callable(key.default)
    }
    fields = ACTIONS[name]["fields"]
    needed = {
        field: config["example"]
        for field, config in fields.items()
        if config.get("required")
    }
    for field, config in fields.items():
        selector(config["selector"])
        if "default" in config:
            assert config["default"] == defaults[field]
        if (example := config.get("example")) is not None:
            rows = "object" in config["selector"] and isinstance(example, str)
            assert schema({**needed, field: json.loads(example) if rows else example})


def test_one_name_for_one_thing(texts: Tree) -> None:
    """A field in the form of a load has the same name in the plan action and among the load's entities."""
    form = texts["config_subentries"]["load"]["step"]["settings"]
    names = {
        (field, name)
        for part in (form, *form["sections"].values())
        for field, name in part["data"].items()
    }
    action = texts["services"]["plan"]["fields"] | {
        "start": texts["entity"]["time"]["load_earliest_start"],
        "end": texts["entity"]["time"]["load_ready_by"],
    }
    shared = {(field, action[field]["name"]) for field, _ in names if field in action}
    assert len(shared) == 12
    assert {(field, name) for field, name in names if field in action} == shared
    assert texts["entity"]["number"]["load_duration"] == {
        "name": action["duration"]["name"]
    }
    assert texts["entity"]["number"]["load_energy_needed"] == {
        "name": action["energy"]["name"]
    }
    assert action["start"]["name"] == action["earliest"]["name"]


def test_options(texts: Tree) -> None:
    """The schema accepts every option, each has a name, and there are no unused names."""
    used: set[str] = set()
    for name, action in ACTIONS.items():
        for field, config in action.get("fields", {}).items():
            kind, options = next(iter(config["selector"].items()))
            key: Any = options and options.get("translation_key")
            if kind == "select":
                for option in options["options"]:
                    assert SCHEMAS[name]({field: option})[field] == option
                if key:
                    names = texts["selector"][key]["options"]
                    assert names.keys() == set(options["options"])
            if kind == "object" and options:
                assert texts["selector"][key]["fields"].keys() == (
                    options["fields"].keys()
                )
            used |= {key} if key else set()
    assert {"format", "forecast", "prefer", "profile", "resolution"} <= used
