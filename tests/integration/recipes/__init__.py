"""Every configuration in docs/recipes.md, run against the rules by which the other side reads it.

Those rules are stated again here, in our own words, after the other side's documentation and source; each test says
which.
"""

from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import parse_yaml

PAGE = Path(__file__).resolve().parents[3] / "docs" / "recipes.md"


def recipes() -> dict[str, str]:
    """Return the page's YAML by the name in its first line."""
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    names = [block.splitlines()[0].removeprefix("# ") for block in blocks]
    assert len(set(names)) == len(names)
    return dict(zip(names, blocks, strict=True))


def recipe(name: str, **replacements: str) -> Any:
    """Return a recipe as Home Assistant reads YAML, with what a customer has to fill in."""
    text = recipes()[name]
    for placeholder, value in replacements.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return parse_yaml(text)
