"""Tests of the devices of loads: manual switching is respected; restarts, new plans and settings are followed."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import Context, HomeAssistant
from tests.integration.helpers import Advance, restart
from tests.integration.loads.appliances import (
    DAYTIME,
    IN_VAIN,
    Plug,
    by_hand,
    in_mid_run,
    plug_in,
    repairs,
    until_it_runs,
)
from tests.integration.loads.helpers import (
    QUARTER,
    moment,
    press,
    put,
    runs_now,
    status,
    until,
)

pytestmark = pytest.mark.usefixtures("german_hub")

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("pressed", ["dashboard", "button of the plug"])
async def test_switched_off_by_hand(
    hass: HomeAssistant,
    nomos,
    linked,
    subscription,
    advance: Advance,
    plug: Plug,
    pressed,
) -> None:
    """It stays off until the next run, despite new prices, a gap, a reload and the end of this run."""
    entry = await linked()
    load = await in_mid_run(hass, advance, entry, plug)
    if pressed == "dashboard":
        await by_hand(hass, plug.entity_id, "turn_off")
    else:
        plug.show("off")
    nomos.correct_price(subscription.id, datetime(2026, 6, 10, 20, tzinfo=UTC), 1.0)
    await entry.runtime_data.prices[subscription.id].async_refresh()
    await advance(MINUTE)
    plug.go(away=True)
    await advance(MINUTE)
    plug.go(away=False)
    await advance(MINUTE)
    await restart(hass, entry)
    await advance(MINUTE)
    assert plug.value == "off"
    assert status(hass, load) == LoadStatus.RUNNING
    await until(advance, moment(hass, load, "next_end") + MINUTE)
    assert plug.value == "off"
    await until_it_runs(hass, advance, load)
    assert plug.value == "on"


async def test_switched_on_by_hand(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """It stays on until the next run ends, even after a restart; switching it off again returns control."""
    entry = await linked()
    load = await put(hass, entry, devices=[plug.entity_id], **DAYTIME)
    await advance(MINUTE)
    await by_hand(hass, plug.entity_id, "turn_on")
    await restart(hass, entry)
    await advance(MINUTE)
    assert plug.value == "on"
    await until(advance, moment(hass, load, "next_end"))
    assert plug.value == "off"

    await advance(MINUTE)
    await by_hand(hass, plug.entity_id, "turn_on")
    await advance(MINUTE)
    await by_hand(hass, plug.entity_id, "turn_off")
    plug.go(away=True)
    plug._attr_is_on = True
    plug.go(away=False)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plug.value == "off"


async def test_start_now_takes_control(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """Pressed during a run, it switches on a device that was switched off by hand."""
    load = await in_mid_run(hass, advance, await linked(), plug)
    await by_hand(hass, plug.entity_id, "turn_off")
    await advance(MINUTE)
    await press(hass, load, "start_now")
    assert plug.value == "on"


async def test_start_now_twice(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """It also takes control in a run that was started by hand, and does not change the end of that run."""
    load = await put(hass, await linked(), devices=[plug.entity_id], **DAYTIME)
    await press(hass, load, "start_now")
    end = moment(hass, load, "next_end")
    await advance(MINUTE)
    await by_hand(hass, plug.entity_id, "turn_off")
    await advance(MINUTE)
    assert plug.value == "off"
    await press(hass, load, "start_now")
    assert plug.value == "on"
    assert moment(hass, load, "next_end") == end


@pytest.mark.parametrize("who", ["itself", "user", "automation"])
async def test_late_state_report_is_not_manual(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug, who
) -> None:
    """A state polled half a minute after a command does not count as manual switching; what people do does."""
    load = await put(hass, await linked(), devices=[plug.entity_id], **DAYTIME)
    await until(advance, moment(hass, load, "next_start"))
    await give_time(29 * SECOND)
    assert plug.value == "on"
    plug.commands.clear()
    context = {
        "itself": Context(),
        "user": Context(user_id="anna"),
        "automation": Context(parent_id="trigger"),
    }[who]
    plug.async_set_context(context)
    plug.show("off")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plug.value == ("on" if who == "itself" else "off")
    await give_time(IN_VAIN)
    assert plug.commands == (["on"] if who == "itself" else [])
    assert not repairs(hass)


@pytest.mark.parametrize("over", [False, True])
async def test_restart_in_mid_run(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug, over
) -> None:
    """A device that changed while Home Assistant was down is corrected; one that did not is left alone."""
    entry = await linked()
    load = await in_mid_run(hass, advance, entry, plug)
    end = moment(hass, load, "next_end")
    plug.commands.clear()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert plug.value == "on"
    await advance(end - datetime.now(UTC) + MINUTE if over else MINUTE)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert runs_now(hass, load) != over
    assert plug.value == ("off" if over else "on")
    assert plug.commands == (["off"] if over else [])

    assert await hass.config_entries.async_unload(entry.entry_id)
    plug.show("on" if over else "off")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plug.value == ("off" if over else "on")


async def test_a_plan_that_changes_in_mid_run(
    hass: HomeAssistant, nomos, linked, subscription, advance: Advance, plug: Plug
) -> None:
    """The device goes off when its run is postponed, and on when the new run starts."""
    entry = await linked()
    load = await in_mid_run(hass, advance, entry, plug, contiguous=False)
    now = datetime.now(UTC)
    for number in range(4, 13):
        nomos.correct_price(
            subscription.id,
            now.replace(minute=0, second=0, microsecond=0) + number * QUARTER,
            -50.0,
        )
    await entry.runtime_data.prices[subscription.id].async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    seen = set()
    while datetime.now(UTC) < datetime(2026, 6, 10, 16, tzinfo=UTC):
        seen.add(runs_now(hass, load))
        assert plug.value == ("on" if runs_now(hass, load) else "off")
        await advance(MINUTE)
    assert seen == {True, False}
    assert len(plug.commands) > 3


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 28, 17, 5, 11, tzinfo=UTC),
        datetime(2026, 10, 24, 16, 5, 11, tzinfo=UTC),
    ],
)
async def test_nights_of_the_clock_change(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug, now
) -> None:
    """A run across the missing or repeated hour is like any other."""
    around = {"start": "00:00:00", "end": "05:00:00", "duration": {"hours": 3}}
    load = await put(hass, await linked(), devices=[plug.entity_id], **around)
    on = timedelta()
    while datetime.now(UTC) < now + timedelta(hours=13):
        running = runs_now(hass, load)
        assert plug.value == ("on" if running else "off")
        on += running * MINUTE
        await advance(
            MINUTE
            if running
            else QUARTER - timedelta(seconds=datetime.now(UTC).timestamp() % 900)
        )
    assert on == timedelta(hours=3)
    assert plug.commands == ["off", "on", "off"]
    ran = datetime.now(TARIFF_ZONE)
    assert ran.utcoffset() != now.astimezone(TARIFF_ZONE).utcoffset()


async def test_a_device_removed_from_a_load(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug
) -> None:
    """It keeps its state, gets no more commands and loses its repair; an added device follows at once."""
    entry = await linked()
    broken, new = Plug("Broken", disobeys=1000), Plug("New")
    await plug_in(hass, broken, new)
    load = await in_mid_run(hass, advance, entry, plug, broken)
    await give_time(IN_VAIN)
    assert repairs(hass)
    commands = len(broken.commands), len(plug.commands)
    subentry = entry.subentries[load]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "devices": [new.entity_id]}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not repairs(hass)
    assert status(hass, load) == LoadStatus.RUNNING
    assert new.value == "on"
    await until(advance, moment(hass, load, "next_end") + MINUTE)
    assert plug.value == "on"
    assert commands == (len(broken.commands), len(plug.commands))
    assert new.value == "off"


async def test_a_load_that_is_removed(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug
) -> None:
    """Its devices keep their states, and its repairs disappear."""
    entry = await linked()
    broken = Plug("Broken", disobeys=1000)
    await plug_in(hass, broken)
    load = await in_mid_run(hass, advance, entry, plug, broken)
    await give_time(IN_VAIN)
    assert repairs(hass)
    assert hass.config_entries.async_remove_subentry(entry, load)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not repairs(hass)
    await give_time(timedelta(hours=3), QUARTER)
    assert plug.value == "on"
