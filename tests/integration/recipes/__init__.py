"""Tests of every configuration on the pages for users, against the rules of the program that reads it.

tests/packaging checks that German pages have the same configurations. The rules are implemented here independently,
from the documentation and source that each test names.
"""

from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml

PROJECT = Path(__file__).resolve().parents[3]
PAGE = PROJECT / "docs" / "recipes.md"


def blocks(page: str, language: str = "yaml") -> list[str]:
    """Return the code blocks of a page in a language."""
    text = (PROJECT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def recipes() -> dict[str, str]:
    """Return the YAML blocks of the page by the name in their first line."""
    found = blocks("docs/recipes.md")
    names = [block.splitlines()[0].removeprefix("# ") for block in found]
    assert len(set(names)) == len(names)
    return dict(zip(names, found, strict=True))


def recipe(name: str, **replacements: str) -> Any:
    """Return a recipe as Home Assistant reads it, with the values that a customer fills in."""
    text = recipes()[name]
    for placeholder, value in replacements.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return parse_yaml(text)


async def set_up_emhass(
    hass: HomeAssistant, url: str, name: str, **replacements: str
) -> None:
    """Set up a recipe for EMHASS at a URL; all recipes need the command of the first one."""
    first = recipe("emhass", **{"http://localhost:5000": url})
    assert await async_setup_component(hass, "rest_command", first)
    config = recipe(name, **replacements)
    if name == "emhass-list":
        config = {"script": {"optimize": config}}
    assert await async_setup_component(
        hass, "script" if "script" in config else "automation", config
    )
    await hass.async_block_till_done()
