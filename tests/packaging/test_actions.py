"""Tests of the actions: the form, the schema and the texts."""

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


def test_all_are_there(texts: Tree) -> None:
    """Actions, texts and icons match."""
    actions = SCHEMAS.keys() | LOAD_ACTIONS
    assert ACTIONS.keys() == actions == texts["services"].keys()
    assert read_json(INTEGRATION / "icons.json")["services"].keys() == actions


@pytest.mark.parametrize("name", sorted(LOAD_ACTIONS))
def test_actions_on_loads(name: str, texts: Tree) -> None:
    """They have a target and no field."""
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
    for field, config in ACTIONS[name]["fields"].items():
        selector(config["selector"])
        if "default" in config:
            assert config["default"] == defaults[field]
        if (example := config.get("example")) is not None and field != "profile":
            assert schema({field: example})


def test_one_name_for_one_thing(texts: Tree) -> None:
    """A field of the form of a flexible load has the same name in the action that plans a load."""
    fields = texts["services"]["plan"]["fields"]
    others = {"start": "earliest", "end": "latest"}
    for step in texts["config_subentries"]["load"]["step"].values():
        shared = {
            key: (name, fields[field]["name"])
            for key, name in step["data"].items()
            if (field := others.get(key, key)) in fields
        }
        assert len(shared) == 11
        assert not {key: names for key, names in shared.items() if len({*names}) > 1}


def test_options(texts: Tree) -> None:
    """The schema accepts every choice, each has a name, and there are no other names."""
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
            if kind == "object":
                assert texts["selector"][key]["fields"].keys() == (
                    options["fields"].keys()
                )
            used |= {key} if key else set()
    assert {"format", "prefer", "profile", "resolution"} <= used
