"""Tests of flexible loads: the form, the plan at every quarter-hour, restarts, windows over midnight and clock changes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.planner import PlanRequest, plan
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.integration.helpers import Advance, unnamed_attributes
from tests.integration.loads.helpers import (
    CAR,
    DISHWASHER,
    QUARTER,
    add,
    fill_in,
    moment,
    runs_now,
    shown,
    status,
    table_of,
    until,
)

pytestmark = pytest.mark.usefixtures("german_hub")

EMAIL = "smart@example.com"


async def test_a_load_has_a_dozen_entities_and_a_device(
    hass: HomeAssistant, nomos, linked
) -> None:
    """A new load exists at once, without a restart, a request or a reload."""
    entry = await linked()
    runtime, requests = entry.runtime_data, len(nomos.requests)
    load_id = await add(hass, entry)
    assert entry.runtime_data is runtime
    assert len(nomos.requests) == requests
    entities = [
        one
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if one.config_subentry_id == load_id
    ]
    assert len([one for one in entities if one.disabled_by is None]) <= 12
    assert not unnamed_attributes(hass, entry)
    assert sorted(one.unique_id.removeprefix(f"{load_id}_") for one in entities) == [
        "end",
        "expected_average_price",
        "expected_cost",
        "expected_saving",
        "last_cost",
        "need",
        "next_end",
        "next_start",
        "planned",
        "run_now",
        "saved_this_month",
        "skip",
        "start",
        "start_now",
        "status",
    ]
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, load_id), entry.entry_id
    )
    assert device.name == "Dishwasher"
    assert shown(hass, load_id, "run_now", "binary_sensor").entity_id == (
        "binary_sensor.dishwasher_run_now"
    )


async def test_plan_of_the_night(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """In the morning the plan is provisional; from the afternoon on it is the optimum, and runs exactly so."""
    entry = await linked()
    load_id = await add(hass, entry)
    assert status(hass, load_id) == LoadStatus.PROVISIONAL
    opens = datetime(2026, 6, 10, 20, tzinfo=TARIFF_ZONE)
    closes = datetime(2026, 6, 11, 7, tzinfo=TARIFF_ZONE)
    # The second request for tomorrow's prices is at a random time, some minutes before or after 15:00.
    await until(advance, datetime(2026, 6, 10, 13, 15, tzinfo=UTC))
    assert status(hass, load_id) == LoadStatus.PLANNED
    best = plan(
        table_of(entry),
        PlanRequest(opens, closes, timedelta(hours=2, minutes=15), power_kw=1.2),
        datetime.now(UTC),
    )
    assert moment(hass, load_id, "next_start") == best.runs[0].start
    assert moment(hass, load_id, "next_end") == best.runs[0].end
    cost = shown(hass, load_id, "expected_cost")
    assert float(cost.state) == pytest.approx(best.cost, abs=1e-4)
    assert cost.attributes["unit_of_measurement"] == "EUR"
    saving = shown(hass, load_id, "expected_saving").state
    assert float(saving) == pytest.approx(best.saving_vs_now, abs=1e-4)

    ran = timedelta()
    while datetime.now(UTC) < closes:
        running = runs_now(hass, load_id)
        assert running == (best.runs[0].start <= datetime.now(UTC) < best.runs[0].end)
        ran += QUARTER * running
        await advance(QUARTER - timedelta(seconds=datetime.now(UTC).timestamp() % 900))
    assert ran == timedelta(hours=2, minutes=15)
    assert moment(hass, load_id, "next_start") >= opens + timedelta(days=1)


async def test_interruptible_load_keeps_its_rules(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Runs and pauses have the required length and number."""
    entry = await linked()
    load_id = await add(hass, entry, CAR)
    runs = shown(hass, load_id, "run_now", "binary_sensor").attributes["runs"]
    stretches = [
        (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
        for one in runs
    ]
    assert 1 <= len(stretches) <= 3
    assert sum((end - start for start, end in stretches), timedelta()) == timedelta(
        hours=4
    )
    assert all(end - start >= timedelta(minutes=30) for start, end in stretches)
    while (now := datetime.now(UTC)) < datetime(2026, 6, 10, 21, 45, tzinfo=UTC):
        assert runs_now(hass, load_id) == any(
            start <= now < end for start, end in stretches
        )
        await advance(QUARTER)


async def test_planned_in_the_executor(
    hass: HomeAssistant, nomos, linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new load is planned once and outside the event loop, however long that takes."""
    entry = await linked()
    jobs: list[str] = []
    run = hass.async_add_executor_job

    def watched(target, *arguments):
        jobs.append(getattr(target, "__name__", ""))
        return run(target, *arguments)

    monkeypatch.setattr(hass, "async_add_executor_job", watched)
    seen = async_capture_events(hass, EVENT_STATE_CHANGED)
    await add(hass, entry, CAR)
    # Once for the preview at the end of the dialog, and once for the load.
    assert jobs.count("plan_load") == 2
    # A load's first states include its plan, so no automation sees them change. A button has no state until pressed.
    states = [
        event.data["new_state"]
        for event in seen
        if ".car" in event.data["entity_id"]
        and not event.data["entity_id"].startswith("button.")
    ]
    assert states
    assert not [one for one in states if one.state in ("unavailable", "unknown")]


async def test_begun_run_is_kept(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A corrected price changes the plan before the run, but not during it."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="18:00:00")
    subscription = nomos.customers[EMAIL].subscriptions[0]
    cheap = datetime(2026, 6, 10, 13, tzinfo=UTC)
    for number in range(9):
        nomos.correct_price(subscription.id, cheap + number * QUARTER, 1.0)
    coordinator = entry.runtime_data.prices[subscription.id]
    await coordinator.async_refresh()
    await hass.async_block_till_done()
    assert moment(hass, load_id, "next_start") == cheap
    await until(advance, cheap + QUARTER)
    assert runs_now(hass, load_id)
    for number in range(3, 12):
        nomos.correct_price(subscription.id, cheap + number * QUARTER, 99.0)
    await coordinator.async_refresh()
    await hass.async_block_till_done()
    assert moment(hass, load_id, "next_start") == cheap
    await until(advance, cheap + timedelta(hours=2, minutes=10))
    assert runs_now(hass, load_id)
    await until(advance, cheap + timedelta(hours=2, minutes=15))
    assert not runs_now(hass, load_id)


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("into", [timedelta(minutes=40), timedelta(hours=3)])
async def test_restart_in_mid_run_and_after_it(
    hass: HomeAssistant, nomos, linked, advance: Advance, into, offline
) -> None:
    """A restart neither loses the run nor starts another one in the same window."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="20:00:00")
    start = moment(hass, load_id, "next_start")
    end = moment(hass, load_id, "next_end")
    await until(advance, start + into)
    if offline:
        nomos.faults.add(kind="reset")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert shown(hass, load_id, "run_now", "binary_sensor").state == STATE_UNAVAILABLE
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert runs_now(hass, load_id) == (into < end - start)
    await until(advance, end + timedelta(minutes=1))
    closes = datetime(2026, 6, 10, 20, tzinfo=TARIFF_ZONE)
    while datetime.now(UTC) < closes:
        assert not runs_now(hass, load_id)
        await advance(QUARTER)


async def test_edit_and_remove(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """New settings change the plan at once, a new name renames the device, and removal leaves nothing behind."""
    entry = await linked()
    load_id = await add(hass, entry)
    before = moment(hass, load_id, "next_start")
    result = await entry.start_subentry_reconfigure_flow(hass, load_id)
    changed = {"name": "Washer", "start": "10:00:00", "end": "16:00:00"}
    result = await fill_in(hass, result, DISHWASHER | changed)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert moment(hass, load_id, "next_start") < before
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, load_id), entry.entry_id
    )
    assert device.name == "Washer"

    assert hass.config_entries.async_remove_subentry(entry, load_id)
    await hass.async_block_till_done()
    assert not entry.runtime_data.loads.all
    assert not dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, load_id), entry.entry_id
    )
    assert not hass.states.async_entity_ids("binary_sensor") or not any(
        "washer" in one for one in hass.states.async_entity_ids()
    )


async def test_editing_in_mid_run(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """New settings do not stop a run; a new duration changes its end."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="18:00:00")
    start = moment(hass, load_id, "next_start")
    await until(advance, start + QUARTER)
    for minutes in (75, 105):
        result = await entry.start_subentry_reconfigure_flow(hass, load_id)
        await fill_in(hass, result, DISHWASHER | {"duration": {"minutes": minutes}})
        await hass.async_block_till_done()
        assert runs_now(hass, load_id)
        assert moment(hass, load_id, "next_end") == start + timedelta(minutes=minutes)
    await until(advance, start + timedelta(minutes=104))
    assert runs_now(hass, load_id)
    while datetime.now(UTC) < datetime(2026, 6, 11, 7, tzinfo=TARIFF_ZONE):
        await advance(QUARTER)
        assert not runs_now(hass, load_id)


async def test_choice_of_contract(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A load is planned with the prices of the chosen contract, or of the default one if that is gone."""
    second = nomos.add_subscription(EMAIL)
    entry = await linked()
    load_id = await add(hass, entry, subscription=second.id)
    load = entry.runtime_data.loads.all[load_id]
    assert load.coordinator.contract.id == second.id
    nomos.remove_subscription(second.id)
    for _ in range(2):
        await advance(timedelta(days=1))
    first = nomos.customers[EMAIL].subscriptions[0]
    assert load.coordinator is entry.runtime_data.prices[first.id]
    assert shown(hass, load_id, "run_now", "binary_sensor").state != STATE_UNAVAILABLE


async def test_states_are_not_written_while_nothing_changes(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Between events of the plan, its entities write no state."""
    entry = await linked()
    load_id = await add(hass, entry)
    before = shown(hass, load_id, "run_now", "binary_sensor").last_reported
    for _ in range(8):
        await advance(QUARTER)
    assert shown(hass, load_id, "run_now", "binary_sensor").last_reported == before
    assert shown(hass, load_id, "next_start").last_reported == before


async def test_removing_the_account_removes_the_plans(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """No file is left behind."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="18:00:00")
    await until(advance, moment(hass, load_id, "next_start") + QUARTER)
    path = Path(hass.config.path(".storage", f"nomos.loads.{entry.entry_id}"))
    assert path.exists()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not path.exists()
