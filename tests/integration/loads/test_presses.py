"""Tests of loads whose buttons are pressed in any order; ``test_promises.py`` does so at random and more often."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from custom_components.nomos.loads.plan import LoadStatus
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, restart
from tests.integration.loads.helpers import (
    press,
    put,
    record_runs,
    runs_now,
    shown,
    status,
    switch,
)

pytestmark = pytest.mark.usefixtures("german_hub")

ODD = timedelta(seconds=43)
HOUR = timedelta(hours=1)


def deadline(hass: HomeAssistant, load_id: str) -> datetime:
    """Return the load's deadline."""
    window = shown(hass, load_id, "run_now", "binary_sensor").attributes["window"]
    return datetime.fromisoformat(window["end"])


@pytest.mark.parametrize("before", ["skip", "start_now"])
@pytest.mark.parametrize("days", [{}, {"days": "chosen", "weekdays": ["sat"]}])
async def test_start_now_in_a_finished_window(
    hass: HomeAssistant, nomos, linked, advance: Advance, before, days
) -> None:
    """After a run or a *Skip*, it adds a run to the same window, and the next window keeps its own."""
    entry = await linked()
    load_id = await put(hass, entry, duration={"hours": 1}, end="07:00:00", **days)
    await press(hass, load_id, before)
    now = datetime.now(UTC)
    await record_runs(hass, advance, load_id, now + 2 * HOUR + ODD)
    following = deadline(hass, load_id)
    await press(hass, load_id, "start_now")
    assert status(hass, load_id) == LoadStatus.RUNNING
    runs = await record_runs(hass, advance, load_id, now + 4 * HOUR)
    assert sum((end - start for start, end in runs), timedelta()) == HOUR
    assert deadline(hass, load_id) == following


@pytest.mark.parametrize("wait", [timedelta(), 2 * HOUR])
async def test_off_and_on_after_a_run(
    hass: HomeAssistant, nomos, linked, advance: Advance, wait
) -> None:
    """Switching off and on again adds no second run to the same window, and keeps that of the next."""
    entry = await linked()
    load_id = await put(hass, entry, duration={"hours": 1}, end="07:00:00")
    closes = deadline(hass, load_id)
    await press(hass, load_id, "start_now")
    await record_runs(hass, advance, load_id, datetime.now(UTC) + HOUR + ODD)
    await switch(hass, load_id, on=False)
    assert status(hass, load_id) == LoadStatus.DONE
    await advance(wait + ODD)
    await switch(hass, load_id, on=True)
    assert deadline(hass, load_id) == closes + timedelta(days=1)
    assert not await record_runs(hass, advance, load_id, closes)
    runs = await record_runs(hass, advance, load_id, closes + timedelta(days=1))
    assert sum((end - start for start, end in runs), timedelta()) == HOUR


async def test_changes_do_not_postpone_a_rolling_deadline(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A deadline within some hours counts from the request, whatever is changed later."""
    entry = await linked()
    load_id = await put(
        hass, entry, duration={"hours": 1}, repeat="on_demand", within=8
    )
    await switch(hass, load_id, on=True)
    closes = deadline(hass, load_id)
    await advance(timedelta(minutes=7))
    assert not runs_now(hass, load_id)
    await hass.config.async_update(internal_url="http://example.local:8123")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert deadline(hass, load_id) == closes
    need = shown(hass, load_id, "need", "number").entity_id
    await hass.services.async_call(
        "number", "set_value", {"entity_id": need, "value": 50}, blocking=True
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert deadline(hass, load_id) == closes


@pytest.mark.parametrize("contiguous", [False, True])
async def test_any_presses(
    hass: HomeAssistant, nomos, linked, advance: Advance, contiguous
) -> None:
    """Each request that is not withdrawn runs for its duration before its deadline, and no longer."""
    random = Random(3)
    entry = await linked()
    load_id = await put(
        hass,
        entry,
        duration={"hours": 1},
        repeat="on_demand",
        contiguous=contiguous,
        min_run=0 if contiguous else 15,
    )
    ran, closes, fits = timedelta(), None, HOUR
    for _ in range(24):
        match random.choice(["ask", "ask", "start", "skip", "off", "restart", "wait"]):
            case "ask":
                await switch(hass, load_id, on=True)
            case "start":
                await press(hass, load_id, "start_now")
                assert runs_now(hass, load_id)
            case "skip" | "off" as way if random.random() < 0.5:
                if way == "off":
                    await switch(hass, load_id, on=False)
                else:
                    await press(hass, load_id, "skip")
                assert not runs_now(hass, load_id)
                ran, closes = timedelta(), None
            case "restart":
                await restart(hass, entry)
        asked = shown(hass, load_id, "planned", "switch").state == "on"
        assert asked or not runs_now(hass, load_id)
        if asked and closes is None:
            ran, closes = timedelta(), deadline(hass, load_id)
            fits = closes - datetime.now(UTC) - timedelta(minutes=1)
        assert asked == (closes is not None)
        wait = random.choice([0.02, 0.3, 0.7, 2, 6]) * HOUR
        end = datetime.now(UTC) + wait
        runs = await record_runs(hass, advance, load_id, end)
        ran += sum((end - start for start, end in runs), timedelta())
        assert ran <= HOUR
        if closes and shown(hass, load_id, "planned", "switch").state == "off":
            assert ran >= min(HOUR, fits)
            assert status(hass, load_id) in {LoadStatus.DONE, LoadStatus.NOT_ASKED}
            ran, closes = timedelta(), None
        # Started by hand shortly before its deadline, it may run past it.
        assert closes is None or datetime.now(UTC) < closes + HOUR


async def test_start_now_after_many_skips(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It can be started however many weeks were skipped."""
    entry = await linked()
    load_id = await put(
        hass, entry, duration={"hours": 1}, days="chosen", weekdays=["sat"]
    )
    for _ in range(4):
        await press(hass, load_id, "skip")
        await advance(timedelta(seconds=11))
    await press(hass, load_id, "start_now")
    assert runs_now(hass, load_id)
