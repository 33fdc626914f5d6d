"""Tests of devices that loads switch: who switches them by hand is respected; restarts, new plans and settings are followed."""

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
    """It stays off until the next run, whatever happens: new prices, a gap, a reload, the end of this run."""
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
    """It stays on until the next run ends, also over a restart; who switches it off again gives it back."""
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


async def test_start_now_takes_the_device_back(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """Whoever presses it in mid-run wants the device to run, though it was switched off by hand."""
    load = await in_mid_run(hass, advance, await linked(), plug)
    await by_hand(hass, plug.entity_id, "turn_off")
    await advance(MINUTE)
    await press(hass, load, "start_now")
    assert plug.value == "on"


async def test_start_now_twice(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """It takes the device back in a run that was started by hand, too, and the run ends when it did."""
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
async def test_off_again_when_it_is_asked(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug, who
) -> None:
    """What a device shows half a minute after a command, when its state is read, is not done by hand; what people do is."""
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
    """What changed while Home Assistant was away is brought into line, and what did not is left as it is."""
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
    """The device goes off with the run that is put off, and on with the one that was found."""
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
    """A run over the hour that is missing or comes twice is a run like any other."""
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


async def test_a_device_that_is_taken_out(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug
) -> None:
    """It stays as it is and is commanded no more, and its repair goes; one that is put in follows at once."""
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
    """Its devices stay as they are, and its repairs go."""
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
