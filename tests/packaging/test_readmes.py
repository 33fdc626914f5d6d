"""Tests of the pages in both languages: same structure, working links, examples and pictures."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from tests.packaging import INTEGRATION, PROJECT, leaves, read_json
from tests.packaging.readmes import (
    anchors,
    broken_links,
    differences,
    pages_in_code,
    skeleton,
)

PAGES = (*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"))
GERMAN_PAGES = sorted(page for page in PAGES if page.name.endswith(".de.md"))
FOR_DEVELOPERS = {"architecture.md", "fleet.md"}
"""The pages in docs that exist in English only."""

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

```yaml
triggers: # now
  - trigger: state
    entity_id: binary_sensor.nomos_cheap_now
actions:
  - action: notify.YOUR_PHONE
    data:
      message: Power is cheap.
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

```yaml
triggers: # jetzt
  - trigger: state
    entity_id: binary_sensor.nomos_jetzt_gunstig
actions:
  - action: notify.DEIN_TELEFON
    data:
      message: Strom ist günstig.
```
"""


def test_same_structure() -> None:
    """Texts, comments in code, entity ids and folders of pictures may differ."""
    assert list(differences(ENGLISH, GERMAN)) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("## Einrichtung", "### Einrichtung", "headings: [1, 2] and [1, 3]"),
        ("## Einrichtung", "", "headings: [1, 2] and [1]"),
        ("card.png", "device.png", "pictures: ['card.png'] and ['device.png']"),
        ("| 1 | 2 |", "", "tables: [(2, 3)] and [(2, 2)]"),
        ("```sh", "```json", "languages of code blocks: ['sh', 'yaml'] and "),
        ("jetzt_gunstig", "jetzt_teuer", "code block 2: "),
        ("state\n", "event\n", "code block 2: "),
        ("scripts/develop ", "scripts/test ", "code block 1: "),
    ],
)
def test_differences_are_found(old: str, new: str, what: str) -> None:
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


@pytest.mark.parametrize("page", GERMAN_PAGES, ids=lambda page: page.name)
def test_german_pages(page: Path) -> None:
    """A German page has the sections, pictures, tables and code of the English one."""
    english = page.with_name(page.name.replace(".de.md", ".md"))
    assert list(differences(english.read_text(), page.read_text())) == []
    shown = skeleton(page.read_text()).pictures
    assert not [path for path in shown if "en" in Path(path).parts]


def test_every_page_for_users_exists_in_german() -> None:
    """Pages for users exist in both languages."""
    english = {page.name for page in PROJECT.glob("docs/*.md")} - FOR_DEVELOPERS
    german = {page.name for page in GERMAN_PAGES if page.parent != PROJECT}
    assert {name for name in english if not name.endswith(".de.md")} == {
        name.replace(".de.md", ".md") for name in german
    }


HEADS = {"english name": "German name", "englischer name": "deutscher Name"}
"""The headers of tables that name entities in both languages."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_entities(page: Path) -> None:
    """Tables with English and German names have the names that the hub shows, in matching pairs."""
    english, german = (
        [text for path, text in leaves(entities) if path.endswith(".name")]
        for entities in (
            read_json(INTEGRATION / "translations" / f"{language}.json")["entity"]
            for language in ("en", "de")
        )
    )
    pairs = set(zip(english, german, strict=True))
    wrong: list[tuple[str, str]] = []
    is_names = False
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        is_names = line.startswith("|") and (
            is_names or HEADS.get(cells[1].lower()) == cells[2]
        )
        if is_names and "---" not in line and cells[1].lower() not in HEADS:
            first, second = (
                re.split(", | or | oder ", cell.removesuffix(" …"))
                for cell in cells[1:3]
            )
            wrong += set(zip(first, second, strict=True)) - pairs
    assert not wrong


# Links


def test_links() -> None:
    """Every link between pages leads to an existing file and heading; German pages link to German ones."""
    assert not [fault for page in PAGES for fault in broken_links(page)]


def test_links_in_the_code() -> None:
    """The pages to which dialogs and cards link exist, too."""
    found = [
        link
        for pattern in ("*.py", "*.js")
        for path in INTEGRATION.rglob(pattern)
        for link in pages_in_code(path.read_text())
    ]
    assert ("blueprints.md", "follow-the-battery-plan") in found
    for name, anchor in found:
        page = PROJECT / "docs" / name
        assert page.is_file(), name
        assert not anchor or anchor in anchors(page.read_text()), (name, anchor)


def test_broken_links_are_found(tmp_path: Path) -> None:
    """The check of links can fail."""
    (tmp_path / "one.md").write_text("# One: what, *now*?")
    (tmp_path / "one.de.md").write_text("# Über uns")
    assert anchors("# One: what, *now*?") == {"one-what-now"}
    page = tmp_path / "two.de.md"
    page.write_text("[a](one.de.md#über-uns) [b](one.de.md#x) [c](no.md) [d](one.md)")
    assert list(broken_links(page)) == [
        "two.de.md: one.de.md#x",
        "two.de.md: no.md",
        "two.de.md: one.md is there in German",
    ]


# The readme is short

LONGEST = 1200
"""The most words of a readme, URLs and code included."""

FIGURE = re.compile(r"\d[\d.,]*\s?(%|EUR|ct|kB|MB|ms|kWh|seconds|Sekunden)")


@pytest.mark.parametrize("name", ["README.md", "README.de.md"])
def test_readme_is_short(name: str) -> None:
    """A readme can be read in one go, and leaves measurements to the pages that say how they were made."""
    text = (PROJECT / name).read_text()
    assert len(text.split()) <= LONGEST
    assert not FIGURE.findall(re.sub(r"\(https:[^)]*\)", "", text))
    assert FIGURE.findall("Plans cost 0.3 % more.")


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
    """A state that returns after a reload has not changed, so examples with state triggers exclude that."""
    found = [
        trigger
        for page in PAGES
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
        for trigger in state_triggers(yaml.safe_load(block))
    ]
    assert len(found) >= 3
    assert not [one for one in found if one.get("to") and "from" not in one]


# Pictures

PICTURES = PROJECT / "docs" / "pictures"
LARGEST = 80_000
"""The most bytes of all pictures of a language, since a phone loads all of them."""


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
