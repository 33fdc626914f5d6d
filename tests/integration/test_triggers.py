"""Tests of the triggers, as automations use them."""

from datetime import UTC, datetime, timedelta
import logging
from typing import Any

import pytest

from custom_components.nomos.pricing import DayLevels, Level, local_date
from custom_components.nomos.trigger import TRIGGERS
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)

from .automations import Registered, automate, ids, registered, show
from .conftest import Advance, entity_id, state_of

EMAIL = "smart@example.com"
QUARTER = timedelta(minutes=15)
GONE = (STATE_UNAVAILABLE, STATE_UNKNOWN)

__all__ = ["registered"]


@pytest.fixture
def subscription(nomos):
    """Return the contract of these tests."""
    return nomos.customers[EMAIL].subscriptions[0]


def trigger(name: str, target: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return a trigger as it stands in an automation."""
    return {"trigger": f"nomos.{name}", "target": target, "options": options}


def crossing(kind: str, *values: float) -> dict[str, Any]:
    """Return a threshold of numbers."""
    names = ("value",) if len(values) == 1 else ("value_min", "value_max")
    return {
        "type": kind,
        **{name: {"number": value} for name, value in zip(names, values, strict=True)},
    }


def device_of(hass: HomeAssistant, subscription) -> dict[str, Any]:
    """Return the device of a contract as a target."""
    price = er.async_get(hass).async_get(entity_id(hass, subscription.id, "price"))
    return {"device_id": price.device_id}


# With a real market


@pytest.mark.parametrize(
    ("now", "quarters"),
    [
        (datetime(2026, 6, 9, 22, 3, tzinfo=UTC), 96),
        (datetime(2026, 3, 28, 23, 3, tzinfo=UTC), 92),
        (datetime(2026, 10, 24, 22, 3, tzinfo=UTC), 100),
    ],
    ids=["usual day", "23 hours", "25 hours"],
)
async def test_a_day(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, quarters
) -> None:
    """Over a whole day, every trigger fires at the boundaries where it should, and only there."""
    entry = await linked()
    table = entry.runtime_data.prices[subscription.id].data
    day = table.day(local_date(datetime.now(UTC)))
    assert len(day.intervals) == quarters
    limit = day.average
    target = device_of(hass, subscription)
    ran = await automate(
        hass,
        {
            "changed": trigger("price_level_changed", target),
            "cheaper": trigger(
                "price_level_reached", target, comparison="at_most", level="cheap"
            ),
            "dearer": trigger(
                "price_level_reached", target, comparison="at_least", level="expensive"
            ),
            "cheap starts": trigger("cheap_period_started", target),
            "cheap ends": trigger("cheap_period_ended", target),
            "expensive starts": trigger("expensive_period_started", target),
            "expensive ends": trigger("expensive_period_ended", target),
            "above": trigger(
                "price_crossed_value", target, threshold=crossing("above", limit)
            ),
            "below": trigger(
                "price_crossed_value", target, threshold=crossing("below", limit)
            ),
            "negative": trigger("price_turned_negative", target),
        },
    )
    levels = DayLevels.of(day)
    seen = set()
    for before, after in zip(day.intervals, day.intervals[1:], strict=False):
        await advance(after.start - datetime.now(UTC) + timedelta(milliseconds=20))
        one, two = levels.at(before.start), levels.at(after.start)
        expected = {
            "changed": one.level != two.level,
            "cheaper": not one.cheap and two.cheap,
            "cheap starts": not one.cheap and two.cheap,
            "cheap ends": one.cheap and not two.cheap,
            "dearer": not one.expensive and two.expensive,
            "expensive starts": not one.expensive and two.expensive,
            "expensive ends": one.expensive and not two.expensive,
            "above": before.price <= limit < after.price,
            "below": before.price >= limit > after.price,
            "negative": before.price >= 0 > after.price,
        }
        due = {name for name, fires in expected.items() if fires}
        assert sorted(ids(ran)) == sorted(due), after.start
        seen |= due
    assert seen >= {"changed", "cheap starts", "cheap ends", "above", "below"}


async def test_tomorrow_arrives_once(
    hass: HomeAssistant, linked, advance: Advance, subscription
) -> None:
    """The trigger fires when tomorrow is complete, and not when tomorrow becomes today."""
    await linked()
    target = device_of(hass, subscription)
    ran = await automate(hass, {"tomorrow": trigger("tomorrow_prices_arrived", target)})
    arrived = []
    for _ in range(80):
        await advance(QUARTER)
        if ids(ran):
            arrived.append(datetime.now(UTC))
            flag = state_of(
                hass, subscription.id, "tomorrow_available", Platform.BINARY_SENSOR
            )
            assert flag.state == "on"
    assert len(arrived) == 1


async def test_start_and_reload_fire_nothing(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """States that come with the start, or that come back after a reload, are no changes."""
    triggers = {
        name: trigger(name, {"label_id": "power"})
        for name in TRIGGERS
        if name not in {"price_crossed_value", "price_level_reached"}
    }
    for number, kind in enumerate(("above", "below")):
        triggers[kind] = trigger(
            "price_crossed_value",
            {"label_id": "power"},
            threshold=crossing(kind, number * 10 - 5),
        )
    for kind in ("at_least", "at_most"):
        triggers[kind] = trigger(
            "price_level_reached",
            {"label_id": "power"},
            comparison=kind,
            level="normal",
        )
    lr.async_get(hass).async_create("power")
    ran = await automate(hass, triggers)
    entry = await linked()
    dr.async_get(hass).async_update_device(
        next(iter(device_of(hass, subscription).values())), labels={"power"}
    )
    for _ in range(3):
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert ids(ran) == []
        await hass.config_entries.async_unload(entry.entry_id)
        await advance(timedelta(minutes=1))
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert ids(ran) == []
    # The triggers were there all the time.
    changes = 0
    for _ in range(40):
        level = state_of(hass, subscription.id, "price_level").state
        await advance(QUARTER)
        changed = level != state_of(hass, subscription.id, "price_level").state
        assert ("price_level_changed" in ids(ran)) == changed
        changes += changed
    assert changes


async def test_unknown_prices_fire_nothing(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """A price that is not known for a while changes no level; one that crossed unseen has crossed."""
    nomos.configure(
        null_amounts=[
            (
                datetime(2026, 6, 10, 8, 15, tzinfo=UTC),
                datetime(2026, 6, 10, 8, 45, tzinfo=UTC),
            )
        ]
    )
    entry = await linked()
    table = entry.runtime_data.prices[subscription.id].data
    before = table.at(datetime.now(UTC)).price
    after = table.at(datetime(2026, 6, 10, 8, 45, tzinfo=UTC)).price
    assert before != after
    kind = "above" if after > before else "below"
    target = device_of(hass, subscription)
    ran = await automate(
        hass,
        {
            "changed": trigger("price_level_changed", target),
            "between": trigger(
                "price_crossed_value",
                target,
                threshold=crossing(kind, (before + after) / 2),
            ),
            "beyond": trigger(
                "price_crossed_value",
                target,
                threshold=crossing(kind, 2 * before - after),
            ),
        },
    )
    await advance(QUARTER)
    assert state_of(hass, subscription.id, "price").state == STATE_UNKNOWN
    await advance(QUARTER)
    assert ids(ran) == []
    await advance(QUARTER)
    assert float(state_of(hass, subscription.id, "price").state) == after
    assert ids(ran) == ["between"]


@pytest.mark.parametrize("kind", ["entity", "device", "area", "floor", "label"])
async def test_targets(
    hass: HomeAssistant, linked, advance: Advance, subscription, kind
) -> None:
    """However the contract is chosen, its price is watched, and nothing else of it."""
    await linked()
    devices = dr.async_get(hass)
    device = devices.async_get(device_of(hass, subscription)["device_id"])
    area = ar.async_get(hass).async_create("Cellar")
    floor = fr.async_get(hass).async_create("Below")
    label = lr.async_get(hass).async_create("Power")
    target = {
        "entity": {"entity_id": entity_id(hass, subscription.id, "price")},
        "device": {"device_id": device.id},
        "area": {"area_id": area.id},
        "floor": {"floor_id": floor.floor_id},
        "label": {"label_id": label.label_id},
    }[kind]
    price = float(state_of(hass, subscription.id, "price").state)
    following = float(state_of(hass, subscription.id, "next_price").state)
    threshold = crossing(
        "above" if following > price else "below", (price + following) / 2
    )
    ran = await automate(
        hass, {"crossed": trigger("price_crossed_value", target, threshold=threshold)}
    )
    # The area gets the device, and the floor the area, when the automation runs already.
    ar.async_get(hass).async_update(area.id, floor_id=floor.floor_id)
    devices.async_update_device(device.id, area_id=area.id, labels={label.label_id})
    await hass.async_block_till_done()
    await advance(QUARTER)
    assert [call.data["entity"] for call in ran] == [
        entity_id(hass, subscription.id, "price")
    ]


# With states that the test gives


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
        # A gap: compared with the last price before it.
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
    """Only a price that was on the other side when it was last known has crossed a value."""
    entity = registered.entity(key)
    ran = await automate(
        hass,
        {
            "crossed": trigger(
                "price_crossed_value",
                {"entity_id": entity},
                threshold=crossing(kind, *limits),
            )
        },
    )
    await show(hass, entity, *states)
    assert ids(ran) == ["crossed"] * fires


async def test_a_removed_price_is_forgotten(
    hass: HomeAssistant, registered: Registered
) -> None:
    """A price that was taken away and set up anew has no past."""
    entity = registered.entity("price")
    ran = await automate(
        hass,
        {
            "crossed": trigger(
                "price_crossed_value",
                {"entity_id": entity},
                threshold=crossing("below", 0.2),
            )
        },
    )
    await show(hass, entity, 0.25, STATE_UNAVAILABLE)
    hass.states.async_remove(entity)
    await show(hass, entity, STATE_UNAVAILABLE, 0.1)
    assert ids(ran) == []


async def test_crossing_the_value_of_an_entity(
    hass: HomeAssistant, registered: Registered
) -> None:
    """The value may come from an entity in the same unit; without one there is no crossing."""
    entity = registered.entity("price")
    ran = await automate(
        hass,
        {
            "crossed": trigger(
                "price_crossed_value",
                {"entity_id": entity},
                threshold={"type": "below", "value": {"entity": "sensor.limit"}},
            )
        },
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
    """Zero is not negative, and a price that stays negative turns only once."""
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
    """A change counts if it is from one of some levels, to one of some levels."""
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
    """A level is reached by coming from its other side, however far."""
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
            limit = Level.of_key(level)
            sign = 1 if comparison == "at_least" else -1
            crossed = (one - limit) * sign < 0 <= (two - limit) * sign
            assert bool(ids(ran)) == crossed


async def test_runs_of_loads(
    hass: HomeAssistant, registered: Registered, advance: Advance
) -> None:
    """A load's own device is enough, and the contract's device does not mean its loads."""
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


async def test_for_and_behavior(
    hass: HomeAssistant, registered: Registered, advance: Advance
) -> None:
    """A period may be asked to last, and several contracts may be asked for together."""
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


async def test_other_entities_are_left_alone(
    hass: HomeAssistant, registered: Registered, entity_registry: er.EntityRegistry
) -> None:
    """What is not Nomos' own, or not of the kind, fires nothing, also when it is chosen itself."""
    foreign = entity_registry.async_get_or_create(
        "sensor", "other", "price", translation_key="price"
    ).entity_id
    wrong = registered.entity("average_price_today")
    ran = await automate(
        hass,
        {
            "crossed": trigger(
                "price_crossed_value",
                {"entity_id": [foreign, wrong, "sensor.unregistered"]},
                threshold=crossing("below", 0.2),
            )
        },
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
    """What cannot be meant does not become an automation that never runs."""
    caplog.set_level(logging.ERROR)
    with pytest.raises(AssertionError):
        await automate(hass, {"wrong": wrong})
    assert hass.states.get("automation.test").state == STATE_UNAVAILABLE
    assert "test" in caplog.text
