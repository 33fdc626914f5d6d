"""Tests of every configuration in docs/recipes.md against the rules of the program that reads it.

The rules are implemented here in our own words, from the documentation and source that each test names.
"""

from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml

PAGE = Path(__file__).resolve().parents[3] / "docs" / "recipes.md"


def recipes() -> dict[str, str]:
    """Return the YAML blocks of the page by the name in their first line."""
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    names = [block.splitlines()[0].removeprefix("# ") for block in blocks]
    assert len(set(names)) == len(names)
    return dict(zip(names, blocks, strict=True))


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
    """Set up a recipe for EMHASS, whose address is given; all of them need the command of the first one."""
    first = recipe("emhass", **{"http://localhost:5000": url})
    assert await async_setup_component(hass, "rest_command", first)
    config = recipe(name, **replacements)
    if name == "emhass-list":
        config = {"script": {"optimize": config}}
    assert await async_setup_component(
        hass, "script" if "script" in config else "automation", config
    )
    await hass.async_block_till_done()
