"""Tests of what happens while a load runs: reloads, a clock that is set, and the nights of the clock change."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.nomos.loads.plan import LoadStatus
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, SetClock, restart
from tests.integration.loads.appliances import Plug
from tests.integration.loads.helpers import (
    count_run,
    moment,
    press,
    put,
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
"""The evenings before the nights in which an hour is missing, and one comes twice."""


@pytest.mark.parametrize("may_pause", [False, True])
@pytest.mark.parametrize("now", NIGHTS)
async def test_reloads_in_the_nights_of_the_clock_change(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug, now, may_pause
) -> None:
    """However often it is reloaded in the hour that is missing or comes twice, it runs once, for its time."""
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
    [month] = entry.runtime_data.loads.all[load].meter.kept.months
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
    """A run goes on to its end by the new clock, or begins again if it never began by that; there is no other."""
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
async def test_the_clock_is_set_back_and_nobody_says_so(
    hass: HomeAssistant,
    linked,
    advance: Advance,
    freezer: FrozenDateTimeFactory,
    by_hand,
) -> None:
    """A request is kept if the load is updated after the clock was set back, but before that is known."""
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
    runs = await count_run(hass, advance, load, end + timedelta(hours=5))
    assert runs == [(end - timedelta(hours=2), end)]
    assert shown(hass, load, "planned", "switch").state == "off"


async def test_a_change_late_in_the_window(
    hass: HomeAssistant, linked, advance: Advance, set_clock: SetClock
) -> None:
    """What changes in a run, when no other would fit into its window, does not cost the run of the next night."""
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
