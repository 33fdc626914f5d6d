"""Tests of what counts as a change for a trigger, with states set by the test."""

import logging
from typing import Any

import pytest

from custom_components.nomos.pricing import Level
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.automation.helpers import (
    QUARTER,
    Registered,
    automate,
    automate_crossing,
    crossing,
    ids,
    registered,
    show,
    trigger,
)
from tests.integration.helpers import Advance

GONE = (STATE_UNAVAILABLE, STATE_UNKNOWN)

__all__ = ["registered"]


@pytest.mark.parametrize(
    ("kind", "limits", "states", "fires"),
    [
        ("below", (0.2,), (0.25, 0.2), 0),
        ("below", (0.2,), (0.25, 0.19), 1),
        ("below", (0.2,), (0.2, 0.19), 1),
        ("below", (0.2,), (0.19, 0.18, 0.19), 0),
        ("below", (0.2,), (0.25, 0.19, 0.25, 0.1), 2),
        ("above", (0.2,), (0.2, 0.21, 0.22), 1),
        ("above", (-0.01,), (-0.05, 0), 1),
        ("between", (0.1, 0.2), (0.05, 0.1, 0.15, 0.2, 0.25), 1),
        ("outside", (0.1, 0.2), (0.05, 0.15, 0.25, 0.05), 1),
        # After a gap, the price is compared with the last one before it.
        ("below", (0.2,), (0.25, *GONE, 0.19), 1),
        ("below", (0.2,), (0.25, STATE_UNAVAILABLE, 0.25, 0.19), 1),
        ("below", (0.2,), (0.19, STATE_UNKNOWN, 0.18), 0),
        ("below", (0.2,), (0.25, 0.19, STATE_UNKNOWN, 0.18), 1),
        ("below", (0.2,), (0.25, STATE_UNKNOWN, 0.21, STATE_UNKNOWN, 0.19), 1),
        # Nothing was known before.
        ("below", (0.2,), (0.19,), 0),
        ("below", (0.2,), (STATE_UNAVAILABLE, 0.19), 0),
        ("below", (0.2,), (*GONE, STATE_UNAVAILABLE, 0.19), 0),
    ],
)
@pytest.mark.parametrize("key", ["price", "payout"])
async def test_crossing(
    hass: HomeAssistant, registered: Registered, key, kind, limits, states, fires
) -> None:
    """A price has crossed a value only if the last known price was on its other side."""
    entity = registered.entity(key)
    ran = await automate_crossing(hass, entity, crossing(kind, *limits))
    await show(hass, entity, *states)
    assert ids(ran) == ["crossed"] * fires


async def test_a_removed_price_is_forgotten(
    hass: HomeAssistant, registered: Registered
) -> None:
    """A price that was removed and added again has no previous value."""
    entity = registered.entity("price")
    ran = await automate_crossing(hass, entity, crossing("below", 0.2))
    await show(hass, entity, 0.25, STATE_UNAVAILABLE)
    hass.states.async_remove(entity)
    await show(hass, entity, STATE_UNAVAILABLE, 0.1)
    assert ids(ran) == []


async def test_crossing_the_value_of_an_entity(
    hass: HomeAssistant, registered: Registered
) -> None:
    """The value may come from an entity with the same unit; without a value, nothing is crossed."""
    entity = registered.entity("price")
    ran = await automate_crossing(
        hass, entity, {"type": "below", "value": {"entity": "sensor.limit"}}
    )
    await show(hass, entity, 0.25, 0.1, 0.25)
    assert ids(ran) == []
    hass.states.async_set("sensor.limit", "20", {"unit_of_measurement": "ct/kWh"})
    await show(hass, entity, 0.1, 0.25)
    assert ids(ran) == []
    await show(hass, "sensor.limit", 0.2)
    await show(hass, entity, 0.1)
    assert ids(ran) == ["crossed"]
    await show(hass, "sensor.limit", 0.05, 0.3)
    assert ids(ran) == []


async def test_turned_negative(hass: HomeAssistant, registered: Registered) -> None:
    """Zero is not negative, and a price that stays negative fires only once."""
    entity = registered.entity("price")
    ran = await automate(
        hass, {"negative": trigger("price_turned_negative", {"entity_id": entity})}
    )
    await show(hass, entity, 0.1, 0, "-0.0")
    assert ids(ran) == []
    await show(hass, entity, -0.001, -0.02, STATE_UNKNOWN, -0.03)
    assert ids(ran) == ["negative"]
    await show(hass, entity, 0, -0.01)
    assert ids(ran) == ["negative"]


@pytest.mark.parametrize(
    ("options", "fires"),
    [
        ({}, 4),
        ({"from": [], "to": []}, 4),
        ({"to": ["cheap"]}, 2),
        ({"to": "cheap"}, 2),
        ({"from": ["very_cheap"]}, 1),
        ({"from": ["very_cheap", "expensive"], "to": ["cheap"]}, 2),
        ({"from": ["normal"], "to": ["cheap"]}, 0),
    ],
)
async def test_level_changed(
    hass: HomeAssistant, registered: Registered, options, fires
) -> None:
    """A change counts if both its old and its new level are among the chosen ones."""
    entity = registered.entity("price_level")
    ran = await automate(
        hass,
        {"changed": trigger("price_level_changed", {"entity_id": entity}, **options)},
    )
    await show(hass, entity, *GONE, "normal", "very_cheap", "cheap", "expensive")
    await show(hass, entity, "cheap", *GONE, "very_expensive")
    assert ids(ran) == ["changed"] * fires


@pytest.mark.parametrize("level", [level.key for level in Level])
@pytest.mark.parametrize("comparison", ["at_least", "at_most"])
async def test_level_reached(
    hass: HomeAssistant, registered: Registered, comparison, level
) -> None:
    """A level is reached from its other side, by any number of steps."""
    entity = registered.entity("price_level")
    ran = await automate(
        hass,
        {
            "reached": trigger(
                "price_level_reached",
                {"entity_id": entity},
                comparison=comparison,
                level=level,
            )
        },
    )
    for one in Level:
        for two in Level:
            await show(hass, entity, STATE_UNAVAILABLE, one.key)
            assert ids(ran) == []
            await show(hass, entity, two.key)
            limit = Level[level.upper()]
            sign = 1 if comparison == "at_least" else -1
            crossed = (one - limit) * sign < 0 <= (two - limit) * sign
            assert bool(ids(ran)) == crossed


async def test_runs_of_loads(
    hass: HomeAssistant, registered: Registered, advance: Advance
) -> None:
    """The target may be a load's own device; the contract's device does not include its loads."""
    load = registered.make_device("dishwasher")
    run_now = registered.entity("run_now", Platform.BINARY_SENSOR, load)
    cheap_now = registered.entity("cheap_now", Platform.BINARY_SENSOR)
    ran = await automate(
        hass,
        {
            "starts": trigger("load_run_started", {"device_id": load.id}),
            "ends": trigger("load_run_ended", {"device_id": load.id}),
            "contract": trigger("load_run_ended", {"device_id": registered.device.id}),
        },
    )
    await show(hass, run_now, *GONE, "off", "on")
    await show(hass, cheap_now, "off", "on", "off")
    assert ids(ran) == ["starts"]
    await show(hass, run_now, *GONE, "on", "off", STATE_UNAVAILABLE, "on")
    assert ids(ran) == ["ends"]


PERIODS = pytest.mark.parametrize("period", ["cheap", "expensive"])


@PERIODS
@pytest.mark.parametrize("chosen", ["device", "period", "level", "both"])
async def test_periods(
    hass: HomeAssistant, registered: Registered, period, chosen
) -> None:
    """A period begins and ends once, with its sensor; a chosen price level means the sensor of its contract."""
    level = registered.entity("price_level")
    entity = registered.entity(f"{period}_now", Platform.BINARY_SENSOR)
    other = registered.make_device("s2")
    registered.entity("price_level", device=other)
    elsewhere = registered.entity(f"{period}_now", Platform.BINARY_SENSOR, other)
    targets: dict[str, dict[str, Any]] = {
        "device": {"device_id": registered.device.id},
        "period": {"entity_id": entity},
        "level": {"entity_id": level},
        "both": {"entity_id": [level, entity]},
    }
    target = targets[chosen]
    ran = await automate(
        hass,
        {
            "starts": trigger(f"{period}_period_started", target),
            "ends": trigger(f"{period}_period_ended", target),
        },
    )
    await show(hass, entity, *GONE, "off")
    assert ids(ran) == []
    await show(hass, entity, "on")
    assert [call.data["entity"] for call in ran] == [entity]
    assert ids(ran) == ["starts"]
    await show(hass, entity, *GONE, "on")
    assert ids(ran) == []
    await show(hass, entity, "off")
    assert ids(ran) == ["ends"]
    # Not every cheap or expensive quarter-hour is in a period, nor is another contract meant.
    await show(hass, level, "normal", period, f"very_{period}", "normal")
    await show(hass, elsewhere, "off", "on", "off")
    assert ids(ran) == []


@PERIODS
async def test_sensor_that_is_added_later(
    hass: HomeAssistant, registered: Registered, period
) -> None:
    """A sensor of periods is found even if it is registered after the automation started."""
    target = {"entity_id": registered.entity("price_level")}
    ran = await automate(hass, {"starts": trigger(f"{period}_period_started", target)})
    entity = registered.entity(f"{period}_now", Platform.BINARY_SENSOR)
    await show(hass, entity, "off", "on")
    assert ids(ran) == ["starts"]


async def test_for_and_behavior(
    hass: HomeAssistant, registered: Registered, advance: Advance
) -> None:
    """A trigger may require a duration and combine several contracts."""
    other = registered.make_device("s2")
    one = registered.entity("cheap_now", Platform.BINARY_SENSOR)
    two = registered.entity("cheap_now", Platform.BINARY_SENSOR, other)
    target = {"device_id": [registered.device.id, other.id]}
    ran = await automate(
        hass,
        {
            "lasts": trigger(
                "cheap_period_started", {"entity_id": one}, **{"for": "00:20:00"}
            ),
            "first": trigger("cheap_period_started", target, behavior="first"),
            "all": trigger("cheap_period_started", target, behavior="all"),
        },
    )
    await show(hass, two, "off")
    await show(hass, one, "off", "on")
    assert ids(ran) == ["first"]
    await advance(QUARTER)
    await show(hass, one, STATE_UNAVAILABLE, "on")
    await advance(QUARTER)
    assert ids(ran) == []
    await show(hass, one, "off", "on")
    assert ids(ran) == ["first"]
    await show(hass, two, "on")
    assert ids(ran) == ["all"]
    await advance(QUARTER)
    await advance(QUARTER)
    assert ids(ran) == ["lasts"]


async def test_other_entities_are_ignored(
    hass: HomeAssistant, registered: Registered, entity_registry: er.EntityRegistry
) -> None:
    """Entities of other integrations or of another kind fire nothing, even if they are chosen directly."""
    foreign = entity_registry.async_get_or_create(
        "sensor", "other", "price", translation_key="price"
    ).entity_id
    wrong = registered.entity("average_price_today")
    ran = await automate_crossing(
        hass, [foreign, wrong, "sensor.unregistered"], crossing("below", 0.2)
    )
    for entity in (foreign, wrong, "sensor.unregistered"):
        await show(hass, entity, 0.3, 0.1)
    assert ids(ran) == []


@pytest.mark.parametrize(
    "wrong",
    [
        trigger("price_level_changed", {"entity_id": "sensor.a"}, to=["free"]),
        trigger("price_level_reached", {"entity_id": "sensor.a"}),
        trigger(
            "price_level_reached",
            {"entity_id": "sensor.a"},
            comparison="exactly",
            level="cheap",
        ),
        trigger("price_crossed_value", {"entity_id": "sensor.a"}),
        trigger(
            "price_crossed_value",
            {"entity_id": "sensor.a"},
            threshold={
                "type": "below",
                "value": {"number": 20, "unit_of_measurement": "ct/kWh"},
            },
        ),
        {"trigger": "nomos.cheap_period_started"},
        trigger("no_such_trigger", {"entity_id": "sensor.a"}),
    ],
)
async def test_wrong_triggers_are_refused(
    hass: HomeAssistant, wrong, caplog: pytest.LogCaptureFixture
) -> None:
    """An invalid trigger is an error, rather than an automation that never runs."""
    caplog.set_level(logging.ERROR)
    with pytest.raises(AssertionError):
        await automate(hass, {"wrong": wrong})
    assert hass.states.get("automation.test").state == STATE_UNAVAILABLE
    assert "test" in caplog.text


async def test_an_automation_that_is_turned_off(
    hass: HomeAssistant, registered: Registered
) -> None:
    """An automation that is off listens to no prices."""
    entity = registered.entity("price")
    ran = await automate(
        hass, {"negative": trigger("price_turned_negative", {"entity_id": entity})}
    )
    await show(hass, entity, 0.1, -0.1, 0.1)
    assert ids(ran) == ["negative"]
    await hass.services.async_call(
        "automation",
        SERVICE_TURN_OFF,
        {ATTR_ENTITY_ID: "automation.test"},
        blocking=True,
    )
    await show(hass, entity, -0.1, STATE_UNKNOWN, 0.1)
    assert ids(ran) == []
