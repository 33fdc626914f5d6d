"""Tests of reloads, set clocks and clock changes while a load runs."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.nomos.loads.plan import LoadStatus
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, SetClock, restart
from tests.integration.loads.appliances import Plug
from tests.integration.loads.helpers import (
    moment,
    press,
    put,
    record_runs,
    runs_now,
    shown,
    status,
    switch,
    until,
)

pytestmark = pytest.mark.usefixtures("german_hub")

MINUTE = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)

NIGHTS = [
    datetime(2026, 3, 28, 17, 5, 11, tzinfo=UTC),
    datetime(2026, 10, 24, 16, 5, 11, tzinfo=UTC),
]
"""The evenings before the nights with a missing and with a repeated hour."""


@pytest.mark.parametrize("may_pause", [False, True])
@pytest.mark.parametrize("now", NIGHTS)
async def test_reloads_in_the_nights_of_the_clock_change(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug, now, may_pause
) -> None:
    """However often it is reloaded around the missing or repeated hour, it runs once, for its duration."""
    entry = await linked()
    load = await put(
        hass,
        entry,
        devices=[plug.entity_id],
        duration={"hours": 3},
        start="00:00:00",
        end="05:00:00",
        contiguous=not may_pause,
        min_run=30,
        power=2,
        repeat="on_demand",
    )
    await switch(hass, load, on=True)
    on = timedelta()
    while datetime.now(UTC) < now + timedelta(hours=13):
        running = runs_now(hass, load)
        assert plug.value == ("on" if running else "off")
        on += running * MINUTE
        if running and datetime.now(UTC).minute % 20 == 7:
            await restart(hass, entry)
            assert runs_now(hass, load)
        await advance(
            MINUTE
            if running
            else QUARTER - timedelta(seconds=datetime.now(UTC).timestamp() % 900)
        )
    assert on == timedelta(hours=3)
    assert shown(hass, load, "planned", "switch").state == "off"
    [month] = entry.runtime_data.loads.all[load].meter.stored_ledger.months
    assert month.energy == pytest.approx(6)


@pytest.mark.parametrize("may_pause", [False, True])
@pytest.mark.parametrize("minutes", [-80, -40, 40, 150])
async def test_the_clock_is_set(
    hass: HomeAssistant,
    linked,
    advance: Advance,
    set_clock: SetClock,
    plug: Plug,
    minutes,
    may_pause,
) -> None:
    """A run ends by the new clock; if the clock is set to before its start, it starts again. There is no other run."""
    entry = await linked()
    load = await put(
        hass,
        entry,
        devices=[plug.entity_id],
        duration={"hours": 2},
        start="10:00:00",
        end="18:00:00",
        contiguous=not may_pause,
        min_run=120,
        repeat="on_demand",
    )
    await switch(hass, load, on=True)
    start, end = (moment(hass, load, f"next_{edge}") for edge in ("start", "end"))
    await until(advance, start + timedelta(minutes=50))
    assert runs_now(hass, load)
    now = start + timedelta(minutes=50 + minutes)
    await set_clock(now)
    assert runs_now(hass, load) == (start <= now < end)
    await restart(hass, entry)
    assert runs_now(hass, load) == (start <= now < end)
    ended = None
    while datetime.now(UTC) < end + timedelta(hours=5):
        running = runs_now(hass, load)
        assert plug.value == ("on" if running else "off")
        if running:
            ended = datetime.now(UTC) + MINUTE
        await advance(MINUTE if running else 5 * MINUTE)
    assert ended in ([None] if now >= end else [end])
    assert status(hass, load) in {LoadStatus.DONE, LoadStatus.NOT_ASKED}
    assert shown(hass, load, "planned", "switch").state == "off"


@pytest.mark.parametrize("by_hand", [False, True])
async def test_the_clock_is_set_back_unnoticed(
    hass: HomeAssistant,
    linked,
    advance: Advance,
    freezer: FrozenDateTimeFactory,
    by_hand,
) -> None:
    """A request survives an update of the load between the change of the clock and its detection."""
    entry = await linked()
    load = await put(
        hass,
        entry,
        duration={"hours": 2},
        start="10:00:00",
        end="18:00:00",
        repeat="on_demand",
    )
    if by_hand:
        await press(hass, load, "start_now")
        await advance(MINUTE)
    else:
        await switch(hass, load, on=True)
        await until(advance, moment(hass, load, "next_start") + 50 * MINUTE)
    end = moment(hass, load, "next_end")
    freezer.move_to(end - timedelta(hours=2, minutes=30))
    subentry = entry.subentries[load]
    hass.config_entries.async_update_subentry(entry, subentry, title="Machine")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not runs_now(hass, load)
    assert shown(hass, load, "planned", "switch").state == "on"
    runs = await record_runs(hass, advance, load, end + timedelta(hours=5))
    assert runs == [(end - timedelta(hours=2), end)]
    assert shown(hass, load, "planned", "switch").state == "off"


async def test_a_change_late_in_the_window(
    hass: HomeAssistant, linked, advance: Advance, set_clock: SetClock
) -> None:
    """A change during a run, too late for another run in its window, does not cost the next night's run."""
    entry = await linked()
    load = await put(
        hass, entry, duration={"hours": 2}, start="04:30:00", end="07:00:00"
    )
    await until(advance, moment(hass, load, "next_start"))
    await advance(50 * MINUTE)
    assert runs_now(hass, load)
    await set_clock(datetime.now(UTC) + MINUTE)
    closes = moment(hass, load, "next_end") + timedelta(days=1, hours=2)
    ran = timedelta()
    while datetime.now(UTC) < closes:
        ran += QUARTER * runs_now(hass, load)
        await advance(QUARTER)
    assert ran > timedelta(hours=2, minutes=30)
