"""Tests of the ready-made dashboard that its strategy generates from a hub's entities."""

from collections.abc import Iterator
from typing import Any

import pytest

from custom_components.nomos.battery.entities import BATTERY_SENSORS
from custom_components.nomos.loads.controls import (
    BUTTONS,
    DURATION,
    ENERGY,
    PLANNED,
    TARGET_CHARGE,
    TIMES,
)
from custom_components.nomos.loads.entities import LOAD_SENSORS, RUN_NOW
from tests.browser.card_page import CardPage, find_chromium, open_chromium

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="there is no Chromium here; scripts/test-e2e installs Debian's",
)

CONSUMPTION = (
    "price",
    "next_price",
    "price_level",
    "lowest_price_today",
    "average_price_today",
    "highest_price_today",
)
LOAD = (
    "run_now",
    "load_skip",
    "load_start_now",
    "load_status",
    "next_start",
    "next_end",
    "expected_cost",
    "load_target_charge",
)


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """Return a page on which the strategy is loaded."""
    with open_chromium() as browser:
        card = CardPage(browser.new_page())
        card.open()
        yield card.page
        assert not card.complaints


def hub(**devices: tuple[str, ...]) -> dict[str, Any]:
    """Return the registries of a hub with these devices and entities."""
    entities = [
        {
            "entity_id": f"sensor.{device}_{key}",
            "device_id": device,
            "platform": "nomos",
            "translation_key": key,
            "name": key,
        }
        for device, keys in devices.items()
        for key in keys
    ]
    return {
        "entities": {one["entity_id"]: one for one in entities},
        "devices": {device: {"name": device.title()} for device in devices},
        "states": {one["entity_id"]: {"state": "1"} for one in entities},
    }


def generate(
    page: Any, options: dict[str, Any], statistics: Any = None, **config: Any
) -> Any:
    """Return the dashboard that the strategy generates for a hub."""
    return page.evaluate(
        """async ([options, statistics, config]) => {
          window.answers = { "recorder/list_statistic_ids": statistics ?? { error: { code: "unknown_command" } } };
          await customElements.whenDefined("ll-strategy-dashboard-nomos");
          const strategy = customElements.get("ll-strategy-dashboard-nomos");
          return strategy.generate({ type: "custom:nomos", ...config }, makeHass(options));
        }""",
        [options, statistics, config],
    )


def cards(view: Any) -> list[Any]:
    """Return the cards of a view in order."""
    return [card for section in view["sections"] for card in section["cards"]]


def hidden_if_unknown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row that is hidden while its entity is unknown."""
    return {
        "type": "conditional",
        "conditions": unless(row["entity"], "unknown", "unavailable"),
        "row": row,
    }


def unless(entity: str, *states: str) -> list[dict[str, Any]]:
    """Return the condition that an entity has none of the given states."""
    return [{"condition": "state", "entity": entity, "state_not": [*states]}]


def button(entity: str, action: str) -> dict[str, Any]:
    """Return a row with a labelled button."""
    return {
        "type": "button",
        "entity": entity,
        "name": entity.partition("_")[2],
        "action_name": action,
        "tap_action": {
            "action": "perform-action",
            "perform_action": "button.press",
            "target": {"entity_id": entity},
        },
    }


def test_offered_when_a_dashboard_is_added(page: Any) -> None:
    """Home Assistant lists it among the community dashboards, and suggests a title and an icon."""
    listed = page.evaluate(
        """() => {
          document.documentElement.lang = "de";
          const [one] = window.customStrategies;
          const strategy = customElements.get("ll-strategy-dashboard-nomos");
          return [one.type, one.strategyType, one.name, one.description, strategy.getCreateSuggestions().title,
            strategy.noEditor, strategy.registryDependencies, one.documentationURL];
        }"""
    )
    assert listed[:3] == ["nomos", "dashboard", "Nomos"]
    assert listed[3].startswith("Preis, beste Zeiten")
    assert listed[4:-1] == ["Nomos", True, ["entities", "devices"]]
    assert listed[-1].endswith("/docs/card.de.md")


def test_a_contract_with_loads(page: Any) -> None:
    """It has the card first, then today's figures, each load and the history."""
    options = hub(nomos=CONSUMPTION, dishwasher=LOAD, car=LOAD)
    [view] = generate(page, {"language": "de", **options})["views"]
    assert view["title"] == "Nomos"
    assert view["path"] == "nomos-price"
    shown = cards(view)
    assert shown[0] == {
        "type": "custom:nomos-price-card",
        "entity": "sensor.nomos_price",
        # The sensors next to it are in EUR/kWh.
        "unit": "eur",
        "grid_options": {"columns": "full"},
    }
    [in_cents] = generate(page, options, unit="ct")["views"]
    assert cards(in_cents)[0] == shown[0] | {"unit": "ct"}
    headings = [card["heading"] for card in shown if card["type"] == "heading"]
    assert headings == ["Preis heute", "Dishwasher", "Car", "Verlauf"]
    tiles = [card["entity"] for card in shown if card["type"] == "tile"]
    assert tiles == [f"sensor.nomos_{key}" for key in CONSUMPTION[2:]]
    lists = [card["entities"] for card in shown if card["type"] == "entities"]
    for rows, device in zip(lists, ("dishwasher", "car"), strict=True):
        assert rows == [
            {"entity": f"sensor.{device}_load_status", "name": "load_status"},
            *(
                hidden_if_unknown(
                    {
                        "entity": f"sensor.{device}_{key}",
                        "name": key,
                        "format": "time",
                    }
                )
                for key in ("next_start", "next_end")
            ),
            hidden_if_unknown(
                {"entity": f"sensor.{device}_expected_cost", "name": "expected_cost"}
            ),
            {
                "entity": f"sensor.{device}_load_target_charge",
                "name": "load_target_charge",
            },
            button(f"sensor.{device}_load_start_now", "Starten"),
            button(f"sensor.{device}_load_skip", "Auslassen"),
        ]
    assert shown[-1]["type"] == "history-graph"
    names = {
        card["entity"].partition("_")[2]: card["name"]
        for card in shown
        if card["type"] == "tile"
    }
    assert names == {
        "price_level": {"type": "entity"},
        "lowest_price_today": "Niedrigster",
        "average_price_today": "Durchschnitt",
        "highest_price_today": "Höchster",
    }


def test_a_contract_without_prices(page: Any) -> None:
    """Rows that would only show "unknown" are hidden, since the card says why; past values stay after supply ended."""
    options = hub(nomos=(*CONSUMPTION, "contract_status"))
    [view] = generate(page, {"language": "en", **options})["views"]
    card, today, history = view["sections"]
    assert "visibility" not in card
    highest = "sensor.nomos_highest_price_today"
    assert today["visibility"] == unless(highest, "unknown", "unavailable")
    assert history["visibility"] == unless("sensor.nomos_contract_status", "pending")


def test_a_battery(page: Any) -> None:
    """A battery has its reason as a sentence, and a list of its entities."""
    keys = tuple(str(one.translation_key) for one in BATTERY_SENSORS)
    options = hub(nomos=CONSUMPTION, cellar=keys)
    [view] = generate(page, {"language": "de", **options})["views"]
    shown = cards(view)
    assert "Cellar" in [card.get("heading") for card in shown]
    [reason] = [card for card in shown if card["type"] == "markdown"]
    assert 'state_attr("sensor.cellar_battery_mode", "reason")' in reason["content"]
    [rows] = [card["entities"] for card in shown if card["type"] == "entities"]
    assert [row["entity"].removeprefix("sensor.cellar_") for row in rows] == list(keys)
    formats = {row["entity"]: row.get("format") for row in rows}
    assert formats["sensor.cellar_battery_next_change"] == "time"


def test_entities_of_a_load(page: Any) -> None:
    """The list has all default entities of a load, except those that its status already covers."""
    descriptions = (*LOAD_SENSORS, *BUTTONS, *TIMES, PLANNED, RUN_NOW)
    keys = {
        str(one.translation_key)
        for one in descriptions
        if one.entity_registry_enabled_default
    }
    for need in (DURATION, ENERGY, TARGET_CHARGE):
        shown = keys | {str(need.translation_key)}
        options = hub(nomos=CONSUMPTION, load=tuple(shown))
        [view] = generate(page, {"language": "en", **options})["views"]
        [rows] = [
            card["entities"] for card in cards(view) if card["type"] == "entities"
        ]
        found = {
            row.get("row", row)["entity"].removeprefix("sensor.load_") for row in rows
        }
        assert found == shown - {RUN_NOW.translation_key}


def test_several_contracts(page: Any) -> None:
    """Each contract has its own view; hidden entities are not shown."""
    options = hub(roof=("payout",), nomos=CONSUMPTION, dishwasher=LOAD)
    options["entities"]["sensor.nomos_average_price_today"]["hidden"] = True
    del options["states"]["sensor.nomos_highest_price_today"]
    roof, house = generate(page, {"language": "en", **options})["views"]
    assert [(view["title"], view["show_icon_and_title"]) for view in (roof, house)] == [
        ("Roof", True),
        ("Nomos", True),
    ]
    assert cards(roof)[0]["entity"] == "sensor.roof_payout"
    assert not [card for card in cards(roof) if card["type"] == "tile"]
    tiles = [card["entity"] for card in cards(house) if card["type"] == "tile"]
    [listed] = [card["entities"] for card in cards(house) if card["type"] == "entities"]
    assert listed[0]["entity"] == "sensor.dishwasher_load_status"
    assert "sensor.nomos_average_price_today" not in tiles
    assert "sensor.nomos_highest_price_today" not in tiles


def test_each_load_with_its_contract(page: Any) -> None:
    """A load is shown with its contract, or with the first contract if its own is hidden."""
    loads = dict.fromkeys(("boiler", "car", "dryer", "pump"), LOAD)
    options = hub(roof=("payout",), house=CONSUMPTION, garage=CONSUMPTION, **loads)
    for load, contract in {
        "boiler": "house",
        "car": "garage",
        "dryer": "gone",
        "pump": None,
    }.items():
        options["devices"][load]["via_device_id"] = contract
    views = generate(page, {"language": "en", **options})["views"]
    headings = {
        view["title"]: [
            card["heading"]
            for card in cards(view)
            if card["type"] == "heading" and card["heading"].lower() in loads
        ]
        for view in views
    }
    assert headings == {
        "Roof": [],
        "House": ["Boiler", "Dryer", "Pump"],
        "Garage": ["Car"],
    }


def statistics_of(source: str, *names: str) -> list[dict[str, str]]:
    """Return statistics as Home Assistant lists them."""
    return [{"statistic_id": f"{source}:{name}", "source": source} for name in names]


def test_usage_if_it_is_known(page: Any) -> None:
    """Usage and cost get a view if there are statistics by Nomos, not by another integration."""
    ours = statistics_of("nomos", "a_usage", "a_cost")
    others = statistics_of("other", "a_usage", "b_usage")
    views = generate(page, hub(nomos=CONSUMPTION), ours + others)["views"]
    assert len(views) == 2
    graphs = [card["entities"] for card in cards(views[1])]
    assert graphs == [["nomos:a_usage"], ["nomos:a_cost"]]
    assert len(generate(page, hub(nomos=CONSUMPTION), others)["views"]) == 1


def test_nothing_is_counted_twice(page: Any) -> None:
    """No stacked bar is the sum of others, and feed-in payments do not count as cost."""
    bought = ("usage", "cost", "base_fee", "total_cost")
    known = statistics_of(
        "nomos",
        *(f"{contract}_{series}" for contract in "ab" for series in bought),
        "c_returned",
        "c_compensation",
    )
    options = {"language": "de", **hub(nomos=CONSUMPTION)}
    graphs = cards(generate(page, options, known)["views"][-1])
    assert {graph["title"]: graph["entities"] for graph in graphs} == {
        "Verbrauch": ["nomos:a_usage", "nomos:b_usage"],
        "Kosten": [
            "nomos:a_cost",
            "nomos:b_cost",
            "nomos:a_base_fee",
            "nomos:b_base_fee",
        ],
        "Einspeisung": ["nomos:c_returned"],
        "Erlös": ["nomos:c_compensation"],
    }
    assert {graph["chart_type"] for graph in graphs} == {"bar-stack"}


def test_without_a_contract(page: Any) -> None:
    """Without an account, the dashboard says what to do."""
    [view] = generate(page, {"language": "de", **hub()})["views"]
    assert "Füge Nomos" in view["cards"][0]["content"]
