"""Tests of a home battery: its entities, when it is planned again, and its fallback without a plan."""

from datetime import UTC, datetime, timedelta
import json
from pathlib import Path

import pytest

from custom_components.nomos.battery.battery import HomeBattery
from custom_components.nomos.battery.model import BatteryMemory
from custom_components.nomos.const import DOMAIN
from custom_components.nomos.diagnostics import async_get_config_entry_diagnostics
from custom_components.nomos.planner.expected import HouseOutlook
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.storage import STORAGE_DIR
from simulator import Simulator
from tests.integration.battery.helpers import (
    LEVEL,
    QUARTER,
    SENSORS,
    USUAL,
    add,
    batteries_of,
    open_form,
    report,
    state_of,
)
from tests.integration.helpers import Advance, unnamed_attributes
from tests.integration.loads import helpers as loads

pytestmark = pytest.mark.usefixtures("german_hub")

HOURS = timedelta(hours=1)


def row_of(hass: HomeAssistant, battery: str):
    """Return the schedule's row of the current quarter-hour."""
    rows = state_of(hass, battery).attributes["schedule"]
    now = datetime.now(UTC)
    return next(
        row for row in reversed(rows) if datetime.fromisoformat(row["start"]) <= now
    )


async def to_quarter(advance: Advance, minutes: float = 0.5) -> None:
    """Advance to shortly after the next quarter-hour."""
    now = datetime.now(UTC)
    past = timedelta(
        minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond
    )
    await advance(QUARTER - past)
    await advance(timedelta(minutes=minutes))


async def test_what_it_shows(hass: HomeAssistant, linked, advance: Advance) -> None:
    """It has six sensors: mode with reason and schedule, level, power, next change and gain."""
    entry = await linked()
    report(hass, 40)
    battery = await add(hass, entry)
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    mine = [one for one in registered if one.config_subentry_id == battery]
    assert {one.unique_id.removeprefix(f"{battery}_") for one in mine} == SENSORS
    assert all(one.disabled_by is None for one in mine)
    mode = state_of(hass, battery)
    assert mode.state == row_of(hass, battery)["mode"]
    assert mode.attributes["reason"]
    assert "plan" not in mode.attributes["reason"].lower()
    assert len(mode.attributes["schedule"]) > 40
    assert not unnamed_attributes(hass, entry)
    assert float(state_of(hass, battery, "expected_gain").state) > 0
    assert float(state_of(hass, battery, "gain_this_month").state) == 0
    change = datetime.fromisoformat(state_of(hass, battery, "next_change").state)
    later = [row for row in mode.attributes["schedule"] if row["mode"] != mode.state]
    assert change == datetime.fromisoformat(later[0]["start"])
    device = dr.async_get(hass).async_get_device_by_identifier(
        ("nomos", battery), entry.entry_id
    )
    assert device is not None
    assert device.name == "Battery"
    assert device.via_device_id is not None


async def test_diagnostics(hass: HomeAssistant, linked) -> None:
    """Support sees what a battery's plan is based on, but no names."""
    entry = await linked()
    report(hass, 40)
    await add(hass, entry, name="Keller von Müller")
    found = await async_get_config_entry_diagnostics(hass, entry)
    [battery] = found["batteries"]
    assert battery["battery"]["capacity"] == 10
    assert battery["level_reported"] is True
    assert battery["cause"] is None
    assert found["forecasts"]["house_source"] == "yearly"
    assert sum(battery["modes"].values()) > 40
    assert "Müller" not in repr(found)
    assert LEVEL not in repr(found)


async def test_follows_its_plan(hass: HomeAssistant, linked, advance: Advance) -> None:
    """Mode, power and level follow the schedule by the quarter-hour."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    seen = set()
    for _ in range(40):
        await to_quarter(advance)
        row = row_of(hass, battery)
        mode = state_of(hass, battery)
        assert mode.state == row["mode"]
        seen.add(mode.state)
        power = float(state_of(hass, battery, "charging_power").state)
        assert power == pytest.approx(row["power"], abs=0.01)
        report(hass, row["level"])
    assert len(seen) > 1


async def test_a_power_cut_costs_no_more_than_an_hour(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """What the battery did is on disk an hour later, without a shutdown."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    for _ in range(9):
        await to_quarter(advance)
        report(hass, row_of(hass, battery)["level"])
    await advance(timedelta(seconds=3))
    await hass.async_block_till_done(wait_background_tasks=True)
    path = hass.config.path(STORAGE_DIR, f"{DOMAIN}.batteries.{entry.entry_id}")
    stored = json.loads(await hass.async_add_executor_job(Path(path).read_text))
    [at] = {one["ledger"]["at"] for one in stored["data"].values()}
    assert datetime.now(UTC) - datetime.fromtimestamp(at, UTC) < HOURS


async def test_tomorrow_makes_another_plan(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """When prices arrive, the plan is extended to their end."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    before = len(state_of(hass, battery).attributes["schedule"])
    await advance(timedelta(hours=8))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(state_of(hass, battery).attributes["schedule"]) > before


async def test_level_that_jumps(hass: HomeAssistant, linked, advance: Advance) -> None:
    """An unexpected level leads to a new plan at the next quarter-hour; a small deviation does not."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    first = state_of(hass, battery).attributes["schedule"][0]["start"]
    expected = row_of(hass, battery)["level"]
    report(hass, expected + 2)
    await to_quarter(advance)
    assert state_of(hass, battery).attributes["schedule"][0]["start"] == first
    report(hass, 90)
    await hass.async_block_till_done()
    assert state_of(hass, battery).attributes["schedule"][0]["start"] == first
    await to_quarter(advance)
    rows = state_of(hass, battery).attributes["schedule"]
    assert rows[0]["start"] != first
    assert rows[0]["level"] > 80


@pytest.mark.parametrize(
    "lost", [STATE_UNAVAILABLE, "unknown", "nonsense", "nan", "250"]
)
async def test_level_is_lost(
    hass: HomeAssistant, linked, advance: Advance, lost: str
) -> None:
    """Without a level, the plan continues for a quarter of an hour; then the battery falls back and says why."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    schedule = state_of(hass, battery).attributes["schedule"]
    report(hass, lost)
    await advance(timedelta(minutes=5))
    assert state_of(hass, battery).attributes["schedule"] == schedule
    await to_quarter(advance)
    await to_quarter(advance)
    mode = state_of(hass, battery)
    assert mode.state == "self_use"
    assert mode.attributes["schedule"] == []
    assert "charge level is unknown" in mode.attributes["reason"]
    assert state_of(hass, battery, "target_level").state == "unknown"
    report(hass, 50)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state_of(hass, battery).attributes["schedule"]


async def test_no_level_at_first(hass: HomeAssistant, linked) -> None:
    """While its sensor is not available, a battery is in self-use; the reason is in the hub's language."""
    hass.config.language = "de"
    entry = await linked()
    battery = await add(hass, entry)
    mode = state_of(hass, battery)
    assert mode.state == "self_use"
    assert "Ladestand ist unbekannt" in mode.attributes["reason"]
    report(hass, 20)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state_of(hass, battery).attributes["schedule"]


async def test_unplanned_load(hass: HomeAssistant, linked, advance: Advance) -> None:
    """A car that is started by hand leads to a new plan at once, which does not discharge the battery into it."""
    entry = await linked()
    await advance(timedelta(hours=9))
    report(hass, 60)
    battery = await add(hass, entry)
    assert state_of(hass, battery).state == "self_use"
    car = await loads.add(hass, entry, loads.CAR, repeat="on_demand")
    before = state_of(hass, battery).attributes["schedule"]
    await loads.press(hass, car, "start_now")
    after = state_of(hass, battery).attributes["schedule"]
    assert after[0]["start"] > before[0]["start"] or after != before
    covered = [row["level"] for row in after if row["mode"] == "self_use"]
    assert covered[2] < [row["level"] for row in before][2]


async def test_survives_a_reload(hass: HomeAssistant, linked, advance: Advance) -> None:
    """After a reload, the battery is planned from its current level, and its gain is kept."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    for _ in range(30):
        await to_quarter(advance)
        report(hass, row_of(hass, battery)["level"])
    gained = state_of(hass, battery, "gain_this_month").state
    assert float(gained) != 0
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state_of(hass, battery, "gain_this_month").state == gained
    assert state_of(hass, battery).state == row_of(hass, battery)["mode"]


async def test_gain_survives_other_plans(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """The pending gain of stored charge survives a new plan in the middle of a quarter-hour."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    batteries = batteries_of(entry)
    assert batteries is not None
    mine = batteries.all[battery]
    for step in range(24):
        await to_quarter(advance)
        row = row_of(hass, battery)
        if step % 3 == 0:
            await advance(timedelta(minutes=5))
            await loads.add(hass, entry, loads.CAR, name=f"Car {step}")
        report(hass, row["level"])
    ledger = mine.ledger
    assert abs(ledger.level - ledger.own_level) > 1
    assert ledger.pending or ledger.month(datetime.now(UTC))


async def test_reconfigure_and_remove(hass: HomeAssistant, linked) -> None:
    """A change leads to a new plan at once, without a request; a removal leaves nothing behind."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    subentry = entry.subentries[battery]
    result = await entry.start_subentry_reconfigure_flow(hass, battery)
    assert result["type"] is FlowResultType.FORM
    result = await loads.fill_in(
        hass, result, USUAL | {"reserve": 30, "from_grid": False}
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    rows = state_of(hass, battery).attributes["schedule"]
    assert "charge" not in {row["mode"] for row in rows}
    assert all(row["level"] >= 30 for row in rows)
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.async_entity_ids_count("sensor") > 0
    assert not [
        one
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if one.config_subentry_id == battery
    ]


@pytest.mark.parametrize(
    ("changes", "place", "error"),
    [
        ({"capacity": 0}, "capacity", "out_of_range"),
        ({"charge_power": 5000}, "charge_power", "out_of_range"),
        ({"name": "a\x00b"}, "name", "name_unfit"),
        ({"target_level": 80}, "allowed", "target_incomplete"),
        ({"efficiency": 10}, "losses", "out_of_range"),
        ({"level_sensor": "sensor.outside"}, "level_sensor", "level_not_percent"),
        (
            {"level_sensor": "input_number.no_level"},
            "level_sensor",
            "level_not_percent",
        ),
        ({"capacity": None}, "capacity", "no_capacity"),
        ({"charge_power": None}, "charge_power", "no_charge_power"),
    ],
)
async def test_mistakes(hass: HomeAssistant, linked, changes, place, error) -> None:
    """Errors are shown at their field or section, and the input is kept."""
    entry = await linked()
    hass.states.async_set("sensor.outside", "7", {"unit_of_measurement": "°C"})
    hass.states.async_set("input_number.no_level", "4000")
    entered = {key: one for key, one in (USUAL | changes).items() if one is not None}
    result = await loads.fill_in(hass, await open_form(hass, entry), entered)
    assert result["errors"] == {place: error}
    result = await loads.fill_in(hass, result, USUAL)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("level", ["30", "unavailable", None])
async def test_level_without_a_unit(hass: HomeAssistant, linked, level) -> None:
    """The level may come from a helper without a unit, or from a sensor that is unavailable now."""
    entry = await linked()
    if level is not None:
        hass.states.async_set("input_number.level", level)
    await add(hass, entry, level_sensor="input_number.level")


async def test_without_a_battery_nothing_changes(
    hass: HomeAssistant, linked, nomos: Simulator
) -> None:
    """Nothing is set up until there is a battery, and a battery sends no requests to Nomos."""
    entry = await linked()
    assert batteries_of(entry) is None
    asked = len(nomos.requests)
    report(hass, 30)
    await add(hass, entry)
    assert batteries_of(entry) is not None
    assert len(nomos.requests) == asked


async def test_outlook_that_fails(
    hass: HomeAssistant, linked, advance: Advance, caplog: pytest.LogCaptureFixture
) -> None:
    """If the outlook fails, the battery falls back to self-use with a reason, until it can be planned again."""

    class Broken:
        options: object = None

        async def async_outlook(self, now: datetime) -> HouseOutlook:
            raise RuntimeError("free text")

    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    batteries = batteries_of(entry)
    assert batteries is not None
    whole = batteries.all[battery]
    broken = HomeBattery(
        hass, entry, whole.subentry, BatteryMemory(), Broken(), lambda: ()
    )
    broken.async_configure(whole.subentry, whole.coordinator)
    await hass.async_block_till_done(wait_background_tasks=True)
    now = datetime.now(UTC)
    assert broken.mode(now) == "self_use"
    assert broken.reason(now).startswith("No plan: what to expect")
    assert "free text" not in caplog.text
    broken._forecasts = whole._forecasts
    await to_quarter(advance)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert broken.plan is not None
    broken.async_stop()


async def test_clock_that_was_ahead(
    hass: HomeAssistant, linked, advance: Advance, freezer
) -> None:
    """After a clock that was a year ahead, the gain is booked again from now on."""
    entry = await linked()
    report(hass, 30)
    battery = await add(hass, entry)
    batteries = batteries_of(entry)
    assert batteries is not None
    mine, now = batteries.all[battery], datetime.now(UTC)
    for at in (now + timedelta(days=365), now):
        freezer.move_to(at)
        mine.async_update()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert mine.ledger.at is not None
    assert mine.ledger.at <= now


async def test_options_make_another_plan(hass: HomeAssistant, linked) -> None:
    """A newly entered payout counts at once."""
    entry = await linked()
    report(hass, 90)
    battery = await add(hass, entry, to_grid=True)
    assert "feed_in" not in {
        row["mode"] for row in state_of(hass, battery).attributes["schedule"]
    }
    hass.config_entries.async_update_entry(entry, options={"payout": 90.0})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "feed_in" in {
        row["mode"] for row in state_of(hass, battery).attributes["schedule"]
    }
