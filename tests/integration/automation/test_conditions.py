"""Tests of the conditions, as automations use them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.nomos.pricing import Level, below_average, local_date, rate_day
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.condition import (
    ConditionChecker,
    async_from_config,
    async_validate_condition_config,
)
from homeassistant.setup import async_setup_component
from tests.integration.automation.helpers import (
    QUARTER,
    Registered,
    automate,
    device_of,
    each_kind_of_day,
    ids,
    registered,
    show,
)
from tests.integration.helpers import Advance, entity_id, state_of

__all__ = ["registered"]


def condition(name: str, target: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return a condition as an automation contains it."""
    return {"condition": f"nomos.{name}", "target": target, "options": options}


async def checker(hass: HomeAssistant, config: dict[str, Any]) -> ConditionChecker:
    """Return the checker of a condition."""
    valid = await async_validate_condition_config(hass, config)
    return await async_from_config(hass, valid)


@each_kind_of_day(timedelta(minutes=3))
async def test_a_day(
    hass: HomeAssistant, linked, advance: Advance, subscription, quarters
) -> None:
    """Throughout a day, every condition holds exactly when its definition says."""
    entry = await linked()
    table = entry.runtime_data.prices[subscription.id].data
    day = table.day(local_date(datetime.now(UTC)))
    assert len(day.intervals) == quarters
    levels = {one.interval: one.level for one in rate_day(day)}
    target = device_of(hass, subscription)
    by_price = sorted(day.intervals, key=lambda one: (one.price, one.start))
    hours = {n: by_price[:count] for n, count in ((0.3, 2), (2, 8), (5.5, 22))}
    checks: dict[tuple[Any, Any], dict[str, Any]] = {
        **{
            ("hours", n): condition("among_cheapest_hours", target, hours=n)
            for n in hours
        },
        **{
            ("percent", n): condition("below_average", target, percent=n)
            for n in (0, 5, 30)
        },
        **{
            (how, level): condition(
                "price_level_is", target, comparison=how, level=level.key
            )
            for how in ("at_least", "at_most", "exactly")
            for level in Level
        },
    }
    checkers = {key: await checker(hass, config) for key, config in checks.items()}
    count = dict.fromkeys(checks, 0)
    for interval in day.intervals:
        if interval != day.intervals[0]:
            await advance(
                interval.start - datetime.now(UTC) + timedelta(milliseconds=20)
            )
        level = levels[interval]
        for key, check in checkers.items():
            match key:
                case "hours", n:
                    expected = interval in hours[n]
                case "percent", n:
                    expected = bool(below_average(interval, day, n))
                case how, limit:
                    expected = {
                        "at_least": level >= limit,
                        "at_most": level <= limit,
                        "exactly": level == limit,
                    }[how]
            assert check.async_check() == expected, (key, interval)
            count[key] += expected
    assert count["hours", 0.3] == 2
    assert count["hours", 2] == 8
    assert count["hours", 5.5] == 22
    assert 0 < count["percent", 5] < count["percent", 0] < quarters
    for check in checkers.values():
        check.async_unload()


@pytest.mark.parametrize("kind", ["entity", "device", "area"])
async def test_in_an_automation(
    hass: HomeAssistant, linked, advance: Advance, subscription, kind
) -> None:
    """With any way to choose the contract, an automation runs if the condition holds."""
    entry = await linked()
    device = device_of(hass, subscription)
    area = ar.async_get(hass).async_create("Cellar")
    dr.async_get(hass).async_update_device(device["device_id"], area_id=area.id)
    target = {
        "entity": {"entity_id": entity_id(hass, subscription.id, "price")},
        "device": device,
        "area": {"area_id": area.id},
    }[kind]
    ran = await automate(
        hass,
        {"asked": {"trigger": "event", "event_type": "ask"}},
        [condition("among_cheapest_hours", target, hours=12)],
    )
    coordinator = entry.runtime_data.prices[subscription.id]
    results = set()
    for _ in range(24):
        now = datetime.now(UTC)
        day = coordinator.data.day(local_date(now))
        by_price = sorted(day.intervals, key=lambda one: (one.price, one.start))
        expected = coordinator.data.at(now) in by_price[:48]
        hass.bus.async_fire("ask")
        await hass.async_block_till_done()
        assert bool(ids(ran)) == expected
        results.add(expected)
        await advance(4 * QUARTER)
    assert results == {True, False}


CONDITIONS = (
    ("among_cheapest_hours", {"hours": 25}),
    ("below_average", {"percent": 0}),
    ("price_level_is", {"comparison": "at_most", "level": "very_expensive"}),
)


@pytest.mark.parametrize("behavior", ["any", "all"])
@pytest.mark.parametrize(("name", "options"), CONDITIONS)
async def test_unknown_price(
    hass: HomeAssistant, nomos, linked, subscription, behavior, name, options
) -> None:
    """Without a price, no condition holds."""
    start = datetime(2026, 6, 10, 8, tzinfo=UTC)
    nomos.configure(null_amounts=[(start, start + QUARTER)])
    await linked()
    assert state_of(hass, subscription.id, "price").state == STATE_UNKNOWN
    check = await checker(
        hass,
        condition(name, device_of(hass, subscription), behavior=behavior, **options),
    )
    assert check.async_check() is False


@pytest.mark.parametrize("behavior", ["any", "all"])
@pytest.mark.parametrize(("name", "options"), CONDITIONS)
async def test_account_that_is_not_loaded(
    hass: HomeAssistant, linked, subscription, behavior, name, options
) -> None:
    """While an account is not loaded, no condition holds; once it is loaded, they work again."""
    entry = await linked()
    check = await checker(
        hass,
        condition(name, device_of(hass, subscription), behavior=behavior, **options),
    )
    before = check.async_check()
    assert before or name == "below_average"
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, subscription.id, "price").state == STATE_UNAVAILABLE
    assert check.async_check() is False
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert check.async_check() is before


@pytest.mark.parametrize("behavior", ["any", "all"])
@pytest.mark.parametrize(("name", "options"), CONDITIONS)
async def test_empty_target(
    hass: HomeAssistant, registered: Registered, behavior, name, options
) -> None:
    """Without a price in the target, or without a loaded account, no condition holds."""
    config = condition(
        name, {"device_id": registered.device.id}, behavior=behavior, **options
    )
    assert (await checker(hass, config)).async_check() is False
    await show(hass, registered.entity("price"), 0.2)
    await show(hass, "sensor.foreign", 0.2)
    config["target"] = {"entity_id": ["sensor.foreign"]}
    assert (await checker(hass, config)).async_check() is False
    if name != "price_level_is":
        config["target"] = {"device_id": registered.device.id}
        assert (await checker(hass, config)).async_check() is False


async def test_several_contracts(hass: HomeAssistant, registered: Registered) -> None:
    """Depending on the behavior, one of them is sufficient or all must match, unknown ones included."""
    one = registered.entity("price_level")
    two = registered.entity("price_level", device=registered.make_device("s2"))
    any_of, all_of = [
        await checker(
            hass,
            condition(
                "price_level_is",
                {"entity_id": [one, two]},
                comparison="at_most",
                level="cheap",
                behavior=behavior,
            ),
        )
        for behavior in ("any", "all")
    ]
    for state, expected in (
        ("expensive", (False, False)),
        ("cheap", (True, False)),
    ):
        await show(hass, one, state)
        await show(hass, two, "normal")
        assert (any_of.async_check(), all_of.async_check()) == expected
    await show(hass, two, STATE_UNKNOWN)
    assert (any_of.async_check(), all_of.async_check()) == (True, False)
    await show(hass, two, "very_cheap")
    assert (any_of.async_check(), all_of.async_check()) == (True, True)


async def test_level_for_a_while(
    hass: HomeAssistant, registered: Registered, freezer
) -> None:
    """A condition may require a duration, during which the level may change among the chosen ones."""
    level = registered.entity("price_level")
    check = await checker(
        hass,
        condition(
            "price_level_is",
            {"entity_id": level},
            comparison="at_most",
            level="cheap",
            **{"for": "00:20:00"},
        ),
    )
    await show(hass, level, "cheap")
    freezer.tick(QUARTER)
    await show(hass, level, "very_cheap")
    assert check.async_check() is False
    freezer.tick(QUARTER)
    assert check.async_check() is True
    await show(hass, level, "normal", "cheap")
    assert check.async_check() is False
    check.async_unload()


async def test_more_than_states_changes_the_result(hass: HomeAssistant, linked) -> None:
    """Conditions declare that more than the states of their targets can change their result."""
    for name, options in CONDITIONS:
        check = await checker(
            hass, condition(name, {"entity_id": "sensor.a"}, **options)
        )
        assert check.needs_polling


@pytest.mark.parametrize(
    "wrong",
    [
        condition("among_cheapest_hours", {"entity_id": "sensor.a"}),
        condition("among_cheapest_hours", {"entity_id": "sensor.a"}, hours=0),
        condition("among_cheapest_hours", {"entity_id": "sensor.a"}, hours=26),
        condition("among_cheapest_hours", {"entity_id": "sensor.a"}, hours="nan"),
        condition(
            "among_cheapest_hours", {"entity_id": "sensor.a"}, hours=1, **{"for": 60}
        ),
        condition("below_average", {"entity_id": "sensor.a"}, percent=-1),
        condition("below_average", {"entity_id": "sensor.a"}, percent="inf"),
        condition("price_level_is", {"entity_id": "sensor.a"}, level="cheap"),
        condition(
            "price_level_is", {"entity_id": "sensor.a"}, comparison="is", level="cheap"
        ),
        {"condition": "nomos.below_average", "options": {"percent": 1}},
    ],
)
async def test_wrong_conditions_are_refused(hass: HomeAssistant, wrong) -> None:
    """An invalid condition is an error, rather than a condition that never holds."""
    config = {
        "alias": "test",
        "triggers": {"trigger": "event", "event_type": "ask"},
        "conditions": wrong,
        "actions": [],
    }
    await async_setup_component(hass, "automation", {"automation": config})
    await hass.async_block_till_done()
    assert hass.states.get("automation.test").state == STATE_UNAVAILABLE
