"""Draws a home battery's gain from the table in docs/savings.md, in each language.

.venv/bin/python -m benchmarks.household_picture
"""

from collections.abc import Sequence
from html import escape
from math import ceil, floor
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
PAGES: Final = {"en": "savings.md", "de": "savings.de.md"}
NAME: Final = "household.svg"

_WIDTH: Final = 860
_HEIGHT: Final = 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 44, 44
_STEP: Final = 50
_COLOURS: Final = (
    ("#8c959f", "#8b949e"),
    ("#1a7f47", "#56d38a"),
    ("#2f6fd6", "#6ea8fe"),
    ("#d1662b", "#f0965a"),
    ("#b08800", "#d4b346"),
)
"""The colours of each bar, on a light and on a dark background."""


def table_of(page: str) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of the table that follows the picture on a page."""
    lines = iter(page[page.index(NAME) :].splitlines())
    rows = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip(" *") for cell in line.strip("|").split("|")])
        elif rows:
            break
    heads, _, *values = rows
    return heads, values


def draw(page: str) -> str:
    """Return an SVG with a group for each row and a bar for each of its figures, in EUR."""
    heads, rows = table_of(page)
    figures = [[_number(cell) for cell in row[2:]] for row in rows]
    low = _STEP * floor(min(0.0, *map(min, figures)) / _STEP)
    high = _STEP * ceil(max(map(max, figures)) / _STEP)

    def y(value: float) -> float:
        share = (value - low) / (high - low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<style>\n{_style(len(heads) - 2)}\n</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>',
        *_legend(heads[2:]),
    ]
    for tick in range(low, high + 1, _STEP):
        kind, named = "grid" if tick else "zero", str(tick).replace("-", "−")
        parts += [
            f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(tick)}" y2="{y(tick)}"/>',
            f'<text class="end" x="{_LEFT - 6}" y="{y(tick) + 4}">{named}</text>',
        ]
    width = (_WIDTH - _LEFT - _RIGHT) / len(rows)
    bar = round(0.8 * width / len(figures[0]), 1)
    house = ""
    for number, (row, values) in enumerate(zip(rows, figures, strict=True)):
        first = _LEFT + number * width + 0.1 * width
        house = row[0] or house
        for index, value in enumerate(values):
            left, top = round(first + index * bar, 1), min(y(value), y(0))
            height = round(abs(y(value) - y(0)), 1)
            parts.append(
                f'<rect class="b{index}" x="{left}" y="{top}" width="{bar - 1:.1f}" height="{height}"/>'
            )
        middle = round(first + 0.4 * width, 1)
        for line, text in enumerate((house, row[1])):
            parts.append(
                f'<text class="middle" x="{middle}" y="{_HEIGHT - 26 + 16 * line}">{escape(text)}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _number(cell: str) -> float:
    return float(cell.replace("−", "-").replace(",", "."))


def _style(bars: int) -> str:
    light, dark = (
        " ".join(f"--b{index}: {_COLOURS[index][ground]};" for index in range(bars))
        for ground in (0, 1)
    )
    fills = "\n".join(
        f".b{index} {{ fill: var(--b{index}); }}" for index in range(bars)
    )
    return f"""
svg {{ --ground: #ffffff; --ink: #24292f; --faint: #d0d7de; {light} }}
@media (prefers-color-scheme: dark) {{
  svg {{ --ground: #0d1117; --ink: #d7dde4; --faint: #30363d; {dark} }}
}}
text {{ font: 12px system-ui, sans-serif; fill: var(--ink); }}
.end {{ text-anchor: end; }} .middle {{ text-anchor: middle; font-size: 11px; }}
.ground {{ fill: var(--ground); }} .grid {{ stroke: var(--faint); }} .zero {{ stroke: var(--ink); }}
{fills}
""".strip()


def _legend(names: Sequence[str]) -> list[str]:
    parts, x = [], _LEFT
    for index, name in enumerate(names):
        parts += [
            f'<rect class="b{index}" x="{x}" y="14" width="10" height="10"/>',
            f'<text x="{x + 15}" y="23">{escape(name)}</text>',
        ]
        x += 34 + round(6.4 * len(name))
    return parts


def main() -> None:
    """Draw the picture in each language."""
    for language, name in PAGES.items():
        picture = draw((DOCS / name).read_text())
        (DOCS / "pictures" / language / NAME).write_text(picture)


if __name__ == "__main__":
    main()
