"""Tests of the price picture: every bar has the right place and colour."""

from datetime import date, datetime
from io import BytesIO
from typing import Any

from PIL import Image, ImageColor
import pytest

from custom_components.nomos.card.picture import DARK, LIGHT, SIZE, Theme, draw, scale
from tests.browser.card_samples import SUMMER, answer, both, intervals, local

NOW = local(SUMMER, 13, 22)
SPRING = date(2026, 3, 29)
AUTUMN = date(2026, 10, 25)

LEFT, RIGHT, BOTTOM = 66, 780, 424


def picture(
    chart: dict[str, Any], now: datetime = NOW, language: str = "de", dark: bool = False
) -> Image.Image:
    """Return the image of a chart."""
    png = draw(chart, now, language, dark=dark)
    assert png is not None
    image = Image.open(BytesIO(png))
    assert (image.format, image.size) == ("PNG", SIZE)
    return image.convert("RGB")


def near(image: Image.Image, place: tuple[int, int], color: str) -> bool:
    """Return whether a pixel has a colour, within the precision of the palette."""
    found, wanted = image.getpixel(place), ImageColor.getrgb(color)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= 6 for a, b in zip(found, wanted, strict=True))


def bar_color(row: list[Any], look: Theme, now: datetime, *, pays: bool = False) -> str:
    """Return the expected colour of a bar."""
    colors = look.past if row[1] <= now.timestamp() else look.levels
    level: int = row[3]
    return colors[5 - level if pays else level - 1]


def bar_columns(chart: dict[str, Any]) -> list[tuple[int, list[Any]]]:
    """Return each interval with the first pixel column of its bar."""
    known = [day for day in chart["days"] if day["average"] is not None]
    start, end = known[0]["start"], known[-1]["end"]
    return [
        (round(LEFT + (row[0] - start) / (end - start) * (RIGHT - LEFT)), row)
        for row in chart["intervals"]
    ]


@pytest.mark.parametrize(("dark", "look"), [(False, LIGHT), (True, DARK)])
@pytest.mark.parametrize("pays", [False, True])
def test_colors(dark: bool, look: Theme, pays: bool) -> None:
    """Each bar has the colour of its level, pale if it is past; for payouts, high is good."""
    chart = answer(intervals(both(SUMMER)), NOW, pays=pays)
    image = picture(chart, dark=dark)
    assert near(image, (3, 3), look.ground)
    bars = [
        near(image, (x, BOTTOM - 3), bar_color(row, look, NOW, pays=pays))
        for x, row in bar_columns(chart)
    ]
    # The lines at the current time and at midnight cover one bar each.
    assert len(bars) == 192
    assert sum(bars) >= 190


@pytest.mark.parametrize(("day", "count"), [(SPRING, 92), (AUTUMN, 100)])
def test_days_with_a_change_of_clocks(day: date, count: int) -> None:
    """A day of 23 or 25 hours has all its bars."""
    now = local(day, 0, 5)
    chart = answer(intervals([day]), now)
    image = picture(chart, now)
    bars = [
        near(image, (x + 2, BOTTOM - 3), bar_color(row, LIGHT, now))
        for x, row in bar_columns(chart)
    ]
    assert len(bars) == count
    assert sum(bars) >= count - 1


def test_heights() -> None:
    """A bar is as high as its price; a negative one hangs below zero, a missing one is a gap."""
    chart = answer(intervals([SUMMER]), local(SUMMER, 23, 50))
    rows = chart["intervals"]
    for row, price in zip(rows, (0.3, 0.15, -0.1, None), strict=False):
        row[2], row[3] = price, 3 if price is not None else None
    for row in rows[4:]:
        row[2] = 0.1
    image = picture(chart, local(SUMMER, 23, 50))
    bars = []
    for x, _ in bar_columns(chart)[:4]:
        column = [
            y for y in range(170, BOTTOM + 1) if near(image, (x + 2, y), LIGHT.past[2])
        ]
        bars.append((min(column), max(column)) if column else None)
    whole, half, below, gap = bars
    assert whole and half and below
    assert gap is None
    zero = whole[1]
    assert half[1] == zero
    assert zero - half[0] == pytest.approx((zero - whole[0]) / 2, abs=2)
    assert below[0] == pytest.approx(zero, abs=1)
    assert below[1] - zero == pytest.approx((zero - whole[0]) / 3, abs=2)


def test_languages() -> None:
    """Texts are in the hub's language, or in English if it is not supported."""
    chart = answer(intervals(both(SUMMER)), NOW)
    pictures = {
        language: draw(chart, NOW, language, dark=False)
        for language in ("de", "de-CH", "en", "en-GB", "fr")
    }
    assert pictures["de"] == pictures["de-CH"]
    assert pictures["en"] == pictures["en-GB"] == pictures["fr"]
    assert pictures["de"] != pictures["en"]


def test_nothing_known() -> None:
    """Without a price there is nothing to draw."""
    assert draw(answer([], NOW), NOW, "de", dark=False) is None


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 40, [0, 10, 20, 30, 40]),
        (-20, 30, [-20, -10, 0, 10, 20, 30]),
        (0, 0.4, [0, 0.1, 0.2, 0.3, 0.4]),
        (0, 0, [0]),
        (0, 300, [0, 50, 100, 150, 200, 250, 300]),
    ],
)
def test_scale(low: float, high: float, ticks: list[float]) -> None:
    """The axis has round numbers and a margin around the prices, but ends at zero unless a price is negative."""
    found, bottom, top = scale(low, high)
    assert found == pytest.approx(ticks)
    assert bottom <= low
    assert top > high
