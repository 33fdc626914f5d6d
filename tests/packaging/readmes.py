"""Compares the structure of two readmes in different languages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
import re

_FENCE = re.compile(r"\s*```(\w*)")
_HEADING = re.compile(r"(#+) \S")
_IMAGE = re.compile(
    r"!\[[^\]]*\]\(([^)\s]+)|<img\b[^>]*?\bsrc=\"([^\"]+)\"|srcset=\"([^\"]+)\""
)


@dataclass(slots=True)
class Skeleton:
    """The structure of a readme."""

    headings: list[int] = field(default_factory=list)
    """The levels of the headings, in their order."""

    pictures: list[str] = field(default_factory=list)
    """The paths of the pictures, in their order; each language has its own picture of the same name."""

    blocks: list[tuple[str, list[str]]] = field(default_factory=list)
    """The code blocks: their language, and their lines without comments."""

    tables: list[tuple[int, int]] = field(default_factory=list)
    """The tables: how many columns and rows they have."""


def skeleton(text: str) -> Skeleton:
    """Read a readme."""
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
    """Yield the differences between two readmes that should not exist."""
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
        # Commands must be the same; other code may contain German names of entities.
        if (here != there) if name == "sh" else (len(here) != len(there)):
            yield f"code block {number}: {here} and {there}"


def _names(paths: list[str]) -> list[str]:
    return [PurePosixPath(path).name for path in paths]
