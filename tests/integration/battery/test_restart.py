"""Tests of a home battery across a restart: the inverter keeps its mode, and the ledger has no gap."""

from datetime import UTC, date, datetime, timedelta

import pytest

from custom_components.nomos.forecast.outlook import Problem
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event
from tests.integration.battery.helpers import (
    QUARTER,
    add,
    batteries_of,
    entity_of,
    report,
    state_of,
)
from tests.integration.forecast.helpers import add_sun, bright
from tests.integration.helpers import Advance, restart

pytestmark = pytest.mark.usefixtures("german_hub")


@pytest.fixture
def now() -> datetime:
    """Start in a winter night, shortly before low prices."""
    return datetime(2026, 1, 14, 1, 3, 7, tzinfo=UTC)


async def begin_charging(hass: HomeAssistant, entry, advance: Advance) -> str:
    """Add a battery and wait until it has charged for a quarter-hour; return its id."""
    report(hass, 20)
    battery = await add(hass, entry)
    now = datetime.now(UTC)
    await advance(QUARTER - timedelta(minutes=now.minute % 15, seconds=now.second))
    level, charges = 20.0, 0
    while charges < 2:
        charges = charges + 1 if state_of(hass, battery).state == "charge" else 0
        if charges < 2:
            level += 10 * charges
            report(hass, level)
            await advance(QUARTER)
    return battery


def record_modes(hass: HomeAssistant, battery: str) -> list[str]:
    """Return a list to which every mode shown from now on is added."""
    modes: list[str] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        state: State | None = event.data["new_state"]
        if state is not None:
            modes.append(state.state)

    async_track_state_change_event(hass, entity_of(hass, battery, "mode"), hear)
    return modes


def ledger_of(entry, battery: str):
    """Return the ledger of a battery."""
    batteries = batteries_of(entry)
    assert batteries is not None
    return batteries.all[battery].ledger


async def test_restart_in_mid_charge(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """The mode never changes to self-use while the level is not reported yet, and then follows the plan."""
    entry = await linked()
    battery = await begin_charging(hass, entry, advance)
    modes = record_modes(hass, battery)
    level = hass.states.get("sensor.battery_charge")
    assert level is not None
    report(hass, STATE_UNAVAILABLE)
    await restart(hass, entry)
    mode = state_of(hass, battery)
    assert mode.state == STATE_UNKNOWN
    assert mode.attributes["reason"].startswith("Home Assistant has just started")
    await advance(timedelta(minutes=10))
    report(hass, level.state)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state_of(hass, battery).state == "charge"
    assert set(modes) <= {STATE_UNAVAILABLE, STATE_UNKNOWN, "charge"}


async def test_restart_without_a_level(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """Without a level for a quarter of an hour, the battery falls back to self-use and says why."""
    entry = await linked()
    battery = await begin_charging(hass, entry, advance)
    report(hass, STATE_UNAVAILABLE)
    await restart(hass, entry)
    for _ in range(2):
        await advance(QUARTER)
    mode = state_of(hass, battery)
    assert mode.state == "self_use"
    assert "charge level is unknown" in mode.attributes["reason"]


async def test_ledger_over_a_restart(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """The quarter-hour of the restart is booked: charge added in it does not count as self-use's."""
    entry = await linked()
    battery = await begin_charging(hass, entry, advance)
    before = ledger_of(entry, battery)
    level = before.level + 1
    await hass.config_entries.async_unload(entry.entry_id)
    await advance(QUARTER + timedelta(minutes=2))
    report(hass, 10 * level)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    after = ledger_of(entry, battery)
    assert after.at == before.at + QUARTER
    assert after.level == pytest.approx(level)
    assert after.own_level <= before.own_level


async def test_solar_forecast_that_is_loaded_late(hass: HomeAssistant, linked) -> None:
    """A battery that was planned without the sun is planned again as soon as the forecast is there."""
    entry = await linked()
    add_sun(hass, "east").answers["east"] = bright(date(2026, 1, 14), 3)
    hass.config_entries.async_update_entry(entry, options={"solar_forecasts": ["east"]})
    report(hass, 20)
    battery = await add(hass, entry)
    planned = batteries_of(entry).all[battery].plan.plan
    roof = hass.config_entries.async_get_entry("east")
    roof.mock_state(hass, ConfigEntryState.SETUP_RETRY)
    await restart(hass, entry)
    assert problems(entry) == {Problem.SUN_UNAVAILABLE}
    assert batteries_of(entry).all[battery].plan.plan.steps != planned.steps
    roof.mock_state(hass, ConfigEntryState.LOADED)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert problems(entry) == set()
    assert batteries_of(entry).all[battery].plan.plan.steps == planned.steps


def problems(entry) -> set[Problem]:
    """Return the problems of the latest outlook, apart from the house's."""
    return set(entry.runtime_data.forecasts.latest.problems) & {Problem.SUN_UNAVAILABLE}
