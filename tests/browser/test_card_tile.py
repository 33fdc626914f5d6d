"""Tests of the card as a small tile."""

from typing import Any

import pytest

from tests.browser.card_fixtures import (
    NOW,
    browser,
    card,
    needs_chromium,
    summer,
    window,
)
from tests.browser.card_page import CardPage
from tests.browser.card_samples import (
    ENTITY,
    SUMMER,
    answer,
    both,
    intervals,
    load,
    local,
)

__all__ = ["browser", "card", "summer", "window"]

pytestmark = needs_chromium

TILE = {"layout": "tile"}


def size(card: CardPage, columns: int = 320) -> Any:
    """Give the card its default size in a section of this width; return its columns and rows."""
    grid = card.run("card.getGridOptions()")
    card.page.evaluate(
        """([width, height]) => Object.assign(document.querySelector("#place").style,
          { width: `${width}px`, height: `${height}px` })""",
        [(columns + 8) / 12 * grid["columns"] - 8, grid["rows"] * 64 - 8],
    )
    return grid["columns"], grid["rows"]


@pytest.mark.parametrize(
    ("language", "config", "grid"),
    [("de", {}, (6, 2)), ("en", {"unit": "eur", "title": "Kitchen"}, (6, 3))],
)
def test_everything_fits(card: CardPage, summer, language, config, grid) -> None:
    """Even in the narrowest section, price, level, next cheap period and sparkline of the tile fit."""
    chart = summer | {"loads": [load("Car", (NOW, local(SUMMER, 20)))]}
    card.show(chart, TILE | config, language=language)
    assert size(card) == grid
    assert not card.shown(".plot")
    assert not card.shown(".foot")
    assert card.text(".price") == ("0.2248" if config else "22,48")
    assert card.text(".chip span:last-child") == "Normal"
    assert card.text(".best .label") == ("Cheap" if config else "Günstig")
    assert card.text(".time") == ("11:00 PM – 5:45 AM" if config else "23:00 – 05:45")
    assert ("Kitchen" in card.text(".head")) == bool(config)
    cut = """((box) => [...root.querySelectorAll('.chip, .price, .unit, .best *, .spark')].filter((one) => {
      const { left, right, top, bottom, height } = one.getBoundingClientRect();
      return left < box.left + 4 || right > box.right - 4 || top < box.top + 4 || bottom > box.bottom - 4 || height < 14;
    }).map((one) => one.outerHTML))(card.getBoundingClientRect())"""
    assert card.run(cut) == []
    # From the current interval to the end of tomorrow.
    spark = card.run(
        "[...root.querySelectorAll('.spark path')].map((one) => one.getAttribute('d')).join('')"
    )
    assert spark.count("z") == 192 - 53
    assert card.run("root.querySelector('.spark').viewBox.baseVal.width") == 139 * 900
    assert card.run("root.querySelector('.days').childElementCount") == 0


def test_in_a_cheap_period_and_without_one(window: CardPage) -> None:
    """It says until when it is cheap, what comes tomorrow, or that no cheap period is known."""
    known = intervals(both(SUMMER))
    now = local(SUMMER, 2, 40)
    window.open(now)
    window.show(answer(known, now), TILE, language="en")
    assert window.text(".best") == "Cheap until5:45 AM"
    chart = answer(known, now)
    begin = int(local(both(SUMMER)[1], 1).timestamp())
    chart["period"] = {"start": begin, "end": begin + 7200}
    window.show(chart, TILE, language="de")
    assert window.text(".best") == "Günstig morgen01:00 – 03:00"
    chart["period"] = None
    window.show(chart, TILE, language="de")
    assert window.text(".best") == "Nichts Günstiges in Sicht"
    window.show(answer([], now), TILE, language="en")
    assert window.shown(".message")
    assert not window.shown(".spark")


def test_all_of_it_opens_the_sensor(card: CardPage, summer) -> None:
    """A tap anywhere on the tile opens the sensor; without the tile, the chart is back."""
    card.show(summer, TILE, width=156)
    size(card)
    card.page.evaluate(
        "window.opened = []; addEventListener('hass-more-info', (event) => opened.push(event.detail.entityId))"
    )
    box = card.run(
        "(({x, y, width, height}) => [x, y, width, height])(card.getBoundingClientRect())"
    )
    for across, down in ((0.1, 0.1), (0.9, 0.9), (0.5, 0.95)):
        card.page.mouse.click(box[0] + box[2] * across, box[1] + box[3] * down)
    assert card.page.evaluate("opened") == [ENTITY] * 3
    card.page.evaluate(
        "document.querySelector('#place').style.width = '480px'; card.setConfig({ entity: 'sensor.nomos_current_price' })"
    )
    card.wait_for("root.querySelector('.days').checkVisibility()")
    assert card.shown(".plot")
    assert card.shown(".days")
    assert not card.shown(".spark")
    assert len(card.bars()) == 192
