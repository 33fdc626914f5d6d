"""Tests of the card over time: mouse, touch and keyboard, changes at the hub, and the clock."""

from datetime import timedelta
import re
import time
from typing import Any

import pytest

from custom_components.nomos.card.drawing import ChartOptions
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
    DAY,
    ENTITY,
    LOAD,
    SUMMER,
    answer,
    battery,
    both,
    intervals,
    load,
)

__all__ = ["browser", "card", "summer", "window"]

pytestmark = needs_chromium


def test_prices_stay_while_the_hub_is_away(card: CardPage, summer) -> None:
    """A failed request does not change what is shown."""
    card.show(summer)
    card.answer(None)
    change(card, ENTITY)
    assert request_count(card) == 2
    assert len(card.bars()) == 192


def test_tooltip_by_mouse(card: CardPage, summer) -> None:
    """The tooltip describes the interval under the pointer, and disappears when the pointer leaves."""
    card.show(summer, language="en")
    assert not card.shown(".tip")
    x, y = card.place(150)
    card.page.mouse.move(x, y)
    row = summer["intervals"][150]
    assert card.shown(".tip")
    assert f"{row[2] * 100:.2f} ct/kWh" in card.text(".tip")
    assert "Tomorrow 1:30 PM – 1:45 PM" in card.text(".tip")
    assert f"{row[5] * 100:.2f}" in card.text(".tip")
    card.page.mouse.move(5, 5)
    assert not card.shown(".tip")


@pytest.mark.parametrize("index", [0, 60, 191])
@pytest.mark.parametrize("width", [340, 900])
def test_tooltip_by_touch(card: CardPage, summer, index, width) -> None:
    """A touch shows the interval under the finger; the tooltip stays within the card."""
    card.show(summer, language="de", width=width)
    card.page.touchscreen.tap(*card.place(index))
    price = f"{summer['intervals'][index][2] * 100:.2f}".replace(".", ",")
    assert price in card.text(".tip")
    inside = card.run(
        "(({left, right}, outer) => left >= outer.left && right <= outer.right)"
        "(root.querySelector('.tip').getBoundingClientRect(), card.getBoundingClientRect())"
    )
    assert inside


def test_by_keyboard(card: CardPage, summer) -> None:
    """The arrow keys move through the day from the current interval, and screen readers get the same text."""
    card.show(summer, language="en")
    current = next(
        index
        for index, row in enumerate(summer["intervals"])
        if row[0] <= NOW.timestamp() < row[1]
    )
    reached = []
    card.page.keyboard.press("Tab")
    card.page.keyboard.press("Tab")
    assert card.run("root.activeElement.className") == "cursor"
    for key in ("", "ArrowRight", "PageUp", "Home", "ArrowLeft", "End", "ArrowRight"):
        if key:
            card.page.keyboard.press(key)
        reached.append(
            card.run("Number(root.activeElement.getAttribute('aria-valuenow'))")
        )
    assert reached == [current, current + 1, current + 5, 0, 0, 191, 191]
    value_text = card.run("root.activeElement.getAttribute('aria-valuetext')")
    last = summer["intervals"][191]
    assert value_text == (
        f"Tomorrow, 11:45 PM – 12:00 AM, {last[2] * 100:.2f} ct/kWh, Cheap"
    )
    assert card.shown(".tip")
    card.page.keyboard.press("Escape")
    assert not card.shown(".tip")


def test_summary(card: CardPage, summer) -> None:
    """The chart has an accessible name that describes its content."""
    card.show(summer, language="de")
    assert card.run("root.querySelector('svg').getAttribute('role')") == "img"
    name = card.run("root.querySelector('svg').getAttribute('aria-labelledby')")
    words = card.text(f"#{name}")
    assert words.startswith("Strompreis: jetzt 22,48 ct/kWh, Normal. Heute von 19,")
    assert "im Durchschnitt 25,89 ct/kWh. Morgen von " in words
    assert words.endswith("Günstigste 2 Std. · Ø 17,8: morgen 02:30 – 04:30.")


def request_count(card: CardPage) -> int:
    """Return how many requests the card has sent."""
    return int(card.page.evaluate("asked.length"))


def change(card: CardPage, *entities: str, times: int = 1) -> None:
    """Give the card a new hass with changed states of these entities; wait until it would have sent a request."""
    for _ in range(times):
        card.page.evaluate(
            """(entities) => {
              const states = { ...window.hass.states };
              for (const entity of entities) states[entity] = { state: String(Math.random()) };
              window.hass = { ...window.hass, states };
              card.hass = window.hass;
            }""",
            list(entities),
        )
    card.wait(400)


def drawings(card: CardPage) -> int:
    """Return how often the card has been drawn since counting began."""
    return int(card.page.evaluate("window.drawings"))


def test_draws_only_relevant_changes(card: CardPage, summer) -> None:
    """Other entities have no effect; its own cause one request, and a redraw only if the response differs."""
    card.show(summer)
    card.page.evaluate("countDrawings()")
    change(card, "light.kitchen", "sensor.power", times=50)
    assert (request_count(card), drawings(card)) == (1, 0)
    # Several changes at once cause one request, and an identical response causes no redraw.
    change(card, ENTITY, LOAD, times=5)
    assert (request_count(card), drawings(card)) == (2, 0)
    card.answer(summer | {"loads": [load("Car", (NOW, NOW + timedelta(hours=1)))]})
    change(card, LOAD)
    # The first load needs a module.
    card.wait_for("root.querySelector('.run')")
    assert (request_count(card), drawings(card)) == (3, 1)
    # A new load has entities that the card does not know yet.
    card.page.evaluate("card.hass = { ...window.hass, entities: {} }")
    card.wait(400)
    assert (request_count(card), drawings(card)) == (4, 1)
    # Dark and light are up to the style sheet.
    card.page.evaluate("card.hass = { ...window.hass, themes: { darkMode: true } }")
    assert card.run("card.hasAttribute('dark')")
    card.page.evaluate("document.querySelector('#place').style.width = '700px'")
    card.wait_for("window.drawings > 1")
    assert drawings(card) == 2


def test_follows_the_clock(window: CardPage, summer) -> None:
    """At an interval boundary, the card is redrawn without a request."""
    window.page.clock.install(time=NOW)
    window.open()
    window.show(summer)
    before = window.text(".price")
    window.page.evaluate("countDrawings()")
    window.page.clock.run_for(10 * 60 * 1000)
    assert drawings(window) == 1
    assert request_count(window) == 1
    assert window.text(".price") != before
    assert sum(bar["past"] for bar in window.bars()) == 54


def test_a_card_that_comes_back_shows_the_time(window: CardPage, summer) -> None:
    """A view that is opened again shows the current interval, not the one from when it was left."""
    window.page.clock.install(time=NOW)
    window.open()
    window.show(summer)
    window.page.evaluate("card.remove()")
    window.page.clock.run_for(60 * 60 * 1000)
    window.page.evaluate("document.querySelector('#place').append(card)")
    window.page.clock.run_for(1000)
    assert sum(bar["past"] for bar in window.bars()) == 57


def test_in_a_cast_receiver(window: CardPage, summer) -> None:
    """The page of a Cast receiver has a different root element."""
    window.page.add_init_script("""
      const define = customElements.define.bind(customElements);
      const roots = { "home-assistant": "hc-main" };
      customElements.define = (tag, element) => define(roots[tag] || tag, element);
    """)
    window.open(NOW)
    window.show(summer)
    assert len(window.bars()) == 192


def swipe(card: CardPage, right: int, *, seconds: float = 0.2) -> None:
    """Swipe over the chart. The events say that it took this long, whatever the machine needs for them."""
    session = card.page.context.new_cdp_session(card.page)
    x, y = card.place(len(card.bars()) // 2)
    began = time.time()
    steps = [
        ("touchStart", [x], 0.0),
        *(("touchMove", [x + right * part / 4], 0.1) for part in range(5)),
        ("touchEnd", [], seconds),
    ]
    for kind, places, after in steps:
        session.send(
            "Input.dispatchTouchEvent",
            {
                "type": kind,
                "touchPoints": [{"x": place, "y": y} for place in places],
                "timestamp": began + after,
            },
        )
    session.detach()


def shown_days(card: CardPage) -> Any:
    """Return the pressed day buttons, and the days that are drawn."""
    return card.run(
        "[[...root.querySelectorAll('.days button[aria-pressed=true]')].map((one) => one.textContent),"
        " [...root.querySelectorAll('.day')].map((one) => one.textContent.split(/[, ]/)[0])]"
    )


def test_a_day_by_buttons(card: CardPage) -> None:
    """A button shows one day, or all if pressed again; yesterday is requested on demand, and the headline stays."""
    known = intervals([SUMMER - DAY, *both(SUMMER)])
    three = answer(known, NOW, wish=ChartOptions(yesterday=True))
    card.show(answer(known, NOW), language="en", width=344)
    assert shown_days(card) == [[], ["Today", "Tomorrow"]]
    assert "yesterday" not in card.page.evaluate("asked.at(-1)")
    price, buttons = card.text(".price"), card.page.get_by_role("group").get_by_role
    buttons("button", name="Tomorrow").click()
    assert shown_days(card) == [["Tomorrow"], ["Tomorrow"]]
    assert request_count(card) == 1
    buttons("button", name="Tomorrow").click()
    assert shown_days(card) == [[], ["Today", "Tomorrow"]]
    card.answer(three)
    # It also works by keyboard.
    buttons("button", name="Yesterday").focus()
    card.page.keyboard.press("Enter")
    card.wait_for("root.querySelector('.day').textContent.startsWith('Yesterday')")
    assert shown_days(card) == [["Yesterday"], ["Yesterday"]]
    assert card.page.evaluate("asked.at(-1).yesterday")
    assert all(bar["past"] for bar in card.bars())
    assert len(card.bars()) == 96
    assert card.text(".price") == price
    row = three["intervals"][40]
    card.page.mouse.move(*card.place(40))
    assert f"{row[2] * 100:.2f} ct/kWh" in card.text(".tip")
    assert "Yesterday 10:00 AM" in card.text(".tip")
    assert "Yesterday from " in card.text("#summary")


def test_a_day_by_swiping(window: CardPage) -> None:
    """A quick swipe shows the next or previous day, if there is one; a slow one points at intervals."""
    known = intervals([SUMMER - DAY, *both(SUMMER)])
    # The clock is real, since one that stands still would also change what the events say.
    window.open()
    window.show(
        answer(known, NOW, wish=ChartOptions(yesterday=True)), language="de", width=344
    )
    seen = []
    for right in (-120, -120, 120, 120, 120):
        swipe(window, right)
        seen.append(shown_days(window)[0])
    assert seen == [["Morgen"], ["Morgen"], ["Heute"], ["Gestern"], ["Gestern"]]
    swipe(window, -100, seconds=0.45)
    assert shown_days(window)[0] == ["Gestern"]
    assert window.shown(".tip")


def test_days_without_prices(card: CardPage) -> None:
    """A day without prices has no button; a day that is gone after midnight gives way to all; buttons can be hidden."""
    card.show(answer(intervals([SUMMER]), NOW), language="en")
    able = card.run(
        "[...root.querySelectorAll('.days button')].map((one) => !one.disabled)"
    )
    assert able == [False, True, False]
    known = intervals(both(SUMMER))
    card.show(answer(known, NOW), language="en")
    card.page.get_by_role("button", name="Tomorrow").click()
    card.answer(answer(known, NOW + DAY))
    change(card, ENTITY)
    assert shown_days(card) == [[], ["Today"]]
    card.show(answer(known, NOW), {"hide": ["days"]})
    assert not card.shown(".days")


def test_the_legend_hides_and_shows(card: CardPage, summer) -> None:
    """Each entry is a button that hides or shows its element; focus and hidden elements survive a redraw."""
    plan = battery("Battery", NOW, ("charge", 12, 80.0))
    start = int(NOW.timestamp()) // 900 * 900
    expected = {"start": start, "sun": [0.4] * 90, "need": [0.1] * 90}
    chart = summer | {"batteries": [plan], "expected": expected}
    card.show(chart, {"view": "parts"}, language="en", width=700)
    tops = [bar["top"] for bar in card.bars() if bar["key"] == "p0"]

    def drawn() -> set[str]:
        return {bar["key"] for bar in card.bars()} | set(
            card.run(
                "[...root.querySelectorAll('.expected')].map((one) => one.dataset.kind)"
            )
        )

    legend = card.page.get_by_role("group", name="Legend")
    assert drawn() == {"p0", "p1", "p2", "sun", "need"}
    legend.get_by_role("button", name="Grid", pressed=True).click()
    assert drawn() == {"p0", "p2", "sun", "need"}
    # The component above it moves down.
    assert [bar["top"] for bar in card.bars() if bar["key"] == "p0"] > tops
    legend.get_by_role("button", name="Sun").focus()
    card.page.keyboard.press("Space")
    assert drawn() == {"p0", "p2", "need"}
    assert card.run("root.activeElement.textContent") == "Sun"
    legend.get_by_role("button", name="Price").click()
    assert card.run("root.querySelectorAll('.total').length") == 0
    card.answer(chart | {"loads": [load("Car", (NOW, NOW + DAY))]})
    change(card, LOAD)
    card.wait_for("root.querySelector('.run')")
    assert card.run("root.querySelectorAll('.run').length") == 1
    assert drawn() == {"p0", "p2", "need"}
    for name in ("Grid", "Sun", "Price"):
        legend.get_by_role("button", name=name, pressed=False).click()
    assert drawn() == {"p0", "p1", "p2", "sun", "need"}
    assert card.run("root.querySelectorAll('.total').length") == 1


def test_modules_that_cannot_be_loaded(window: CardPage, summer) -> None:
    """A page from before an update may be too old for newer modules, but still draws the prices."""
    window.open(NOW)
    window.page.route(
        re.compile(r"/(cursor|days|loads|battery|messages)\.js"),
        lambda route: route.abort(),
    )
    plan = battery("Battery", NOW, ("charge", 12, 80.0))
    more = {"loads": [load("Car", (NOW, NOW + DAY))], "batteries": [plan]}
    window.show(summer | more)
    assert len(window.bars()) == 192
    window.show(summer, {"entity": ""})
    assert window.shown(".message")
    assert all("ERR_FAILED" in one for one in window.complaints)
    window.complaints.clear()
