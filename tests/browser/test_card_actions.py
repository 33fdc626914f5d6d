"""Tests of the actions for a tap, a double tap and a long press on the card."""

from typing import Any

import pytest

from tests.browser.card_fixtures import browser, needs_chromium, summer, window
from tests.browser.card_page import CardPage
from tests.browser.card_samples import ENTITY

__all__ = ["browser", "summer", "window"]

pytestmark = needs_chromium

AWAY = {"action": "navigate", "navigation_path": "/away"}
NOTHING = {"action": "none"}


@pytest.fixture
def card(window: CardPage) -> CardPage:
    """Return a window with the page and a running clock, since a press takes time."""
    window.open()
    return window


def listen(card: CardPage) -> None:
    """Record the actions that the card requests."""
    card.page.evaluate("""() => {
      window.recorded = [];
      addEventListener("hass-action", ({ detail }) => recorded.push([detail.action, detail.config.entity]));
      addEventListener("hass-more-info", ({ detail }) => recorded.push(["more-info", detail.entityId]));
    }""")


def recorded(card: CardPage) -> Any:
    """Return the recorded actions, after the time in which a second tap would count."""
    card.wait(350)
    return [
        kind
        for kind, entity in card.page.evaluate("recorded.splice(0)")
        if entity == ENTITY
    ]


@pytest.mark.parametrize("layout", ["full", "tile"])
def test_each_press_is_its_own(card: CardPage, summer, layout) -> None:
    """A tap, a double tap and a long press differ by mouse, touch and keyboard, and each triggers one action."""
    actions = dict.fromkeys(("tap_action", "hold_action", "double_tap_action"), AWAY)
    card.show(summer, actions | {"layout": layout})
    listen(card)
    top = card.page.locator("nomos-price-card .open")
    top.click()
    assert recorded(card) == ["tap"]
    top.dblclick()
    assert recorded(card) == ["double_tap"]
    top.click(delay=550)
    assert recorded(card) == ["hold"]
    top.tap()
    assert recorded(card) == ["tap"]
    top.focus()
    card.page.keyboard.press("Enter")
    assert recorded(card) == ["tap"]
    # The whole top of the card is the button.
    x, y = card.run(
        "(({right, bottom}) => [right - 4, bottom - 4])(root.querySelector('.head').getBoundingClientRect())"
    )
    card.page.mouse.click(x, y)
    assert recorded(card) == ["tap"]


def test_default_actions(card: CardPage, summer) -> None:
    """A tap opens the sensor by default; it is not delayed if no double-tap action is configured."""
    card.show(summer)
    listen(card)
    top = card.page.locator("nomos-price-card .open")
    top.click(delay=550)
    assert recorded(card) == ["more-info"]
    card.show(summer, {"hold_action": AWAY, "double_tap_action": NOTHING})
    top.click()
    assert card.page.evaluate("recorded.length") == 1
    top.dblclick()
    assert recorded(card) == ["tap"] * 3
    card.show(summer, {"tap_action": AWAY, "hold_action": NOTHING})
    top.click(delay=550)
    assert recorded(card) == ["tap"]
