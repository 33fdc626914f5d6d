"""Tests of loads that are asked for by a plug or another sensor, also by one that flaps."""

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
    """Return the names of what runs in the executor."""
    names: list[str] = []
    run = hass.async_add_executor_job

    def watched(target, *arguments):
        names.append(getattr(target, "__name__", ""))
        return run(target, *arguments)

    monkeypatch.setattr(hass, "async_add_executor_job", watched)
    return names


async def test_the_plug_of_a_load_of_every_day(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It has a plan while it is plugged in only, and goes on with its window when it is plugged in again."""
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
    # At its target it has nothing to do in the next window, until it has been driven.
    await house.until(berlin(11, 9))
    assert status(hass, load) == LoadStatus.DONE
    house.charge = 60
    await house.until(berlin(11, 9, 10))
    assert status(hass, load) in {LoadStatus.PROVISIONAL, LoadStatus.RUNNING}
    await house.until(berlin(12, 7))
    assert house.charge == pytest.approx(80, abs=1.6)


async def test_pulling_the_plug_withdraws_the_request(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A run ends with it, also one that was started by hand; the next plugging in asks again."""
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
    """A contact that bounces ends no run; a charge that jumps every second is not planned every second."""
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


async def test_nothing_is_written_in_vain(
    hass: HomeAssistant, nomos, linked, advance: Advance, jobs, files
) -> None:
    """A sensor that reports every second what is expected changes no state, no plan and no file."""
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
    """It is asked for again when it has lost a few percent, and after a deadline that it missed, but not when skipped."""
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


async def test_a_sensor_that_asks(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A dishwasher runs once for it, however long it stays on; pressed twice, too; off withdraws what has not begun."""
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
    # Its remote start is over as it begins: no reason to stop.
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


async def test_what_was_asked_while_the_hub_was_off(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A car that is plugged in, or pulled, while Home Assistant does not run is noticed at its start."""
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
