"""Tests of loads that use the house's own solar power: forecasts, the order of planning, and what is reported."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from custom_components.nomos.diagnostics import async_get_config_entry_diagnostics
from custom_components.nomos.loads.load import Load
from custom_components.nomos.loads.own_sun import SharedSun
from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.planner.own_sun import OwnSun
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from tests.integration.battery.helpers import add as add_battery, report, state_of
from tests.integration.helpers import Advance, restart
from tests.integration.loads.helpers import (
    moment,
    press,
    put,
    runs_now,
    shown,
    status,
    switch,
    until,
)
from tests.integration.loads.sunny import (
    EVENING,
    add_roof,
    assert_right_plan,
    cost_of,
    plan_counts,
    put_many,
    runs_of,
    share_of,
    solar_forecast,
)

pytestmark = pytest.mark.usefixtures("german_hub", "entity_registry_enabled_by_default")

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FRESH = {LoadStatus.PLANNED, LoadStatus.PROVISIONAL}
BRIGHT = [(18, 4.0), (19, 4.0), (20, 4.0)]
"""A roof facing west: its power comes while prices are high."""


def utc(hour: int, minute: int = 0, day: int = 10) -> datetime:
    """Return a local time of June 2026, in UTC."""
    return datetime(2026, 6, day, hour - 2, minute, tzinfo=UTC)


async def test_it_runs_with_the_sun(hass: HomeAssistant, linked) -> None:
    """Solar power costs the payout, even while prices are high; the device shows the share from the roof."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    plain = await put(hass, entry, **(EVENING | {"own_sun": False}))
    assert runs_of(hass, plain)[0][1] <= utc(18)
    load = await put(hass, entry, **EVENING)
    [(start, end)] = runs_of(hass, load)
    assert utc(18) <= start < end <= utc(21)
    assert share_of(hass, load) == 100
    assert cost_of(hass, load) == pytest.approx(6 * 0.08)
    price = float(shown(hass, load, "expected_average_price").state)
    assert price == pytest.approx(0.08)
    await assert_right_plan(hass, entry, load, {})


async def test_without_the_option(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """No forecast is read, no attribute is added, and no extra plan is made."""
    entry = await linked()
    sun = await add_roof(hass, entry, *BRIGHT)
    load = await put(hass, entry, **(EVENING | {"own_sun": False}))
    assert "solar_share" not in shown(hass, load, "expected_cost").attributes
    assert plan_counts(entry)[load] == 1
    for _ in range(8):
        await advance(15 * MINUTE)
    runtime = entry.runtime_data
    assert (runtime.forecasts, runtime.loads.sun, sun.asked) == (None, None, 0)
    assert plan_counts(entry)[load] == 1


async def test_the_same_surplus_is_not_used_twice(hass: HomeAssistant, linked) -> None:
    """The load with the earlier deadline comes first, in whatever order they were added."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    late = await put(hass, entry, **EVENING)
    alone = runs_of(hass, late), share_of(hass, late)
    early = await put(hass, entry, **(EVENING | {"end": "21:30:00", "power": 3.5}))
    assert share_of(hass, early) == 100
    await assert_right_plan(hass, entry, early, {})
    await assert_right_plan(hass, entry, late, {early: 3.5})
    assert (runs_of(hass, late), share_of(hass, late)) != alone
    # Without the first load, the second one gets all solar power.
    await press(hass, early, "skip")
    assert (runs_of(hass, late), share_of(hass, late)) == alone


async def test_loads_without_the_option_come_first(hass: HomeAssistant, linked) -> None:
    """They use solar power even though their plans ignore it."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    load = await put(hass, entry, **EVENING)
    assert share_of(hass, load) == 100
    plain = EVENING | {"own_sun": False, "end": "23:00:00", "start": "18:00:00"}
    other = await put(hass, entry, **(plain | {"duration": {"hours": 5}}))
    await assert_right_plan(hass, entry, load, {other: 3})
    assert share_of(hass, load) < 50


async def test_contiguous_run_in_progress_comes_first(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """It cannot be moved, so a load with an earlier deadline does not get its solar power."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    late = await put(hass, entry, **EVENING)
    await until(advance, runs_of(hass, late)[0][0] + MINUTE)
    assert runs_now(hass, late)
    begun = runs_of(hass, late)
    early = await put(hass, entry, **(EVENING | {"end": "21:30:00"}))
    await assert_right_plan(hass, entry, early, {late: 3})
    assert share_of(hass, early) < 100
    assert runs_of(hass, late) == begun


@pytest.mark.parametrize("contiguous", [True, False])
async def test_plans_of_a_publication(
    hass: HomeAssistant, linked, advance: Advance, contiguous
) -> None:
    """When prices arrive, each of many loads is planned once, after those before it."""
    entry = await linked()
    await add_roof(hass, entry, (9, 6.0), (10, 6.0), *BRIGHT)
    loads = await put_many(
        hass, entry, 6, hour=14, contiguous=contiguous, start="15:00:00", power=2.5
    )
    [prices] = entry.runtime_data.prices.values()
    horizon = prices.data.horizon
    while prices.data.horizon == horizon:
        before = plan_counts(entry)
        await advance(15 * MINUTE)
    # Once each, however long the earlier plans take.
    assert [plan_counts(entry)[load] - before[load] for load in loads] == [1] * len(
        loads
    )
    taken: dict[str, float] = {}
    for load in reversed(loads):
        await assert_right_plan(hass, entry, load, taken)
        taken[load] = 2.5
    assert len({share_of(hass, load) for load in loads}) > 2


async def test_only_changes_lead_to_a_plan(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """An unchanged forecast leads to no new plan; a changed one to a plan for each load whose window it affects."""
    entry = await linked()
    sun = await add_roof(hass, entry, *BRIGHT, (9, 1.0))
    load = await put(hass, entry, **EVENING)
    night = {"start": "22:00:00", "end": "06:00:00"}
    at_night = await put(hass, entry, **(EVENING | night))
    asked, made = sun.asked, plan_counts(entry)[load]
    for _ in range(8):
        await advance(15 * MINUTE)
    assert sun.asked >= asked + 2
    assert plan_counts(entry)[load] == made
    # Past hours do not matter.
    sun.answers["east"] = solar_forecast(*BRIGHT, (9, 2.0))
    for _ in range(3):
        await advance(15 * MINUTE)
    assert plan_counts(entry) == {load: made, at_night: 1}
    sun.answers["east"] = solar_forecast((15, 4.0), (16, 4.0), (17, 4.0))
    for _ in range(3):
        await advance(15 * MINUTE)
    assert plan_counts(entry) == {load: made + 1, at_night: 1}
    [(start, end)] = runs_of(hass, load)
    assert utc(15) <= start < end <= utc(18)
    assert share_of(hass, load) == 100


async def test_vanished_forecast(hass: HomeAssistant, linked, advance: Advance) -> None:
    """The load is planned by prices alone, with no share from the roof."""
    entry = await linked()
    sun = await add_roof(hass, entry, *BRIGHT)
    plain = await put(hass, entry, **(EVENING | {"own_sun": False}))
    load = await put(hass, entry, **EVENING)
    assert runs_of(hass, load) != runs_of(hass, plain)
    sun.answers["east"] = RuntimeError("gone")
    for _ in range(3):
        await advance(15 * MINUTE)
    assert runs_of(hass, load) == runs_of(hass, plain)
    assert cost_of(hass, load) == cost_of(hass, plain)
    assert share_of(hass, load) == 0
    sun.answers["east"] = solar_forecast(*BRIGHT)
    for _ in range(3):
        await advance(15 * MINUTE)
    assert share_of(hass, load) == 100


async def test_price_limit(hass: HomeAssistant, linked) -> None:
    """A load may run at a price far above its limit if the sun covers it."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    load = await put(hass, entry, **(EVENING | {"price_cap": 10}))
    [(start, end)] = runs_of(hass, load)
    assert utc(18) <= start < end <= utc(21)
    plain = await put(hass, entry, **(EVENING | {"price_cap": 10, "own_sun": False}))
    assert status(hass, plain) == "above_cap"


async def test_restart_in_mid_run(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """A run with pauses goes on as planned, although the forecast is read again."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    load = await put(hass, entry, **(EVENING | {"contiguous": False}))
    planned = runs_of(hass, load)
    await until(advance, planned[0][0] + 20 * MINUTE)
    assert runs_now(hass, load)
    await restart(hass, entry)
    assert runs_now(hass, load)
    assert runs_of(hass, load) == planned
    assert share_of(hass, load) == 100
    await until(advance, planned[-1][1] + MINUTE)
    assert status(hass, load) == "done"


async def test_no_plan_before_home_assistant_has_started(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """Forecasts are not available before that, so a run goes on and is not replaced by a plan without sun."""
    entry = await linked()
    sun = await add_roof(hass, entry, *BRIGHT)
    load = await put(hass, entry, **(EVENING | {"contiguous": False}))
    planned = runs_of(hass, load)
    await until(advance, planned[0][0] + 20 * MINUTE)
    sun.answers["east"] = RuntimeError("not there yet")
    hass.set_state(CoreState.starting)
    await restart(hass, entry)
    assert runs_now(hass, load)
    assert plan_counts(entry) == {load: 0}
    await advance(5 * MINUTE)
    assert runs_now(hass, load)
    sun.answers["east"] = solar_forecast(*BRIGHT)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plan_counts(entry) == {load: 1}
    assert runs_of(hass, load) == planned
    assert runs_now(hass, load)


async def test_fault_in_the_outlook(hass: HomeAssistant, linked, caplog) -> None:
    """After a fault while reading the outlook, loads are planned by prices alone; the fault is logged once."""
    entry = await linked()
    loads = entry.runtime_data.loads

    async def read(_now: datetime) -> OwnSun:
        raise ZeroDivisionError("secret")

    loads.async_share_sun(
        SharedSun(hass, entry, loads.all, read, forecasts_changed="never")
    )
    plain = await put(hass, entry, **(EVENING | {"own_sun": False}))
    found = [await put(hass, entry, **EVENING) for _ in range(2)]
    for load in found:
        assert runs_of(hass, load) == runs_of(hass, plain)
        assert share_of(hass, load) is None
    assert caplog.text.count("could not be read (ZeroDivisionError)") == 2
    assert [one.levelname for one in caplog.records if "Zero" in one.message] == [
        "WARNING",
        "DEBUG",
    ]
    assert "secret" not in caplog.text


async def test_a_forecast_that_does_not_answer(
    hass: HomeAssistant, linked, freezer
) -> None:
    """During the wait, the previous plan is shown, and the load can be started."""
    entry = await linked()
    sun = await add_roof(hass, entry, *BRIGHT)
    load = await put(hass, entry, **EVENING)
    planned = runs_of(hass, load)
    freezer.tick(20 * MINUTE)
    sun.answers["east"] = answers = asyncio.Event()
    asked = sun.asked
    limit = {
        "entity_id": shown(hass, load, "need", "number").entity_id,
        "value": 90,
    }
    await hass.services.async_call("number", "set_value", limit, blocking=True)
    while sun.asked == asked:
        await asyncio.sleep(0)
    assert runs_of(hass, load) == planned
    press = {"entity_id": shown(hass, load, "start_now", "button").entity_id}
    await hass.services.async_call("button", "press", press, blocking=True)
    assert runs_now(hass, load)
    answers.set()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert runs_now(hass, load)
    now = datetime.now(UTC)
    assert runs_of(hass, load) == [(now, now + 90 * MINUTE)]


def not_begun(entry) -> dict[str, Load]:
    """Return the loads whose task has no run yet, ordered by deadline."""
    loads = entry.runtime_data.loads.all
    found = {key: one for key, one in loads.items() if one.task and not one.task.runs}
    return dict(sorted(found.items(), key=lambda item: item[1].task.closes))


@pytest.mark.parametrize("seed", range(2))
async def test_presses_at_random(
    hass: HomeAssistant, linked, advance: Advance, seed
) -> None:
    """Whatever is pressed, forecast or published, each load soon has the right plan given those before it."""
    random = Random(seed)
    entry = await linked()
    sun = await add_roof(hass, entry, (10, 5.0), (11, 5.0), *BRIGHT)
    loads = await put_many(hass, entry, 4, hour=23, start="09:00:00", power=2.5)
    for _ in range(25):
        before = plan_counts(entry)
        load = random.choice(loads)
        match random.randrange(6):
            case 0:
                await press(hass, load, "skip")
            case 1:
                await press(hass, load, "start_now")
            case 2:
                await switch(hass, load, on=random.random() < 0.7)
            case 3:
                hours = random.sample(range(8, 21), 3)
                sun.answers["east"] = solar_forecast(*((one, 4.0) for one in hours))
                await advance(30 * MINUTE)
            case _:
                await advance(random.choice([1, 15, 40]) * MINUTE)
        made = {key: count - before[key] for key, count in plan_counts(entry).items()}
        # A step may contain two events: the end of a run and a new forecast.
        assert sum(made.values()) <= 4 * len(loads), made
        taken = {
            key: 2.5
            for key, one in entry.runtime_data.loads.all.items()
            if one.running(datetime.now(UTC))
        }
        for key, one in not_begun(entry).items():
            assert not one.plan_maker.planning_task
            if one.plan is not None and one.plan.status in FRESH:
                await assert_right_plan(hass, entry, key, taken)
            taken[key] = 2.5


async def test_booking_in_the_sun(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """The cost from the grid is booked, and no saving, since the roof's contribution is unknown."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    load = await put(hass, entry, **EVENING)
    [(start, end)] = runs_of(hass, load)
    [prices] = entry.runtime_data.prices.values()
    table = prices.data
    await until(advance, end + 20 * MINUTE)
    assert status(hass, load) == "done"
    quarters = table.between(start, end).intervals
    cost = sum(
        3 * one.price * ((min(one.end, end) - max(one.start, start)) / HOUR)
        for one in quarters
    )
    last = shown(hass, load, "last_cost")
    assert float(last.state) == pytest.approx(cost, abs=1e-4)
    assert last.attributes["energy"] == 6
    assert last.attributes["saved"] is None
    assert float(shown(hass, load, "saved_this_month").state) == 0


async def test_booking_at_night(hass: HomeAssistant, linked, advance: Advance) -> None:
    """At night the saving is certain: it equals that of a load that does not use solar power."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    night = EVENING | {"start": "22:00:00", "end": "06:00:00"}
    load = await put(hass, entry, **night)
    plain = await put(hass, entry, **(night | {"own_sun": False}))
    assert runs_of(hass, load) == runs_of(hass, plain)
    await until(advance, moment(hass, plain, "next_end") + 20 * MINUTE)
    saved = shown(hass, load, "last_cost").attributes["saved"]
    assert saved is not None
    assert saved == shown(hass, plain, "last_cost").attributes["saved"]


async def test_diagnostics(hass: HomeAssistant, linked) -> None:
    """Support sees that solar power is used, its expected share, and how often a plan was made."""
    entry = await linked()
    await add_roof(hass, entry, *BRIGHT)
    await put(hass, entry, **EVENING)
    found = await async_get_config_entry_diagnostics(hass, entry)
    [load] = found["loads"]
    assert load["own_sun"] is True
    assert load["solar_share"] == pytest.approx(1)
    assert load["plans_made"] == 1
    assert found["forecasts"]["solar_forecasts"] == 1


async def test_with_a_battery(hass: HomeAssistant, linked, advance: Advance) -> None:
    """Both use one forecast, read once; the battery's need includes planned loads, in whatever order they started."""
    entry = await linked()
    sun = await add_roof(hass, entry, *BRIGHT)
    report(hass, 40)
    battery = await add_battery(hass, entry)
    load = await put(hass, entry, **EVENING)
    assert sun.asked == 1
    [(start, end)] = runs_of(hass, load)

    async def need(at: datetime) -> float:
        [found] = entry.runtime_data.batteries.all.values()
        plan = found.plan.plan
        [quarter] = [one for one in plan.quarters if one.start == at]
        return float(quarter.need)

    with_load = await need(start)
    sun.answers["east"] = solar_forecast((15, 4.0), (16, 4.0), (17, 4.0))
    for _ in range(3):
        await advance(15 * MINUTE)
    [(other_start, _)] = runs_of(hass, load)
    assert other_start < start
    assert await need(start) == pytest.approx(with_load - 3 / 4 + 4 / 4)
    assert await need(other_start) == pytest.approx(with_load, abs=0.2)
    assert state_of(hass, battery).state
    assert end - start == 2 * HOUR
