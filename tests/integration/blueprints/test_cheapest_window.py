"""Tests of a device that follows a flexible load."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.nomos.planner import PlanRequest, plan
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.integration.automation.helpers import each_kind_of_day
from tests.integration.blueprints import (
    QUARTER,
    Relays,
    go_to,
    is_on,
    reload,
    save,
    settle,
    turn,
)
from tests.integration.blueprints.automations import follow
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import CAR, add, moment, table_of, until

BERLIN = ZoneInfo("Europe/Berlin")


@each_kind_of_day(timedelta(minutes=-10))
async def test_a_day(
    hass: HomeAssistant, linked, advance: Advance, quarters: int
) -> None:
    """The device is on exactly in the cheapest quarter-hours of the day."""
    entry = await linked()
    opens = datetime.now(BERLIN).replace(hour=0, minute=0) + timedelta(days=1)
    closes = opens + timedelta(days=1)
    load_id = await add(hass, entry, CAR, min_run=None, min_pause=None, max_runs=None)
    await follow(hass, load_id)
    await go_to(advance, opens.astimezone(UTC))
    best = plan(
        table_of(entry),
        PlanRequest(opens, closes, timedelta(hours=4), contiguous=False, power_kw=11),
        datetime.now(UTC),
    )
    seen = []

    def check(now: datetime) -> None:
        due = any(run.start <= now < run.end for run in best.runs)
        assert is_on(hass, "dishwasher") == due, now
        seen.append(due)

    check(datetime.now(UTC))
    await go_to(advance, closes.astimezone(UTC) - QUARTER, check)
    assert len(seen) == quarters
    assert sum(seen) == 16


async def test_restart_in_mid_run(hass: HomeAssistant, linked, advance) -> None:
    """A reload leaves the device on, until the end of the run."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="20:00:00")
    await follow(hass, load_id)
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    assert not is_on(hass, "dishwasher")
    await until(advance, start + timedelta(minutes=40))
    assert is_on(hass, "dishwasher")
    before = hass.states.get("input_boolean.dishwasher").last_changed
    await reload(hass, entry)
    await until(advance, end - timedelta(minutes=1))
    assert is_on(hass, "dishwasher")
    assert hass.states.get("input_boolean.dishwasher").last_changed == before
    await until(advance, end)
    assert not is_on(hass, "dishwasher")


async def test_end_that_was_missed(hass: HomeAssistant, linked, advance) -> None:
    """A run that ended while the account was not loaded is not continued."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="20:00:00")
    await follow(hass, load_id, patience={"hours": 5})
    end = moment(hass, load_id, "next_end")
    await until(advance, end - timedelta(minutes=5))
    assert is_on(hass, "dishwasher")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await until(advance, end + timedelta(minutes=10))
    assert is_on(hass, "dishwasher")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert not is_on(hass, "dishwasher")


async def test_patience(hass: HomeAssistant, linked, advance: Advance) -> None:
    """If the plan does not come back, the device is switched off after a while."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="20:00:00")
    await follow(hass, load_id)
    await until(advance, moment(hass, load_id, "next_start") + QUARTER)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await settle(hass)
    await advance(timedelta(minutes=14))
    assert is_on(hass, "dishwasher")
    await advance(timedelta(minutes=1))
    assert not is_on(hass, "dishwasher")


async def test_home_assistant_starts(hass: HomeAssistant, linked, advance) -> None:
    """A device that is wrongly on is switched off at startup, and one that becomes available is corrected."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="20:00:00")
    await follow(hass, load_id)
    await turn(hass, "dishwasher", "on")
    assert is_on(hass, "dishwasher")
    await save(hass, itself=True)
    assert not is_on(hass, "dishwasher")
    hass.states.async_set("input_boolean.dishwasher", "unavailable")
    await settle(hass)
    hass.states.async_set("input_boolean.dishwasher", "on")
    await settle(hass)
    assert not is_on(hass, "dishwasher")


async def relays(hass: HomeAssistant, linked, **inputs) -> tuple[Relays, str]:
    """Set up two relays that follow a load that runs by day."""
    load_id = await add(hass, await linked(), start="10:00:00", end="20:00:00")
    found = Relays(hass, "one", "two")
    await follow(hass, load_id, device=["switch.one", "switch.two"], **inputs)
    return found, load_id


def states(hass: HomeAssistant) -> list[str]:
    """Return the states of the two relays."""
    return [hass.states.get(f"switch.{name}").state for name in ("one", "two")]


@pytest.mark.parametrize(
    "trouble", [None, HomeAssistantError("no answer"), ConnectionResetError()]
)
async def test_command_gets_lost(
    hass: HomeAssistant, linked, advance: Advance, trouble
) -> None:
    """It is repeated a few times with pauses, but not for a device that obeyed."""
    switches, load_id = await relays(hass, linked)
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    await until(advance, start)
    assert states(hass) == ["on", "on"]
    switches.troubles = [trouble] * 3
    switches.commands.clear()
    await until(advance, end)
    switches.turn("one", "off")
    half_a_minute = timedelta(seconds=30)
    await advance(half_a_minute)
    # A device that has obeyed may be switched by hand.
    switches.turn("one", "on")
    for _ in range(30):
        await advance(half_a_minute)
    assert states(hass) == ["on", "off"]
    assert switches.commands == ["off"] * 4


async def test_lost_command_is_overtaken(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """A command is repeated for some minutes at most, and not after the next one is due."""
    switches, load_id = await relays(hass, linked)
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    switches.troubles = [None] * 100
    await until(advance, start)
    await until(advance, start + timedelta(minutes=5))
    assert set(switches.commands) == {"on"}
    switches.commands.clear()
    run_now = next(
        one for one in hass.states.async_entity_ids() if one.endswith("run_now")
    )
    hass.states.async_set(run_now, "off")
    await settle(hass)
    assert set(switches.commands) == {"off"}
    await until(advance, end)
    assert set(switches.commands) == {"off"}
    assert len(switches.commands) < 20
