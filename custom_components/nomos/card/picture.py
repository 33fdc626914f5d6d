"""The prices of today and tomorrow as a picture, for notifications and e-paper. It needs no browser.

Pillow is a requirement of Home Assistant itself, and the font is part of its frontend. This module is imported when
a picture is requested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from math import ceil, floor, log10
from typing import Any, Final

import hass_frontend
from PIL import Image, ImageDraw, ImageFont

from ..pricing import TARIFF_ZONE

SIZE: Final = (800, 480)
"""The resolution of common 7.5-inch e-paper; phones scale it."""

_MARGIN: Final = 24
_TOP, _BOTTOM, _LEFT, _RIGHT = 158, 424, 66, 780
"""The edges of the bars."""

_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours of background, text, secondary text, lines, best window, and of the levels from very cheap on."""

    ground: str
    ink: str
    soft: str
    line: str
    window: str
    levels: tuple[str, ...]
    past: tuple[str, ...]


LIGHT: Final = Theme(
    ground="#ffffff",
    ink="#141414",
    soft="#5e5e5e",
    line="#dcdcdc",
    window="#dbebec",
    levels=("#006d77", "#2f9c95", "#7d8a99", "#d17a22", "#b3261e"),
    past=("#94c2c6", "#a7d5d2", "#c9cfd5", "#ecc79f", "#df9f9b"),
)
DARK: Final = Theme(
    ground="#1c1c1c",
    ink="#e1e1e1",
    soft="#9b9b9b",
    line="#3c3c3c",
    window="#263937",
    levels=("#5ff0dc", "#2fb5a8", "#718092", "#e0892f", "#ff7a66"),
    past=("#387570", "#245c57", "#404650", "#6f4a24", "#7c453d"),
)

WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "en": {
        "title": {"consumption": "Electricity price", "feed_in": "Feed-in payout"},
        "levels": {
            "consumption": (
                "Very cheap",
                "Cheap",
                "Normal",
                "Expensive",
                "Very expensive",
            ),
            "feed_in": ("Very low", "Low", "Normal", "High", "Very high"),
        },
        "best": {"consumption": "Cheapest 2 h", "feed_in": "Best 2 h"},
        "today": "Today",
        "tomorrow": "Tomorrow",
        "tomorrow_at": "tomorrow {}",
        "days": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        "date": "{day} {at.day} {at:%b}",
        "comma": ".",
    },
    "de": {
        "title": {"consumption": "Strompreis", "feed_in": "Einspeisevergütung"},
        "levels": {
            "consumption": ("Sehr günstig", "Günstig", "Normal", "Teuer", "Sehr teuer"),
            "feed_in": ("Sehr niedrig", "Niedrig", "Normal", "Hoch", "Sehr hoch"),
        },
        "best": {"consumption": "Günstigste 2 Std.", "feed_in": "Beste 2 Std."},
        "today": "Heute",
        "tomorrow": "Morgen",
        "tomorrow_at": "morgen {}",
        "days": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
        "date": "{day}, {at.day}.{at.month}.",
        "comma": ",",
    },
}


def draw(
    chart: Mapping[str, Any], now: datetime, language: str, *, dark: bool
) -> bytes | None:
    """Return the chart of a card as a PNG; None if it has no price.

    Raises OSError if there is no font.
    """
    if all(day["average"] is None for day in chart["days"]):
        return None
    sheet = _ChartImage(chart, now, WORDS.get(language[:2], WORDS["en"]), dark=dark)
    sheet.head()
    sheet.window()
    sheet.axis()
    sheet.bars()
    sheet.days()
    sheet.now()
    out = BytesIO()
    # All colours fit into a palette, which reduces the size to a fifth.
    sheet.image.quantize(128).save(out, "PNG", optimize=True)
    return out.getvalue()


class _ChartImage:
    """A picture that is being drawn. Prices on it are in ct/kWh."""

    def __init__(
        self,
        chart: Mapping[str, Any],
        now: datetime,
        words: Mapping[str, Any],
        *,
        dark: bool,
    ) -> None:
        self._chart, self._words, self._look = chart, words, DARK if dark else LIGHT
        self._now = int(now.timestamp())
        self._best = next(iter(chart["windows"]), None)
        self._days = [day for day in chart["days"] if day["average"] is not None]
        first: int = self._days[0]["start"]
        last: int = self._days[-1]["end"]
        self._from, self._to = first, last
        self._rows = [row for row in chart["intervals"] if first <= row[0] < last]
        known = [100 * row[2] for row in self._rows if row[2] is not None]
        self._ticks, self._low, self._high = scale(min(0, *known), max(0, *known))
        self.image = Image.new("RGB", SIZE, self._look.ground)
        self._pen = ImageDraw.Draw(self.image)

    def head(self) -> None:
        """Write the current price with its level, and the best window."""
        words, look, kind = self._words, self._look, self._chart["kind"]
        row = next((one for one in self._rows if one[0] <= self._now < one[1]), None)
        self._text((_MARGIN, 20), words["title"][kind], 20, look.soft)
        price = "–" if row is None or row[2] is None else self._number(row[2], 2)
        self._text((_MARGIN, 44), price, 56, look.ink, bold=True)
        at = _MARGIN + _font(56, bold=True).getlength(price) + 10
        self._text((at, 78), "ct/kWh", 24, look.soft)
        if row is not None and row[3] is not None:
            at += _font(24).getlength("ct/kWh") + 20
            self._pen.rectangle((at, 84, at + 20, 104), fill=self._color(row[3]))
            level = words["levels"][kind][row[3] - 1]
            self._text((at + 32, 78), level, 24, look.ink, bold=True)
        if (best := self._best) is not None:
            right = SIZE[0] - _MARGIN
            mean = f"{words['best'][kind]} · Ø {self._number(best['average'], 1)}"
            self._text((right, 20), mean, 20, look.soft, anchor="ra")
            when = f"{self._clock(best['start'])} – {self._clock(best['end'])}"
            if best["start"] >= self._chart["days"][0]["end"]:
                when = words["tomorrow_at"].format(when)
            self._text((right, 50), when, 26, look.ink, anchor="ra", bold=True)

    def window(self) -> None:
        """Tint the best window."""
        best, look = self._best, self._look
        if best is not None and self._from <= best["start"] < self._to:
            left, right = self._x(best["start"]), self._x(min(best["end"], self._to))
            self._pen.rectangle((left, _TOP, right, _BOTTOM), fill=look.window)
            self._pen.rectangle((left, _TOP - 4, right, _TOP), fill=look.levels[0])

    def axis(self) -> None:
        """Draw the price lines and the hours."""
        look = self._look
        for tick in self._ticks:
            at = self._y(tick)
            color = look.soft if tick == 0 else look.line
            self._pen.line((_LEFT, at, _RIGHT, at), fill=color)
            text = self._written(f"{tick:g}")
            self._text((_LEFT - 10, at), text, 18, look.soft, anchor="rm")
        step = 4 if len(self._days) > 1 else 2
        for at in range(self._from, self._to, _HOUR):
            local = datetime.fromtimestamp(at, TARIFF_ZONE)
            if local.hour % step == 0:
                place = (self._x(at), _BOTTOM + 8)
                self._text(place, f"{local:%H:%M}", 18, look.soft, anchor="ma")

    def bars(self) -> None:
        """Draw the prices in the colours of their levels; past ones are pale."""
        zero = self._y(0)
        for start, end, price, level, *_ in self._rows:
            if price is None:
                continue
            top, bottom = sorted((self._y(100 * price), zero))
            left, right = self._x(start), self._x(end) - 2
            color = self._color(level, past=end <= self._now)
            self._pen.rectangle((left, top, max(left, right), bottom), fill=color)

    def days(self) -> None:
        """Label each day with its average, and draw the average as a line."""
        look, words = self._look, self._words
        names = (words["today"], words["tomorrow"])
        for day in self._days:
            left, right = self._x(day["start"]), self._x(day["end"])
            local = datetime.fromtimestamp(day["start"], TARIFF_ZONE)
            name = names[day["start"] > self._now]
            date = words["date"].format(day=words["days"][local.weekday()], at=local)
            mean = self._number(day["average"], 1)
            self._text(
                (left + 4, _TOP - 30), f"{name}, {date} · Ø {mean}", 18, look.ink
            )
            at = self._y(100 * day["average"])
            for dash in range(left, right, 10):
                self._pen.line((dash, at, min(dash + 5, right), at), fill=look.ink)
            if day is not self._days[0]:
                self._pen.line((left, _TOP - 30, left, _BOTTOM), fill=look.soft)

    def now(self) -> None:
        """Mark the current time."""
        if self._from <= self._now < self._to:
            at, ink = self._x(self._now), self._look.ink
            self._pen.line((at, _TOP, at, _BOTTOM), fill=ink, width=2)
            corners = ((at - 6, _TOP - 6), (at + 7, _TOP - 6), (at, _TOP + 3))
            self._pen.polygon(corners, fill=ink)

    def _color(self, level: int | None, *, past: bool = False) -> str:
        """Return the colour of a level, reversed for payouts."""
        colors = self._look.past if past else self._look.levels
        known = level or 3
        return colors[5 - known if self._chart["kind"] == "feed_in" else known - 1]

    def _x(self, at: float) -> int:
        share = (at - self._from) / (self._to - self._from)
        return round(_LEFT + share * (_RIGHT - _LEFT))

    def _y(self, cents: float) -> int:
        share = (cents - self._low) / (self._high - self._low)
        return round(_BOTTOM - share * (_BOTTOM - _TOP))

    def _text(
        self,
        place: tuple[float, float],
        text: str,
        size: int,
        color: str,
        *,
        anchor: str = "la",
        bold: bool = False,
    ) -> None:
        font = _font(size, bold=bold)
        self._pen.text(place, text, color, font, anchor)

    def _number(self, price: float, digits: int) -> str:
        return self._written(f"{100 * price:.{digits}f}")

    def _written(self, number: str) -> str:
        return number.replace("-", "−").replace(".", self._words["comma"])

    @staticmethod
    def _clock(at: float) -> str:
        return f"{datetime.fromtimestamp(at, TARIFF_ZONE):%H:%M}"


def scale(low: float, high: float) -> tuple[list[float], float, float]:
    """Return the round ticks of an axis, and its ends with a margin beyond the prices."""
    raw = (high - low) / 5 or 1
    power = 10.0 ** floor(log10(raw))
    step = next(one for one in (1, 2, 2.5, 5, 10) if one * power >= 0.8 * raw) * power
    air = raw / 5
    bottom, top = low - air if low < 0 else 0.0, high + air
    return (
        [step * count for count in range(ceil(bottom / step), floor(top / step) + 1)],
        bottom,
        top,
    )


@cache
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "Roboto-Medium.woff2" if bold else "Roboto-Regular.woff2"
    path = hass_frontend.where() / "static" / "fonts" / "roboto" / name
    return ImageFont.truetype(str(path), size)
