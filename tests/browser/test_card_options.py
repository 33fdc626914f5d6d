"""Tests of the card's options and of the form in which they are chosen."""

from datetime import timedelta

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
from tests.browser.card_page import FRONTEND, CardPage
from tests.browser.card_samples import ENTITY, SUMMER, answer, both, intervals, load

__all__ = ["browser", "card", "summer", "window"]

pytestmark = needs_chromium


def test_options(card: CardPage, summer) -> None:
    """Hidden parts are not drawn, and a single day fills the chart's width."""
    chart = summer | {"loads": [load("Car", (NOW, NOW + timedelta(hours=1)))]}
    card.show(chart)
    for selector in (".mean", ".best-fill", ".run"):
        assert card.run(f"root.querySelectorAll('{selector}').length"), selector
    card.show(
        chart, {"hide": ["average", "window", "loads", "legend"], "days": "today"}
    )
    for selector in (".mean", ".best-fill", ".run"):
        assert not card.run(f"root.querySelectorAll('{selector}').length"), selector
    assert len(card.bars()) == 96
    assert not card.shown(".best")
    assert card.text(".legend") == ""
    card.show(chart, {"window_minutes": 90, "title": "Kitchen"})
    assert card.page.evaluate("asked.at(-1).window_minutes") == 90
    assert card.text(".head .label") == "Kitchen"


@pytest.mark.parametrize(
    "config",
    [
        {"unit": "cents"},
        {"days": "week"},
        {"view": "pie"},
        {"layout": "huge"},
        {"resolution": "week"},
        {"window_minutes": 5},
        {"window_minutes": "two"},
        {"windows": 6},
        {"hide": "legend"},
        {"hide": ["title"]},
    ],
)
def test_wrong_options_are_refused(card: CardPage, config) -> None:
    """An invalid option is an error that names it; Home Assistant shows the error instead of the card."""
    wrong = card.page.evaluate(
        """(config) => customElements.whenDefined("nomos-price-card").then(() => {
          try { document.createElement("nomos-price-card").setConfig(config); } catch (error) { return error.message; }
        })""",
        {"entity": ENTITY, **config},
    )
    assert next(iter(config)) in wrong


def test_editor(card: CardPage) -> None:
    """The form has a field for every option, with a label in the page's language and a valid selector."""
    form = card.page.evaluate("""async () => {
      document.documentElement.lang = "de";
      await customElements.whenDefined("nomos-price-card");
      document.querySelector("home-assistant").hass = { entities: {
        a: { entity_id: "sensor.level", platform: "nomos", translation_key: "price_level" },
        b: { entity_id: "sensor.paid", platform: "nomos", translation_key: "payout" },
        c: { entity_id: "sensor.price", platform: "nomos", translation_key: "price" },
        d: { entity_id: "sensor.other", platform: "other", translation_key: "price" },
      } };
      const element = customElements.get("nomos-price-card");
      const form = await element.getConfigForm();
      const fields = form.schema.flatMap((field) => field.schema || [field]);
      form.assertConfig(element.getStubConfig(document.querySelector("home-assistant").hass));
      const listed = window.customCards.find((one) => one.type === "nomos-price-card");
      const hass = document.querySelector("home-assistant").hass;
      return {
        fields: fields.map((field) => [field.name, Object.keys(field.selector), form.computeLabel(field)]),
        entities: fields[0].selector.entity.include_entities,
        stub: element.getStubConfig(hass),
        listed: [listed.name, listed.documentationURL.split("/").pop(), listed.preview, listed.getEntitySuggestion(hass, "sensor.price").config.entity],
        none: listed.getEntitySuggestion(hass, "sensor.level"),
        grid: new element().getGridOptions(),
        size: new element().getCardSize(),
      };
    }""")
    assert [field[:2] for field in form["fields"]] == [
        ["entity", ["entity"]],
        ["title", ["text"]],
        ["layout", ["select"]],
        ["unit", ["select"]],
        ["days", ["select"]],
        ["view", ["select"]],
        ["resolution", ["select"]],
        ["window_minutes", ["number"]],
        ["windows", ["number"]],
        ["hide", ["select"]],
        ["tap_action", ["ui_action"]],
        ["hold_action", ["ui_action"]],
        ["double_tap_action", ["ui_action"]],
    ]
    assert all(label for _, _, label in form["fields"])
    assert form["fields"][7][2] == "Länge der besten Zeit"
    assert form["entities"] == ["sensor.price", "sensor.paid"]
    assert form["stub"]["entity"] == "sensor.price"
    assert form["listed"] == ["Nomos-Preis", "card.de.md", True, "sensor.price"]
    assert form["none"] is None
    assert form["grid"]["columns"] == 12
    assert form["size"] > 0


def test_several_windows(card: CardPage) -> None:
    """Each best window is drawn, and listed with its average in chronological order."""
    chart = answer(intervals(both(SUMMER)), NOW, wish=ChartOptions(windows=3))
    card.show(chart, {"windows": 3}, language="en")
    assert card.page.evaluate("asked.at(-1).windows") == 3
    assert card.run("root.querySelectorAll('.best-fill').length") == 3
    assert card.text(".best .label") == "Cheapest 2 h"
    times = card.run(
        "[...root.querySelectorAll('.best .time')].map((one) => one.textContent)"
    )
    assert len(times) == 3
    averages = [float(one.split("Ø ")[1]) for one in times]
    begins = sorted(chart["windows"], key=lambda one: one["start"])
    assert averages == [round(one["average"] * 100, 1) for one in begins]
    assert min(averages) == round(chart["windows"][0]["average"] * 100, 1)
    assert times[0] in card.text("#summary")


def test_hours(card: CardPage) -> None:
    """A card that draws hours requests them, but still shows the current interval's price until its end."""
    known = intervals(both(SUMMER))
    exact = answer(known, NOW)["intervals"]
    current = next(row for row in exact if row[0] <= NOW.timestamp() < row[1])
    hours = answer(known, NOW, wish=ChartOptions(hours=True))
    card.show(hours, {"resolution": "hour"}, language="en")
    assert card.page.evaluate("asked.at(-1).resolution") == "hour"
    assert len(card.bars()) == 48
    assert sum(bar["past"] for bar in card.bars()) == 13
    assert card.text(".price") == f"{current[2] * 100:.2f}"
    card.page.mouse.move(*card.place(13))
    mean = sum(row[2] for row in exact[52:56]) / 4
    assert f"{mean * 100:.2f} ct/kWh" in card.text(".tip")
    assert f"{mean * 100:.2f}" != card.text(".price")
    assert "1:00 PM – 2:00 PM" in card.text(".tip")


def test_size() -> None:
    """Both what every page loads and what a card with prices loads in addition stay small."""
    with_prices = {"cursor.js", "days.js", "words.js"}
    others = {
        "nomos-dashboard.js",
        "nomos-start.js",
        "nomos-price-card-editor.js",
        "actions.js",
        "battery.js",
        "loads.js",
        "tile.js",
        "messages.js",
    }
    sizes = {path.name: path.stat().st_size for path in FRONTEND.glob("*.js")}
    assert with_prices | others < sizes.keys()
    shown = sum(size for name, size in sizes.items() if name not in others)
    assert shown - sum(sizes[name] for name in with_prices) < 48_000
    assert shown < 57_000
