"""Draws a fleet's day: the requests at the API, and how many hubs knew tomorrow."""

from collections.abc import Sequence
from html import escape
from itertools import accumulate
from math import floor, log10
from typing import Final

from .api import NOON
from .simulation import Result

_WIDTH: Final = 860
_HEIGHT: Final = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 48, 54, 30
_STEP: Final = 60
"""The number of seconds that each point of the curve averages."""

_STYLE: Final = """
svg { --ground: #ffffff; --ink: #24292f; --faint: #d0d7de; --asked: #2f6fd6; --refused: #d1662b; --known: #1a7f47; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #0d1117; --ink: #d7dde4; --faint: #30363d; --asked: #6ea8fe; --refused: #f0965a; --known: #56d38a; }
}
text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.title { font-weight: 600; font-size: 14px; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.ground { fill: var(--ground); } .grid { stroke: var(--faint); }
.asked { fill: var(--asked); fill-opacity: .45; stroke: var(--asked); }
.refused { fill: var(--refused); fill-opacity: .8; }
.known { fill: none; stroke: var(--known); stroke-width: 2; stroke-dasharray: 6 3; }
.knowing { fill: var(--known); }
""".strip()


def draw(result: Result, begin: int, end: int) -> str:
    """Return an SVG of the seconds from ``begin`` to ``end``, which are whole hours."""
    points = slice(begin // _STEP, end // _STEP)
    asked = result.all.per_second(_STEP)[points]
    refused = result.refused.per_second(_STEP)[points]
    top = _round_up(max(asked))
    known = list(accumulate(result.learned))[begin + _STEP - 1 : end : _STEP]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(result.scenario.title)}</title>",
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="title" x="{_LEFT}" y="20">{escape(result.scenario.title)}</text>',
        *_legend(refused=any(refused)),
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(share)
        parts += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>',
            f'<text class="end" x="{_LEFT - 6}" y="{y + 4}">{share * top:,.0f}</text>',
            f'<text class="knowing" x="{_WIDTH - _RIGHT + 6}" y="{y + 4}">{share:.0%}</text>',
        ]
    hours = (end - begin) // 3600
    for hour in range(0, hours + 1, 1 if hours <= 12 else 3):
        x = _x(hour / hours)
        label = (NOON.hour + begin // 3600 + hour) % 24
        parts.append(
            f'<text class="middle" x="{x}" y="{_HEIGHT - 10}">{label:02}:00</text>'
        )
    parts += [
        _area("asked", [value / top for value in asked]),
        _area("refused", [value / top for value in refused]) if any(refused) else "",
        f'<polyline class="known" points="{_path([value / result.simulated for value in known])}"/>',
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _legend(*, refused: bool) -> list[str]:
    """Return the legend of the colours."""
    entries = [
        ("asked", "requests per second, mean of a minute"),
        ("refused", "of these refused with 429"),
        ("knowing", "hubs that have the prices of tomorrow (right scale)"),
    ]
    parts, x = [], _LEFT
    for name, text in entries:
        if name == "refused" and not refused:
            continue
        parts += [
            f'<rect class="{name}" x="{x}" y="32" width="10" height="10"/>',
            f'<text x="{x + 15}" y="41">{text}</text>',
        ]
        x += 40 + round(6.3 * len(text))
    return parts


def _round_up(value: float) -> float:
    """Round up to a round number that is easily divided by four."""
    unit = 10.0 ** floor(log10(max(value, 1)))
    return next(unit * step for step in (1, 2, 4, 6, 8, 10) if unit * step >= value)


def _x(share: float) -> float:
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(share: float) -> float:
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def _path(shares: Sequence[float]) -> str:
    """Return the points of a curve, without those in the middle of horizontal lines."""
    last = len(shares) - 1
    return " ".join(
        f"{_x(number / last)},{_y(share)}"
        for number, share in enumerate(shares)
        if number in {0, last} or not shares[number - 1] == share == shares[number + 1]
    )


def _area(name: str, shares: Sequence[float]) -> str:
    closed = f"{_x(0)},{_y(0)} {_path(shares)} {_x(1)},{_y(0)}"
    return f'<polygon class="{name}" points="{closed}"/>'
