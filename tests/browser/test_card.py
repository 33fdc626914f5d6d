"""Tests of the card as the browser draws it, with the integration's responses for simulated days."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
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
    AUTUMN,
    DAY,
    SPRING,
    SUMMER,
    SUNNY,
    answer,
    battery,
    both,
    hourly,
    intervals,
    load,
    local,
)

__all__ = ["browser", "card", "summer", "window"]

pytestmark = needs_chromium


@pytest.mark.parametrize(
    ("day", "days", "make", "count"),
    [
        (SUMMER, both(SUMMER), intervals, 192),
        (SUMMER, [SUMMER], intervals, 96),
        (SPRING, [SPRING], intervals, 92),
        (AUTUMN, [AUTUMN], intervals, 100),
        (AUTUMN, both(AUTUMN), intervals, 196),
        (SUMMER, [SUMMER], hourly, 24),
    ],
)
@pytest.mark.parametrize("width", [340, 900])
def test_every_interval_is_a_bar(
    window: CardPage, day, days, make, count, width
) -> None:
    """Each interval has a bar, side by side, in the colour of its level; past bars look different."""
    now = local(day, 13, 22)
    window.open(now)
    chart = answer(make(days), now)
    window.show(chart, width=width)
    bars = window.bars()
    assert len(bars) == count
    levels = [row[3] for row in chart["intervals"]]
    assert [bar["key"] for bar in bars] == [f"l{level}" for level in levels]
    assert len(set(levels)) == 5
    over = [row[1] <= now.timestamp() for row in chart["intervals"]]
    assert [bar["past"] for bar in bars] == over
    assert len({bar["left"] for bar in bars}) == count
    # The bar of an expensive interval is higher than that of a cheap one, and all start on the same line.
    heights = {
        row[2]: -bar["top"] for row, bar in zip(chart["intervals"], bars, strict=True)
    }
    prices = sorted(heights)
    assert [heights[price] for price in prices] == sorted(heights.values())
    assert len({bar["bottom"] for bar in bars}) == 1
    assert window.text(".note") == "" or count < 190


def test_the_same_hours_on_the_longest_day(window: CardPage) -> None:
    """The repeated hour is drawn twice, and the labels are correct."""
    now = local(AUTUMN, 13, 22)
    window.open(now)
    window.show(answer(intervals([AUTUMN]), now), width=1300, language="de")
    labels = window.run(
        "[...root.querySelectorAll('svg text[text-anchor=middle]')].map((one) => one.textContent)"
    )
    assert labels[:4] == ["00:00", "01:00", "02:00A", "02:00B"]
    assert len(labels) == 26


def test_the_repeated_hour_has_two_names(window: CardPage) -> None:
    """Tooltip, accessible text and best window distinguish the two hours; times on other days have no suffix."""
    now = local(AUTUMN, 0, 22)
    window.open(now)
    chart = answer(intervals(both(AUTUMN)), now)
    chart["windows"] = [
        chart["windows"][0]
        | {"start": chart["intervals"][8][0], "end": chart["intervals"][12][0]}
    ]
    window.show(chart, language="de")
    assert window.text(".time") == "02:00A – 02:00B"
    tooltips = []
    for index in (7, 8, 11, 12, 15, 16, 108):
        window.page.mouse.move(*window.place(index))
        words = window.run(
            "root.querySelector('.cursor').getAttribute('aria-valuetext')"
        )
        tooltips.append(window.text(".tip span").partition(" ")[2])
        assert tooltips[-1] in words
    assert tooltips == [
        "01:45 – 02:00A",
        "02:00A – 02:15A",
        "02:45A – 02:00B",
        "02:00B – 02:15B",
        "02:45B – 03:00",
        "03:00 – 03:15",
        "02:00 – 02:15",
    ]
    window.show(chart, language="en")
    assert window.text(".time") == "2:00 AM (A) – 2:00 AM (B)"


def test_from_right_to_left(card: CardPage, summer) -> None:
    """In a right-to-left language, the layout is mirrored, but the time axis still runs from left to right."""
    card.show(summer, language="he", rtl=True, locale={"time_format": "24"}, width=600)
    box = card.run(
        "(({left, right}) => [left, right])(root.querySelector('.plot').getBoundingClientRect())"
    )
    places = {
        name: card.run(
            f"(({{left, right}}) => [left, right])({found}.getBoundingClientRect())"
        )
        for name, found in {
            "price": "root.querySelector('.price')",
            "unit": "root.querySelector('.unit')",
            "best": "root.querySelector('.best')",
            "axis": "root.querySelector('svg text')",
            "toggle": "root.querySelector('.toggle')",
        }.items()
    }
    middle = sum(box) / 2
    assert places["best"][1] < middle < places["price"][0] < places["unit"][0]
    assert places["toggle"][0] == pytest.approx(box[0], abs=1)
    # The price axis is on the right; the first bar of today is on the left.
    assert box[1] - 30 < places["axis"][0] < places["axis"][1] <= box[1]
    x, y = card.place(0)
    assert x < box[0] + 10
    card.page.mouse.move(x, y)
    assert card.text(".tip span") == "Today 00:00 – 00:15"
    # A time is always read from left to right, even without a word before it.
    ends = card.run("""[...root.querySelectorAll('.time, .tip > span')].map((one) => {
      const text = one.firstChild;
      const at = (index) => {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + 1);
        return range.getBoundingClientRect().left;
      };
      return at(0) < at(text.length - 1);
    })""")
    assert all(ends)


def test_the_headline(card: CardPage, summer) -> None:
    """It shows the current price, its level and the best window, in English and with a decimal point."""
    card.show(summer, language="en")
    row = next(row for row in summer["intervals"] if row[0] <= NOW.timestamp() < row[1])
    assert card.text(".price") == f"{row[2] * 100:.2f}"
    assert card.text(".unit") == "ct/kWh"
    levels = ["Very cheap", "Cheap", "Normal", "Expensive", "Very expensive"]
    assert card.text(".chip span:last-child") == levels[row[3] - 1]
    assert card.text(".best .label").startswith("Cheapest 2 h · Ø ")
    assert card.text(".time") == "tomorrow 2:30 AM – 4:30 AM"


def test_in_german(card: CardPage, summer) -> None:
    """Texts, numbers and times are German."""
    card.show(summer, language="de")
    assert card.text(".head .label") == "Strompreis"
    assert card.text(".price") == "22,48"
    assert card.text(".best .label") == "Günstigste 2 Std. · Ø 17,8"
    assert card.text(".time") == "morgen 02:30 – 04:30"
    assert card.text(".toggle") == "Anteile"
    days = card.run("[...root.querySelectorAll('.day')].map((one) => one.textContent)")
    assert days == ["Heute, Mi., 10. Juni · Ø 25,9", "Morgen, Do., 11. Juni · Ø 24,7"]
    words = card.run("root.querySelector('ha-card').textContent")
    english = ("Today", "Tomorrow", "Cheap", "price", "Price", "Parts")
    assert not [word for word in english if word in words.split("}")[-1]]


@pytest.mark.parametrize(
    ("locale", "price", "time"),
    [
        ({"number_format": "comma_decimal"}, "22.48", "02:30"),
        ({"number_format": "quote_decimal"}, "22.48", "02:30"),
        ({"number_format": "space_comma", "time_format": "12"}, "22,48", "2:30 AM"),
        ({"time_format": "24"}, "22,48", "02:30"),
    ],
)
def test_the_users_own_formats(card: CardPage, summer, locale, price, time) -> None:
    """The profile's number and time formats override those of the language."""
    card.show(summer, language="de", locale=locale)
    assert card.text(".price") == price
    assert time in card.text(".time")


def test_euros(card: CardPage, summer) -> None:
    """In euros, prices have four decimals, and so has the axis."""
    card.show(summer, {"unit": "eur"}, language="en")
    assert card.text(".price") == "0.2248"
    assert card.text(".unit") == "EUR/kWh"
    labels = card.run(
        "[...root.querySelectorAll('svg text[text-anchor=end]')].map((one) => one.textContent)"
    )
    assert labels == ["0.0", "0.1", "0.2", "0.3", "0.4"]


def test_negative_prices_hang_below_zero(window: CardPage) -> None:
    """The bar of a negative price goes down from the zero line."""
    now = local(SUNNY, 9, 40)
    window.open(now)
    chart = answer(intervals(both(SUNNY), less=0.22), now)
    prices = [row[2] for row in chart["intervals"]]
    assert min(prices) < -0.02
    assert max(prices) > 0.02
    window.show(chart)
    zero = window.run("Number(root.querySelector('.zero').getAttribute('y1'))")
    for price, bar in zip(prices, window.bars(), strict=True):
        if price > 0.002:
            assert bar["bottom"] == pytest.approx(zero, abs=1)
            assert bar["top"] < zero
        if price < -0.002:
            assert bar["top"] == pytest.approx(zero, abs=1)
            assert bar["bottom"] > zero + 1
    assert "−" in window.text(".price")


def test_stacked_by_component(card: CardPage, summer) -> None:
    """The button switches between bars of components and bars of levels."""
    card.show(summer)
    assert {bar["key"][0] for bar in card.bars()} == {"l"}
    card.page.locator("nomos-price-card .toggle").click()
    assert Counter(bar["key"] for bar in card.bars()) == {
        "p0": 192,
        "p1": 192,
        "p2": 192,
    }
    assert card.run("root.querySelectorAll('path.total').length") == 1
    assert (
        card.run("root.querySelector('.toggle').getAttribute('aria-pressed')") == "true"
    )
    assert "Grid" in card.text(".legend")
    card.page.locator("nomos-price-card .toggle").click()
    assert {bar["key"][0] for bar in card.bars()} == {"l"}
    card.show(summer, {"view": "parts"})
    assert len(card.bars()) == 3 * 192


def test_feed_in(window: CardPage) -> None:
    """High payouts are good: colours are reversed, texts differ, and there are no components."""
    now = local(SUMMER, 13, 22)
    window.open(now)
    known = intervals(both(SUMMER), feed_in=True)
    chart = answer(known, now, pays=True)
    window.show(chart, language="de")
    colours = [bar["key"] for bar in window.bars()]
    assert colours == [f"l{6 - row[3]}" for row in chart["intervals"]]
    assert window.text(".head .label") == "Einspeisevergütung"
    assert window.text(".best .label").startswith("Beste 2 Std.")
    assert window.text(".legend") == "NiedrigHoch"


def test_gaps_stay_gaps(card: CardPage) -> None:
    """A missing interval, or one without a price, has no bar rather than a bar of zero."""
    known = intervals(both(SUMMER))
    del known[20:30]
    chart = answer(known, NOW)
    chart["intervals"][100][2] = chart["intervals"][100][3] = None
    card.show(chart)
    assert len(card.bars()) == 181
    assert not [bar for bar in card.bars() if bar["key"] == "lnull"]


def test_nothing_known(card: CardPage, summer) -> None:
    """Without prices, an account or an entity, the card says so in a sentence."""
    card.show(answer([], NOW), language="de")
    assert card.text(".message").startswith("Es sind noch keine Preise bekannt.")
    assert not card.shown(".plot")
    card.show(None, language="en")
    assert card.text(".message") == "Waiting for Nomos. The card fills by itself."
    card.show(summer, {"entity": ""}, language="en")
    assert card.text(".message").startswith("Choose the current price")
    card.show(summer)
    assert card.shown(".plot")
    assert not card.shown(".message")


def test_loads_and_a_hostile_name(card: CardPage, summer) -> None:
    """Each load's runs are in their own lane, and its name is never interpreted as HTML."""
    hostile = "<img src=x onerror=alert(1)>"
    runs = [
        (local(SUMMER, 13), local(SUMMER, 15)),
        (local(SUMMER, 20), local(SUMMER, 21)),
    ]
    old = (local(SUMMER - DAY, 3), local(SUMMER - DAY, 4))
    chart = summer | {
        "loads": [load(hostile, *runs, running=True), load("Gone", old), load("Car")]
    }
    card.show(chart, width=900)
    assert card.run("root.querySelectorAll('.track').length") == 1
    assert card.run("root.querySelectorAll('.run').length") == 2
    assert card.text(".lane") == f"▶ {hostile}"
    card.page.mouse.move(*card.place(54))
    assert hostile in card.text(".tip")
    card.show(chart, {"title": hostile})
    assert hostile in card.text(".head .label")
    assert card.run("root.querySelectorAll('img').length") == 0
    # A name that does not fit is truncated.
    card.show(chart | {"loads": [load("Hot water " * 9, *runs)]}, width=340)
    assert card.text(".lane").endswith("…")
    assert card.run("root.querySelector('.lane').getBBox().width") < 200


def expected() -> dict[str, Any]:
    """Return forecasts from now on, as in the response to a card."""
    start = int(NOW.timestamp()) // 900 * 900
    return {"start": start, "sun": [0.4] * 90, "need": [0.1] * 90}


def test_batteries(card: CardPage, summer) -> None:
    """A battery is a band with its level, named in tooltip and accessible texts; it can be hidden."""
    plan = battery(
        "Battery",
        NOW,
        ("charge", 12, 80.0),
        ("hold", 16, 80.0),
        ("self_use", 20, 15.0),
    )
    chart = summer | {"batteries": [plan], "loads": [load("Car", (NOW, NOW + DAY / 8))]}
    card.show(chart, width=900)
    assert card.run("root.querySelectorAll('.mode').length") == 2
    assert card.run("root.querySelectorAll('.level').length") == 1
    card.page.mouse.move(*card.place(54))
    assert "Battery: " in card.text(".tip")
    assert "Battery: charge" in card.text("#summary")
    assert card.run("root.querySelectorAll('.expected').length") == 0
    chart["expected"] = expected()
    card.show(chart, width=900)
    assert card.text(".legend").endswith("SunNeed")
    card.page.mouse.move(*card.place(54))
    assert "Sun1.6 kW" in card.text(".tip")
    card.show(chart, {"hide": ["batteries", "expected"]}, language="de")
    assert card.run("root.querySelectorAll('.level, .expected').length") == 0
    card.show(chart, language="de")
    assert "Battery: laden" in card.text("#summary")


@pytest.mark.parametrize("loads", [0, 1, 3, 8])
@pytest.mark.parametrize("width", [238, 320, 500])
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_smallest_size_hides_nothing(
    window: CardPage, width, language, loads
) -> None:
    """At its smallest size in a section, the card still shows everything: every note and any number of loads."""
    window.open(NOW)
    runs = (NOW, NOW + timedelta(hours=2))
    chart = answer(
        intervals([SUMMER]), NOW, loads=[load(f"Load {i}", runs) for i in range(loads)]
    )
    if loads in (1, 3):
        plan = battery("Battery", NOW, ("charge", 8, 80.0), ("hold", 16, 80.0))
        chart |= {"batteries": [plan], "expected": expected()}
    window.show(chart, language=language, width=width, time_zone="America/New_York")
    grid = window.run("card.getGridOptions()")
    # A section has twelve columns and is 320 to 500 pixels wide; rows have 56 pixels with gaps of 8.
    assert (320 + 8) / 12 * grid["min_columns"] - 8 == 238
    window.page.evaluate("countDrawings()")
    window.page.evaluate(
        "height => { document.querySelector('#place').style.height = `${height}px`; }",
        grid["min_rows"] * 64 - 8,
    )
    window.wait_for("window.drawings")
    inside = """((box) => [...root.querySelectorAll('.head *, .plot, svg .bars, svg .run, svg .expected, .legend *, .toggle, .note')]
      .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width)
      .filter((one) => {
        const { left, right, top, bottom } = one.getBoundingClientRect();
        return left < box.left || right > box.right || top < box.top || bottom > box.bottom - 4;
      }).map((one) => `${one.className.baseVal ?? one.className}: ${one.textContent}`))(card.getBoundingClientRect())"""
    assert window.run(inside) == []
    assert window.shown(".toggle")
    assert window.shown(".note")
    places = window.run(
        "[...root.querySelectorAll('.run')].map((one) => [Number(one.getAttribute('y')), one.height.baseVal.value])"
    )
    assert len(places) == loads
    areas = window.run(
        "[...root.querySelectorAll('.expected')].map((one) => one.getBBox().height)"
    )
    assert len(areas) == (2 if loads in (1, 3) else 0)
    assert all(height > 1 for height in areas)
    for (top, height), (following, _) in pairwise(places):
        assert 2 < height < following - top
    bars = window.bars()
    assert max(bar["bottom"] - bar["top"] for bar in bars) > 30


def test_a_registry_that_is_replaced(window: CardPage) -> None:
    """The frontend replaces the registry of custom elements while it loads; the card is in the new one, too."""
    window.open(NOW)
    window.page.evaluate("""async () => {
      await customElements.whenDefined("nomos-price-card");
      const known = new Map();
      const native = customElements;
      Object.defineProperty(window, "customElements", { value: {
        get: (tag) => known.get(tag), define: (tag, element) => known.set(tag, element),
        whenDefined: (tag) => native.whenDefined(tag),
      } });
    }""")
    window.page.wait_for_function(
        "() => customElements.get('nomos-price-card')", timeout=5000
    )
