"""Tests that both readmes have the same structure, and of the examples and pictures in them."""

from collections.abc import Iterator
import re
from typing import Any

import pytest
import yaml

from tests.packaging import PROJECT
from tests.packaging.readmes import differences, skeleton

PAGES = (*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"))

ENGLISH = """\
# Nomos

![The card](docs/pictures/en/card.png)

## Installation

| a | b |
|---|---|
| 1 | 2 |

```sh
scripts/develop   # a Home Assistant
```
"""
GERMAN = """\
# Nomos

![Die Karte](docs/pictures/de/card.png)

## Einrichtung

| a | b |
|---|---|
| 1 | 2 |

```sh
scripts/develop   # ein Home Assistant
```
"""


def test_same_structure() -> None:
    """Texts, comments in code and the folders of pictures may differ."""
    assert list(differences(ENGLISH, GERMAN)) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("## Einrichtung", "### Einrichtung", "headings: [1, 2] and [1, 3]"),
        ("## Einrichtung", "", "headings: [1, 2] and [1]"),
        ("card.png", "device.png", "pictures: ['card.png'] and ['device.png']"),
        ("| 1 | 2 |", "", "tables: [(2, 3)] and [(2, 2)]"),
        ("```sh", "```yaml", "languages of code blocks: ['sh'] and ['yaml']"),
        ("scripts/develop ", "scripts/test ", "code block 1: "),
    ],
)
def test_differences_are_seen(old: str, new: str, what: str) -> None:
    """Each kind of difference is reported."""
    found = list(differences(ENGLISH, GERMAN.replace(old, new)))
    assert len(found) == 1
    assert found[0].startswith(what)


def test_readme_is_read() -> None:
    """The readme has headings, pictures, code and tables to compare."""
    found = skeleton((PROJECT / "README.md").read_text())
    assert found.headings[0] == 1
    assert len(found.headings) > 10
    assert found.blocks
    assert found.tables


@pytest.mark.parametrize(
    "name",
    ["README{}.md", "docs/battery{}.md", "docs/loads{}.md"],
    ids=["readme", "battery", "loads"],
)
def test_german_pages(name: str) -> None:
    """A page in German has the sections, the pictures, the tables and the code of the English one."""
    english, german = (
        (PROJECT / name.format(language)).read_text() for language in ("", ".de")
    )
    assert list(differences(english, german)) == []


# Examples


def state_triggers(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the state triggers within an example."""
    if isinstance(node, dict):
        if node.get("trigger") == "state":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from state_triggers(item)


def test_examples_ignore_reloads() -> None:
    """A state that comes back after a reload has not changed, so the examples exclude such a change."""
    found = [
        trigger
        for page in PAGES
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
        for trigger in state_triggers(yaml.safe_load(block))
    ]
    assert len(found) >= 3
    assert not [one for one in found if "to" in one and "from" not in one]


# Pictures

PICTURES = PROJECT / "docs" / "pictures"
LARGEST = 80_000
"""Bytes of all pictures of a language, since a phone loads all of them."""


def test_pictures() -> None:
    """Every picture exists in both languages, is small and is shown on a page; every picture on a page exists."""
    names = {
        language: {path.name: path.stat().st_size for path in folder.glob("*.png")}
        for language in ("en", "de")
        if (folder := PICTURES / language).is_dir()
    }
    assert names["en"]
    assert names["en"].keys() == names["de"].keys()
    assert max(*names["en"].values(), *names["de"].values()) < LARGEST
    shown = {
        (page.parent / path).resolve()
        for page in PAGES
        for path in skeleton(page.read_text()).pictures
        if "://" not in path
    }
    assert not [path for path in shown if not path.is_file()]
    assert not set(PICTURES.glob("*/*.png")) - shown
