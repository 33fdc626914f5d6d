"""Tests of triggers and conditions in the automation editor: fields, texts and icons."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from custom_components.nomos.condition import CONDITIONS
from custom_components.nomos.trigger import TRIGGERS
from homeassistant.helpers.selector import selector
from tests.packaging import INTEGRATION, Tree, read_json

OURS: dict[str, dict[str, Any]] = {"triggers": TRIGGERS, "conditions": CONDITIONS}

parametrize = pytest.mark.parametrize("kind", OURS)


def described(kind: str) -> Tree:
    """Return the description of triggers or conditions."""
    tree = yaml.safe_load((INTEGRATION / f"{kind}.yaml").read_text())
    assert isinstance(tree, dict)
    return tree


def text_faults(description: Tree, texts: Tree, selectors: Tree) -> Iterator[str]:
    """Yield texts without a field, and fields without a text."""
    for missing in {"name", "description"} - texts.keys():
        yield f"no {missing}"
    field_texts = texts.get("fields", {})
    for name in description["fields"].keys() ^ field_texts.keys():
        yield f"{name}: described in one place only"
    for name in description["fields"].keys() & field_texts.keys():
        yield from (
            f"{name}: no {missing}"
            for missing in {"name", "description"} - field_texts[name].keys()
        )
        choice = description["fields"][name]["selector"].get("select")
        if choice is not None:
            options = selectors.get(choice["translation_key"], {}).get("options", {})
            yield from (
                f"{name}: no text for {option}"
                for option in set(choice["options"]) - options.keys()
            )


@parametrize
def test_all_are_described(kind: str) -> None:
    """Each is described with its fields, and Home Assistant accepts their selectors."""
    descriptions = described(kind)
    assert descriptions.keys() == OURS[kind].keys()
    for description in descriptions.values():
        assert all(
            one["integration"] == "nomos" for one in description["target"]["entity"]
        )
        for field in description["fields"].values():
            selector(field["selector"])
            assert field["required"] in {True, False}


@parametrize
def test_all_have_texts(kind: str) -> None:
    """Each of them, each field and each choice has a text, and there are no other texts."""
    english = read_json(INTEGRATION / "translations" / "en.json")
    assert english[kind].keys() == OURS[kind].keys()
    wrong = [
        f"{name}: {fault}"
        for name, description in described(kind).items()
        for fault in text_faults(description, english[kind][name], english["selector"])
    ]
    assert not wrong


@parametrize
def test_all_have_icons(kind: str) -> None:
    """Each has an icon, and there are no other icons."""
    icons = read_json(INTEGRATION / "icons.json")[kind]
    assert icons.keys() == OURS[kind].keys()
    assert all(icon.keys() == {kind.removesuffix("s")} for icon in icons.values())


@pytest.mark.parametrize(
    ("texts", "faults"),
    [
        ({}, ["a: described in one place only", "no description", "no name"]),
        (
            {"name": "A", "description": "B", "fields": {"a": {"name": "C"}}},
            ["a: no description", "a: no text for y"],
        ),
    ],
)
def test_missing_texts_are_found(texts: dict[str, Any], faults: list[str]) -> None:
    """The check of texts can fail."""
    choice = {"select": {"translation_key": "k", "options": ["x", "y"]}}
    description = {"fields": {"a": {"selector": choice}}}
    selectors = {"k": {"options": {"x": "X"}}}
    assert sorted(text_faults(description, texts, selectors)) == faults
