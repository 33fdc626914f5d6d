"""Tests of texts, their placeholders, and icons."""

import ast
from collections.abc import Iterator
import importlib
from pathlib import Path
import re
import string
from typing import Any

import pytest

from custom_components.nomos.loads.fields import FIELD_OF, LoadType, load_form
from homeassistant.const import Platform
from homeassistant.helpers.entity import EntityDescription
from tests.packaging import INTEGRATION, PROJECT, Tree, leaves, read_json

TRANSLATIONS = INTEGRATION / "translations"
# Home Assistant's own translations cover these reasons.
SHARED_REASONS = {
    "already_in_progress",
    "reauth_successful",
    "reconfigure_successful",
    "single_instance_allowed",
}
# What hassfest accepts as a key.
KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return {
        name for _, name, _, _ in string.Formatter().parse(text) if name is not None
    }


def text_faults(path: str, text: Any) -> Iterator[str]:
    """Yield what hassfest would reject in a translated text."""
    if not isinstance(text, str):
        yield f"{path}: is no text"
        return
    if not text or text != text.strip():
        yield f"{path}: empty, or blanks at an end"
    if re.search(r"<[a-zA-Z/!]", text):
        yield f"{path}: HTML"
    if re.search(r"https?://|www\.", text):
        yield f"{path}: an address; pass it as a placeholder"
    if re.search(r"'\{\w*\}'", text):
        yield f"{path}: a placeholder in single quotes"
    try:
        names = placeholders(text)
    except ValueError as error:
        yield f"{path}: {error}"
        return
    if wrong := [name for name in names if not name.isidentifier()]:
        yield f"{path}: {wrong} cannot be placeholders"
    if names and (".state." in path or path.endswith(".unit_of_measurement")):
        yield f"{path}: a placeholder in a state or unit"


@pytest.fixture(name="english", scope="module")
def english_fixture() -> Tree:
    """Return the English texts."""
    return read_json(TRANSLATIONS / "en.json")


@pytest.mark.parametrize(
    "path", sorted(TRANSLATIONS.glob("*.json")), ids=lambda path: path.stem
)
def test_texts(path: Path) -> None:
    """Hassfest accepts every text and every key."""
    tree = read_json(path)
    found = list(leaves(tree))
    assert found
    assert not [fault for where, text in found for fault in text_faults(where, text)]
    keys = {key for where, _ in found for key in where.split(".")}
    assert not {key for key in keys if not KEY.fullmatch(key)}


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("price_level", True),
        ("2026-10", True),
        ("Price", False),
        ("price level", False),
        ("_price", False),
        ("price-", False),
        ("price__level", False),
        ("price_-level", False),
        ("", False),
    ],
)
def test_wrong_keys_are_found(key: str, good: bool) -> None:
    """Separators are single, and not at either end."""
    assert bool(KEY.fullmatch(key)) == good


def test_languages_have_the_same_keys(english: Tree) -> None:
    """German has exactly the keys and placeholders of English."""
    german = dict(leaves(read_json(TRANSLATIONS / "de.json")))
    expected = dict(leaves(english))
    assert german.keys() == expected.keys()
    wrong = [
        where
        for where, text in expected.items()
        if placeholders(text) != placeholders(german[where])
    ]
    assert not wrong


# "Sie" within a sentence, or after an imperative, is the formal address; at a sentence's start it may mean "they".
FORMAL = re.compile(
    r"(?<=[a-zäöüß,] )Sie\b|\bIhr(?:e[mnrs]?)?\b|\bIhnen\b|\bSie (?:haben|brauchen|können|sich)\b"
)


def german_texts() -> Iterator[tuple[str, str]]:
    """Yield all German texts with their places."""
    yield from leaves(read_json(TRANSLATIONS / "de.json"))
    pages = (*PROJECT.glob("*.de.md"), *PROJECT.glob("docs/*.de.md"))
    assert len(pages) == 13
    for path in (*pages, *INTEGRATION.glob("frontend/*.js")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            yield f"{path.name}:{number}", line


def test_german_says_du() -> None:
    """Our texts use "du", as Home Assistant's own do."""
    assert not [where for where, text in german_texts() if FORMAL.search(text)]


@pytest.mark.parametrize(
    ("text", "formal"),
    [
        ("Bitte versuchen Sie es noch einmal.", True),
        ("Bitte prüfe die Verbindung Ihres Hubs.", True),
        ("Sie haben sich angemeldet.", True),
        ("Nicht nötig: Sie kommen von selbst.", False),
        ("Lösche sie und gib sie neu ein.", False),
    ],
)
def test_formal_german_is_found(text: str, formal: bool) -> None:
    """The formal address is distinguished from "sie" for others."""
    assert bool(FORMAL.search(text)) == formal


def test_no_core_strings() -> None:
    """There is no strings.json: it is for core, and would show raw keys in a custom integration."""
    assert not (INTEGRATION / "strings.json").exists()


def forms(texts: Tree) -> Iterator[tuple[str, Tree]]:
    """Yield every step of every flow, and every section of one, with its path."""
    flows = {
        "config": texts["config"],
        "options": texts["options"],
        **texts["config_subentries"],
    }
    for flow, tree in flows.items():
        for step, form in tree["step"].items():
            yield f"{flow}.{step}", form
            for name, section in form.get("sections", {}).items():
                yield f"{flow}.{step}.{name}", section


def test_form_descriptions_describe_fields(english: Tree) -> None:
    """Every field is described, and every field that is described exists."""
    described = dict(forms(english))
    assert described.keys() >= {"options.init", "load.settings", "load.settings.when"}
    for where, form in described.items():
        fields = form.get("data", {}).keys()
        assert form.get("data_description", {}).keys() == fields, where


def constants(path: Path) -> set[str]:
    """Return the string constants of a source file."""
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def keyword_values(path: Path, keyword: str) -> set[str]:
    """Return the string constants that calls in a source file pass as a keyword."""
    return {
        node.value.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword)
        and node.arg == keyword
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def test_reasons_are_translated(english: Tree) -> None:
    """Every reason with which a flow is aborted has a text."""
    for name, flow in (
        ("config_flow.py", english["config"]),
        ("prices/subentry.py", english["config_subentries"]["load"]),
        ("prices/subentry.py", english["config_subentries"]["battery"]),
    ):
        reasons = keyword_values(INTEGRATION / name, "reason")
        assert reasons
        # Home Assistant's own sentences are for flows of an integration, not for those of its subentries.
        shared = SHARED_REASONS if flow is english["config"] else set()
        assert reasons <= flow["abort"].keys() | shared
    for kind in ("load", "battery"):
        texts = english["config_subentries"][kind]["abort"]
        assert "reconfigure_successful" in texts


def test_errors_of_settings_have_a_text_and_a_field(english: Tree) -> None:
    """Every error in a load's settings has a text, and is shown at the field or section that causes it."""
    source = (INTEGRATION / "loads" / "settings.py").read_text()
    refused = set(re.findall(r'ValueError\("([a-z_]+)"\)', source))
    assert len(refused) >= 6
    texts = english["config_subentries"]["load"]["error"]
    assert refused | {"name_unfit", "preset_unfit", "out_of_range"} <= texts.keys()
    form = load_form(LoadType.CAR, {}, sun=True)
    assert not {one for one in refused if form.mistake(one, FIELD_OF).place == "base"}


def test_exceptions_are_translated_and_used(english: Tree) -> None:
    """Every error that is raised has a text, and there are no unused texts."""
    # Entities and devices pass translation keys of another section.
    others = {
        "binary_sensor.py",
        "calendar.py",
        "controls.py",
        "sensors.py",
        "entity.py",
        "entities.py",
        "fields.py",
        "runtime.py",
    }
    paths = list(INTEGRATION.rglob("*.py"))
    raised = {
        key
        for path in paths
        if path.name not in others
        for key in keyword_values(path, "translation_key")
    }
    assert raised <= english["exceptions"].keys()
    said = {text for path in paths for text in constants(path)}
    assert english["exceptions"].keys() <= said


def described_entities() -> Iterator[tuple[str, EntityDescription]]:
    """Yield platform and description of every entity."""
    for path in INTEGRATION.rglob("*.py"):
        name = ".".join(path.relative_to(INTEGRATION).with_suffix("").parts)
        if "EntityDescription" not in path.read_text():
            continue
        module = importlib.import_module(f"custom_components.nomos.{name}")
        for value in vars(module).values():
            for item in value if isinstance(value, tuple | list) else [value]:
                if (platform := platform_of(item)) is not None:
                    assert item.translation_key, item.key
                    yield platform.value, item


def platform_of(item: object) -> Platform | None:
    """Return the platform of an entity description; None for anything else."""
    # Compare names: Home Assistant replaces the class of a description that is not subclassed.
    names = [kind.__name__ for kind in type(item).__mro__]
    for name, platform in (
        ("BinarySensorEntityDescription", Platform.BINARY_SENSOR),
        ("ButtonEntityDescription", Platform.BUTTON),
        ("ImageEntityDescription", Platform.IMAGE),
        ("NumberEntityDescription", Platform.NUMBER),
        ("SensorEntityDescription", Platform.SENSOR),
        ("SwitchEntityDescription", Platform.SWITCH),
        ("TimeEntityDescription", Platform.TIME),
    ):
        if name in names:
            return platform
    is_described = any(name.endswith("EntityDescription") for name in names)
    return Platform.CALENDAR if is_described else None


def test_entities_are_named_and_have_icons(english: Tree) -> None:
    """Every entity has a name, and every name and icon belongs to an entity."""
    entities = {
        (platform, one.translation_key) for platform, one in described_entities()
    }
    assert entities
    icons = read_json(INTEGRATION / "icons.json")
    for tree in (english, icons):
        named = {
            (platform, key) for platform, keys in tree["entity"].items() for key in keys
        }
        assert named == entities
    assert all(text.startswith("mdi:") for _, text in leaves(icons))
    for keys in icons["entity"].values():
        for key, icon in keys.items():
            assert icon["default"] not in icon.get("state", {}).values(), key


@pytest.mark.parametrize("language", ["en", "de"])
def test_binary_sensors_have_their_own_state_texts(language: str) -> None:
    """They do not use those of a device class, which are about machines, not plans."""
    texts = read_json(TRANSLATIONS / f"{language}.json")["entity"]["binary_sensor"]
    classed = [
        str(one.translation_key)
        for platform, one in described_entities()
        if platform == Platform.BINARY_SENSOR and one.device_class
    ]
    assert classed
    for key in classed:
        assert texts[key]["state"].keys() == {"on", "off"}


@pytest.mark.parametrize(
    "text",
    [
        " blank",
        "",
        "<b>bold</b>",
        "see https://example.com",
        "{not closed",
        "{two words}",
        "the '{name}'",
        None,
    ],
)
def test_wrong_texts_are_found(text: Any) -> None:
    """The check of texts can fail."""
    assert list(text_faults("config.abort.x", text))
