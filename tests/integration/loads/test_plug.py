"""Tests of loads that are requested by a plug or another sensor, even one that flaps."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.nomos.loads.plan import LoadStatus
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, restart
from tests.integration.loads.helpers import DISHWASHER, runs_now, shown, status
from tests.integration.loads.house import (
    CAR,
    CHARGE,
    DOOR,
    PLUG,
    STEP,
    House,
    add,
    berlin,
    is_asked,
)

pytestmark = pytest.mark.usefixtures("german_hub")


@pytest.fixture
def jobs(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of the functions that run in the executor."""
    names: list[str] = []
    run = hass.async_add_executor_job

    def watched(target, *arguments):
        names.append(getattr(target, "__name__", ""))
        return run(target, *arguments)

    monkeypatch.setattr(hass, "async_add_executor_job", watched)
    return names


async def test_plug_of_a_daily_load(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It has a plan only while it is plugged in, and resumes its window when plugged in again."""
    entry = await linked()
    house = House(hass, advance, 40)
    await house.plug("off")
    await house.until(berlin(10, 15))
    house.load = load = await add(hass, entry, CAR, repeat=None)
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    assert is_asked(hass, load)
    assert shown(hass, load, "next_start").state == "unknown"
    await house.plug("on")
    assert status(hass, load) == LoadStatus.PLANNED
    while not house.ran:
        await house.until(datetime.now(UTC) + STEP)
    await house.plug("off")
    await house.until(datetime.now(UTC) + STEP)
    assert not runs_now(hass, load)
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    await restart(hass, entry)
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    await house.plug("unavailable")
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    await house.plug("on")
    await house.until(berlin(11, 7))
    assert house.charge == pytest.approx(80, abs=1.6)
    # At its target it needs nothing in the next window, unless the car is driven.
    await house.until(berlin(11, 9))
    assert status(hass, load) == LoadStatus.DONE
    house.charge = 60
    await house.until(berlin(11, 9, 10))
    assert status(hass, load) in {LoadStatus.PROVISIONAL, LoadStatus.RUNNING}
    await house.until(berlin(12, 7))
    assert house.charge == pytest.approx(80, abs=1.6)


async def test_unplugging_withdraws_the_request(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It also ends a run, even one started by hand; plugging in again makes a new request."""
    entry = await linked()
    house = House(hass, advance, 40)
    await house.plug("on")
    house.load = load = await add(hass, entry, CAR)
    button = shown(hass, load, "start_now", "button").entity_id
    await hass.services.async_call(
        "button", "press", {"entity_id": button}, blocking=True
    )
    assert runs_now(hass, load)
    await house.until(berlin(10, 10, 30))
    await house.plug("off")
    assert runs_now(hass, load)
    await advance(timedelta(seconds=30))
    assert not runs_now(hass, load)
    assert not is_asked(hass, load)
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    await house.plug("on")
    assert is_asked(hass, load)
    await house.until(berlin(11, 7))
    assert house.charge == pytest.approx(80, abs=1.6)


async def test_a_plug_and_a_charge_that_flap(
    hass: HomeAssistant, nomos, linked, advance: Advance, jobs
) -> None:
    """A bouncing contact ends no run; a charge that changes every second does not lead to a plan every second."""
    entry = await linked()
    house = House(hass, advance, 15)
    await house.plug("on")
    house.load = load = await add(hass, entry, CAR, lowest_charge=60)
    assert runs_now(hass, load)
    await house.until(berlin(10, 10, 10))
    seen = async_capture_events(hass, EVENT_STATE_CHANGED)
    jobs.clear()
    for second in range(300):
        for state in ("off", "unavailable", "on"):
            hass.states.async_set(PLUG, state)
        house.charge = 15 if second % 2 else 50
        house.report()
        await advance(timedelta(seconds=1))
        assert runs_now(hass, load)
    assert jobs.count("plan_load") <= 7
    assert not [
        one.data["entity_id"]
        for one in seen
        if one.data["entity_id"].endswith(("run_now", "planned", "status"))
        and one.data["old_state"].state != one.data["new_state"].state
    ]


async def test_expected_reports_cause_no_writes(
    hass: HomeAssistant, nomos, linked, advance: Advance, jobs, files
) -> None:
    """A sensor that reports the expected charge every second changes no state, plan or file."""
    entry = await linked()
    house = House(hass, advance, 40.2)
    await house.plug("on")
    await house.until(berlin(10, 15))
    house.load = load = await add(hass, entry, CAR)
    assert not runs_now(hass, load)
    await house.until(berlin(10, 15, 1), timedelta(seconds=10))
    [file] = files("loads.").values()
    content, when = file.read_bytes(), file.stat().st_mtime_ns
    jobs.clear()
    seen = async_capture_events(hass, EVENT_STATE_CHANGED)
    for second in range(240):
        house.charge = 40 + second % 2
        house.report()
        await advance(timedelta(seconds=1))
    assert not [one for one in seen if one.data["entity_id"] != CHARGE]
    assert "plan_load" not in jobs
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (content, when)


async def test_a_car_that_stays_plugged_in(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It is requested again after losing a few percent or missing a deadline, but not after *Skip*."""
    entry = await linked()
    house = House(hass, advance, 77)
    await house.plug("on")
    house.load = load = await add(hass, entry, CAR)
    await house.until(berlin(11, 7))
    assert status(hass, load) == LoadStatus.DONE
    house.charge = 78
    await house.until(berlin(11, 8))
    assert not is_asked(hass, load)
    house.charge = 70
    await house.until(berlin(11, 8, 30))
    assert is_asked(hass, load)
    button = shown(hass, load, "skip", "button").entity_id
    await hass.services.async_call(
        "button", "press", {"entity_id": button}, blocking=True
    )
    assert not is_asked(hass, load)
    await restart(hass, entry)
    await house.until(berlin(12, 6, 55))
    assert not is_asked(hass, load)
    await house.until(berlin(12, 7, 5))
    assert is_asked(hass, load)
    assert status(hass, load) != LoadStatus.DONE


async def test_requesting_sensor(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It requests a single run, however long it stays on or if pressed twice; off withdraws a run not yet started."""
    entry = await linked()
    hass.states.async_set(DOOR, "off")
    house = House(hass, advance, 0)
    house.load = load = await add(
        hass, entry, DISHWASHER, repeat="on_demand", ask_sensor=DOOR, start=None
    )
    assert status(hass, load) == LoadStatus.NOT_ASKED

    async def press(*states: str) -> None:
        for state in states:
            hass.states.async_set(DOOR, state)
            await hass.async_block_till_done()

    await press("on", "off", "on")
    assert is_asked(hass, load)
    await press("off")
    await advance(timedelta(seconds=31))
    assert status(hass, load) == LoadStatus.NOT_ASKED
    await press("on")
    await house.until(berlin(10, 10, 30))
    await restart(hass, entry)
    assert is_asked(hass, load)
    await press("unknown", "on")
    while not runs_now(hass, load):
        await house.until(datetime.now(UTC) + STEP)
    # Remote start is switched off once the machine runs; that must not stop it.
    await press("off")
    await house.until(datetime.now(UTC) + timedelta(minutes=20))
    assert runs_now(hass, load)
    await press("on")
    await house.until(berlin(11, 8))
    assert len(house.ran) * STEP == timedelta(hours=2, minutes=15)
    await restart(hass, entry)
    await house.until(berlin(11, 13))
    assert len(house.ran) * STEP == timedelta(hours=2, minutes=15)
    await press("off")
    await advance(timedelta(seconds=31))
    await press("on", "off", "on")
    await house.until(berlin(12, 8))
    assert len(house.ran) * STEP == 2 * timedelta(hours=2, minutes=15)


async def test_changes_while_the_hub_was_off(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A car that is plugged in or unplugged while Home Assistant is down is noticed at startup."""
    entry = await linked()
    house = House(hass, advance, 40)
    await house.plug("off")
    house.load = load = await add(hass, entry, CAR)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await house.plug("on")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert is_asked(hass, load)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await house.plug("off")
    await advance(timedelta(minutes=1))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not is_asked(hass, load)
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
