"""Tests of the triggers in automations, with prices of the simulated market."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.pricing import PeriodKind, local_date
from custom_components.nomos.trigger import TRIGGERS
from homeassistant.const import STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from tests.integration.automation.helpers import (
    QUARTER,
    automate,
    crossing,
    device_of,
    each_kind_of_day,
    ids,
    trigger,
)
from tests.integration.helpers import Advance, entity_id, state_of


@each_kind_of_day(timedelta(minutes=3))
async def test_a_day(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, quarters
) -> None:
    """Throughout a day, every trigger fires at exactly the right boundaries."""
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    day = coordinator.data.day(local_date(datetime.now(UTC)))
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
            "became_expensive": trigger(
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
    seen = set()
    for before, after in zip(day.intervals, day.intervals[1:], strict=False):
        await advance(after.start - datetime.now(UTC) + timedelta(milliseconds=20))
        levels = coordinator.levels
        one, two = levels.at(before.start), levels.at(after.start)
        changes = {
            kind: (levels.within(kind, before.start), levels.within(kind, after.start))
            for kind in PeriodKind
        }
        begins, ends = (False, True), (True, False)
        expected = {
            "changed": one.level != two.level,
            "cheaper": not one.cheap and two.cheap,
            "cheap starts": changes[PeriodKind.CHEAP] == begins,
            "cheap ends": changes[PeriodKind.CHEAP] == ends,
            "became_expensive": not one.expensive and two.expensive,
            "expensive starts": changes[PeriodKind.EXPENSIVE] == begins,
            "expensive ends": changes[PeriodKind.EXPENSIVE] == ends,
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
    """The trigger fires once tomorrow is complete, and not when tomorrow becomes today."""
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
    """New states at startup or after a reload do not count as changes."""
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
    # The triggers were active all the time.
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
    """A gap in the prices changes no level; a price that crossed a value during the gap fires after it."""
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


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.parametrize("kind", ["entity", "device", "area", "floor", "label"])
async def test_targets(
    hass: HomeAssistant, linked, advance: Advance, subscription, kind
) -> None:
    """However the contract is chosen, the trigger listens to its price and to nothing else."""
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
    # The device is added to the area, and the area to the floor, while the automation is running.
    ar.async_get(hass).async_update(area.id, floor_id=floor.floor_id)
    devices.async_update_device(device.id, area_id=area.id, labels={label.label_id})
    await hass.async_block_till_done()
    await advance(QUARTER)
    assert [call.data["entity"] for call in ran] == [
        entity_id(hass, subscription.id, "price")
    ]


async def test_automation_that_is_switched_off(
    hass: HomeAssistant, linked, subscription
) -> None:
    """It stops listening, and after it is switched on again, it has no more listeners than before."""
    await linked()
    target = device_of(hass, subscription)
    options = {"threshold": crossing("above", 0.3)}
    await automate(
        hass,
        {
            "crossed": trigger("price_crossed_value", target, **options),
            "negative": trigger("price_turned_negative", target),
            "changed": trigger("price_level_changed", target),
        },
    )
    on = hass.bus.async_listeners()
    counted = []
    for action in ("turn_off", "turn_on", "turn_off", "turn_on"):
        await hass.services.async_call(
            "automation", action, {"entity_id": "automation.test"}, blocking=True
        )
        counted.append(hass.bus.async_listeners())
    off = counted[0]
    # One for each trigger, and one more for each of the two that remember the price before a gap.
    registry = er.EVENT_ENTITY_REGISTRY_UPDATED
    assert on[registry] - off[registry] == 5
    assert counted == [off, on, off, on]
