"""Tests of stored batteries, and of several batteries: each plans for the need that the ones before leave."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.battery.helpers import (
    LEVEL,
    QUARTER,
    USUAL,
    add,
    batteries_of,
    report,
    state_of,
)
from tests.integration.helpers import Advance
from tests.integration.loads import helpers as loads

pytestmark = pytest.mark.usefixtures("german_hub")


@pytest.fixture
def now() -> datetime:
    """Start in a winter night, shortly before low prices."""
    return datetime(2026, 1, 14, 1, 3, 7, tzinfo=UTC)


def live(entry, battery: str):
    """Return a battery."""
    batteries = batteries_of(entry)
    assert batteries is not None
    return batteries.all[battery]


def gain_of(hass: HomeAssistant, battery: str) -> float:
    """Return the expected gain of a battery."""
    return float(state_of(hass, battery, "expected_gain").state)


async def test_two_batteries(hass: HomeAssistant, linked) -> None:
    """The second battery plans for the need that the first one leaves, and again whenever the first one plans."""
    entry = await linked()
    report(hass, 20)
    first = await add(hass, entry, name="First")
    alone = gain_of(hass, first)
    second = await add(hass, entry, name="Second")
    assert gain_of(hass, first) == alone
    assert gain_of(hass, second) < 0.7 * alone
    before = live(entry, second).plan
    result = await entry.start_subentry_reconfigure_flow(hass, first)
    await loads.fill_in(hass, result, USUAL | {"name": "First", "from_grid": False})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert live(entry, second).plan is not before
    assert gain_of(hass, second) > 0.7 * alone
    hass.config_entries.async_remove_subentry(entry, first)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert gain_of(hass, second) == pytest.approx(alone)


async def test_two_batteries_over_a_restart(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """Both ledgers are restored: neither is stored without the other."""
    entry = await linked()
    report(hass, 20)
    batteries = [await add(hass, entry, name=name) for name in ("First", "Second")]
    for _ in range(3):
        await advance(QUARTER)
    before = [live(entry, one).ledger for one in batteries]
    assert all(one.months for one in before)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    after = [live(entry, one).ledger for one in batteries]
    assert [one.months.keys() for one in after] == [one.months.keys() for one in before]


async def test_damaged_battery(
    hass: HomeAssistant, linked, caplog: pytest.LogCaptureFixture
) -> None:
    """A battery whose stored settings are invalid fails alone, until it is reconfigured."""
    entry = await linked()
    report(hass, 20)
    first = await add(hass, entry, name="First")
    second = await add(hass, entry, name="Second")
    stored = dict(entry.subentries[first].data)
    for damage in ({"capacity": "much"}, {"efficiency": -5}, {"target_time": 7}):
        hass.config_entries.async_update_subentry(
            entry, entry.subentries[first], data=stored | damage
        )
        caplog.clear()
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.state is ConfigEntryState.LOADED
        assert state_of(hass, first).state == "unavailable"
        assert state_of(hass, second).attributes["schedule"]
        hass.config_entries.async_update_entry(entry, title="Changed")
        assert caplog.text.count("What is stored of a battery cannot be used") == 1
        assert "First" not in caplog.text
        hass.config_entries.async_update_entry(entry, title="As before")
    hass.config_entries.async_update_subentry(
        entry, entry.subentries[first], data=stored
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state_of(hass, first).attributes["schedule"]


async def test_changed_capacity(hass: HomeAssistant, linked, advance: Advance) -> None:
    """After a change of the capacity, the same percentage counts neither as gain nor as loss."""
    entry = await linked()
    report(hass, 50)
    battery = await add(hass, entry, from_grid=False, reserve=50)
    await advance(QUARTER)
    before = live(entry, battery).ledger
    result = await entry.start_subentry_reconfigure_flow(hass, battery)
    changes = {"capacity": 20, "from_grid": False, "reserve": 50}
    await loads.fill_in(hass, result, USUAL | changes)
    await hass.async_block_till_done(wait_background_tasks=True)
    ledger = live(entry, battery).ledger
    assert ledger.level == pytest.approx(2 * before.level)
    assert ledger.own_level == pytest.approx(2 * before.own_level)
    await advance(QUARTER + timedelta(seconds=1))
    after = live(entry, battery).ledger
    assert after.at == ledger.at + QUARTER
    assert sum(after.months.values()) == pytest.approx(0, abs=0.01)


async def test_options_of_levels(hass: HomeAssistant, linked) -> None:
    """The options for price levels do not change a battery's plan."""
    entry = await linked()
    report(hass, 50)
    battery = await add(hass, entry)
    before = live(entry, battery).plan
    for options in ({"cheap_share": 40}, {"payout": 9.0}):
        hass.config_entries.async_update_entry(entry, options=options)
        await hass.async_block_till_done(wait_background_tasks=True)
        changed = live(entry, battery).plan is not before
        assert changed is ("payout" in options)


async def test_renamed_level_sensor(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """The battery follows the new entity id, and is planned with what that reports."""
    registry = er.async_get(hass)
    registry.async_get_or_create(
        "sensor", "test", "level", suggested_object_id=LEVEL.removeprefix("sensor.")
    )
    entry = await linked()
    report(hass, 20)
    battery = await add(hass, entry)
    registry.async_update_entity(LEVEL, new_entity_id="sensor.renamed")
    hass.states.async_remove(LEVEL)
    hass.states.async_set("sensor.renamed", "60", {"unit_of_measurement": "%"})
    for _ in range(3):
        await advance(QUARTER)
    assert entry.subentries[battery].data["level_sensor"] == "sensor.renamed"
    assert live(entry, battery).level == 6
    assert state_of(hass, battery).attributes["schedule"]
