"""Tests of a hub whose clock is set, or that slept, which only the kernel's timers notice."""

from datetime import UTC, datetime, timedelta
import os

import pytest

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, SetClock, assert_right, state_of
from tests.integration.loads.appliances import Plug, plug_in
from tests.integration.loads.helpers import DISHWASHER, add, moment, put, runs_now


async def test_the_price_follows(
    hass: HomeAssistant, nomos, subscription, set_clock: SetClock, linked
) -> None:
    """The price of the new time is shown at once, forward and back, without a request."""
    await linked()
    before = datetime.now(UTC)
    requests = len(nomos.requests)
    for minutes in 7, 95, 40, -140, 0:
        await set_clock(before + timedelta(minutes=minutes))
        assert_right(hass, nomos, subscription)
    assert len(nomos.requests) == requests


async def test_the_day_follows(
    hass: HomeAssistant,
    nomos,
    subscription,
    set_clock: SetClock,
    linked,
    advance: Advance,
) -> None:
    """A hub that slept over midnight continues in the new day, with all its timers."""
    await linked()
    await advance(timedelta(hours=7))
    known = "tomorrow_available", Platform.BINARY_SENSOR
    assert state_of(hass, subscription.id, *known).state == "on"
    await set_clock(datetime(2026, 6, 11, 2, 40, tzinfo=UTC))
    assert_right(hass, nomos, subscription)
    assert state_of(hass, subscription.id, *known).state == "off"
    await advance(timedelta(minutes=5))
    assert_right(hass, nomos, subscription)


@pytest.mark.usefixtures("german_hub")
async def test_a_load_follows(
    hass: HomeAssistant, set_clock: SetClock, linked, advance: Advance
) -> None:
    """A run that was due while the hub slept starts when it wakes, and ends if its time is over."""
    entry = await linked()
    await advance(timedelta(hours=7))
    load_id = await add(hass, entry, DISHWASHER)
    start = moment(hass, load_id, "next_start")
    assert not runs_now(hass, load_id)
    await set_clock(start + timedelta(minutes=3))
    assert runs_now(hass, load_id)
    # It still needs its full duration.
    end = moment(hass, load_id, "next_end")
    assert end == datetime.now(UTC) + timedelta(hours=2, minutes=15)
    await set_clock(end + timedelta(seconds=1))
    assert not runs_now(hass, load_id)


@pytest.mark.usefixtures("german_hub")
async def test_a_device_follows(
    hass: HomeAssistant, set_clock: SetClock, linked, advance: Advance
) -> None:
    """A device follows the run of its load, even if the clock is set into the run, back before it, or past it."""
    plug = Plug("Plug")
    await plug_in(hass, plug)
    entry = await linked()
    await advance(timedelta(hours=7))
    asked = {key: value for key, value in DISHWASHER.items() if key != "name"}
    load_id = await put(hass, entry, devices=[plug.entity_id], **asked)
    start, end = (moment(hass, load_id, f"next_{edge}") for edge in ("start", "end"))
    for at in (start + timedelta(seconds=3), start - timedelta(hours=1), end):
        await set_clock(at)
        assert plug.value == ("on" if runs_now(hass, load_id) else "off")
    assert "on" in plug.commands


async def test_timer_is_closed_with_the_account(
    hass: HomeAssistant, kernel: dict[int, int], set_clock: SetClock, linked
) -> None:
    """An unloaded account has no open timer."""
    entry = await linked()
    [timer] = kernel.values()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not hass.loop.remove_reader(timer)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(timer)
