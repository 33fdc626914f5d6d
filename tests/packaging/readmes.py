"""Compares the structure of pages in two languages, and checks their links."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
import re
from typing import Any

import yaml

from homeassistant.util import slugify
from tests.packaging import INTEGRATION, read_json

_FENCE = re.compile(r"\s*```(\w*)")
_HEADING = re.compile(r"(#+) \S")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_NAME_IN_CAPITALS = re.compile(r"\b[A-ZÄÖÜ]+(_[A-ZÄÖÜ]+)+\b")
_IMAGE = re.compile(
    r"!\[[^\]]*\]\(([^)\s]+)|<img\b[^>]*?\bsrc=\"([^\"]+)\"|srcset=\"([^\"]+)\""
)


_TEXTS = {"alias", "label", "message", "name", "title"}
"""The keys of configurations whose values are in the language of the page."""


@dataclass(slots=True)
class Skeleton:
    """The structure of a page."""

    headings: list[int] = field(default_factory=list)
    """The levels of the headings, in order."""

    pictures: list[str] = field(default_factory=list)
    """The paths of the pictures, in order; each language has its own picture of the same name."""

    blocks: list[tuple[str, list[str]]] = field(default_factory=list)
    """The code blocks: language, and lines without comments."""

    tables: list[tuple[int, int]] = field(default_factory=list)
    """The tables: numbers of columns and rows."""


def skeleton(text: str) -> Skeleton:
    """Read a page."""
    found = Skeleton()
    fenced = in_table = False
    for line in text.splitlines():
        if fence := _FENCE.match(line):
            fenced = not fenced
            if fenced:
                found.blocks.append((fence[1], []))
        elif fenced:
            found.blocks[-1][1].append(re.sub(r"\s*#.*", "", line))
        elif heading := _HEADING.match(line):
            found.headings.append(len(heading[1]))
        else:
            for image in _IMAGE.finditer(line):
                [path] = filter(None, image.groups())
                found.pictures.append(path)
        is_row = not fenced and line.startswith("|")
        if is_row:
            columns, rows = len(re.findall(r"(?<!\\)\|", line)) - 1, 1
            if in_table:
                columns, rows = found.tables[-1][0], found.tables.pop()[1] + 1
            found.tables.append((columns, rows))
        in_table = is_row
    return found


def differences(one: str, other: str) -> Iterator[str]:
    """Yield the differences between an English and a German page that should not exist."""
    first, second = skeleton(one), skeleton(other)
    for what, here, there in (
        ("headings", first.headings, second.headings),
        ("pictures", _names(first.pictures), _names(second.pictures)),
        ("tables", first.tables, second.tables),
        (
            "languages of code blocks",
            [name for name, _ in first.blocks],
            [name for name, _ in second.blocks],
        ),
    ):
        if here != there:
            yield f"{what}: {here} and {there}"
    for number, ((name, here), (_, there)) in enumerate(
        zip(first.blocks, second.blocks, strict=False), start=1
    ):
        if name == "yaml":
            same = configuration(here) == configuration(_in_english(there))
        else:
            same = here == there
        if not same:
            yield f"code block {number}: {here} and {there}"


def configuration(lines: list[str]) -> Any:
    """Return the contents of a YAML block, without texts in the language of the page."""

    def without_texts(node: Any) -> Any:
        match node:
            case dict():
                return {
                    key: None
                    if key in _TEXTS and isinstance(value, str)
                    else without_texts(value)
                    for key, value in node.items()
                }
            case list():
                return [without_texts(one) for one in node]
            case _:
                return node

    text = _NAME_IN_CAPITALS.sub("A_NAME", "\n".join(lines))
    return without_texts(yaml.safe_load(text))


def _in_english(lines: list[str]) -> list[str]:
    """Replace the German entity ids of a contract with the English ones."""
    english, german = (
        read_json(INTEGRATION / "translations" / f"{language}.json")["entity"]
        for language in ("en", "de")
    )
    text = "\n".join(lines)
    ids = {
        f"{platform}.nomos_{slugify(german[platform][key]['name'])}": (
            f"{platform}.nomos_{slugify(about['name'])}"
        )
        for platform, entities in english.items()
        for key, about in entities.items()
    }
    return re.sub(
        r"\b\w+\.nomos_\w+", lambda found: ids.get(found[0], found[0]), text
    ).splitlines()


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub generates for the headings of a page."""
    fenced, found = False, set()
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        if not fenced and _HEADING.match(line):
            anchor = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            found.add(anchor.replace(" ", "-"))
    return found


def pages_in_code(code: str) -> Iterator[tuple[str, str]]:
    """Yield the pages in docs, with anchors, to which a piece of code links."""
    address = r"(?:/blob/main/docs|\{DOCS_URL\})/([\w.-]+\.md)(?:#([\w-]+))?"
    for found in re.finditer(address, code):
        yield found[1], found[2] or ""


def broken_links(page: Path) -> Iterator[str]:
    """Yield the links of a page to files and headings that do not exist, or not in its language."""
    is_german = page.name.endswith(".de.md")
    for link in _LINK.findall(page.read_text()):
        # A path that leaves the repository is a GitHub URL, like ../../issues.
        if "://" in link or link.startswith("../../"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (
            anchor and anchor not in anchors(target.read_text())
        ):
            yield f"{page.name}: {link}"
        elif is_german and target != page and _german(target).exists():
            if target.name != page.name.replace(".de.md", ".md"):
                yield f"{page.name}: {link} is there in German"


def _german(page: Path) -> Path:
    return page.with_name(page.name.removesuffix(".md") + ".de.md")


def _names(paths: list[str]) -> list[str]:
    return [PurePosixPath(path).name for path in paths]
