"""Tests of the savings of loads as long-term statistics: every hour counts once, whatever happens."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.nomos import statistics
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.components.recorder import history
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    list_statistic_ids,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance, restart
from tests.integration.loads.helpers import press, put, shown, switch, until
from tests.integration.recorder.expected import written_rows

pytestmark = pytest.mark.usefixtures("german_hub")

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ODD = timedelta(seconds=43)

WASHER = {"duration": {"hours": 2}, "repeat": "on_demand", "within": 6, "power": 1.5}


@pytest.fixture
def recorder_config() -> None:
    """Record states, too."""


@pytest.fixture
def usage_known() -> bool:
    """Prevent the import of usage."""
    return True


@pytest.fixture
async def entry(hass: HomeAssistant, nomos, linked):
    """Return an account."""
    assert await async_setup_component(hass, "sensor", {})
    return await linked()


async def hours_of(
    hass: HomeAssistant, load_id: str
) -> list[tuple[datetime, float, float]]:
    """Return the hours of the load's statistic: start, saving and total."""
    await hass.async_block_till_done(wait_background_tasks=True)
    return await written_rows(hass, f"load_{load_id.lower()}", "saved")


async def total(hass: HomeAssistant, load_id: str) -> float:
    """Return the total of the load's statistic, after checking its hours."""
    rows = await hours_of(hass, load_id)
    assert [start.minute for start, _, _ in rows] == [0] * len(rows)
    assert [row[2] for row in rows] == pytest.approx(
        [sum(row[1] for row in rows[: index + 1]) for index in range(len(rows))]
    )
    return rows[-1][2] if rows else 0.0


def saved_this_month(hass: HomeAssistant, load_id: str) -> float:
    """Return this month's saving."""
    return float(shown(hass, load_id, "saved_this_month").state)


async def run_once(hass: HomeAssistant, advance: Advance, load_id: str) -> datetime:
    """Request the load, and wait until it has run; return its start."""
    await switch(hass, load_id, on=True)
    start = datetime.fromisoformat(shown(hass, load_id, "next_start").state)
    end = datetime.fromisoformat(shown(hass, load_id, "next_end").state)
    await until(advance, end + ODD)
    return start


async def test_savings_add_up_over_months(
    hass: HomeAssistant, entry, advance: Advance, freezer
) -> None:
    """The monthly sum restarts at zero while the statistic continues; a run by hand adds nothing."""
    load_id = await put(hass, entry, **WASHER)
    name = shown(hass, load_id, "saved_this_month").entity_id
    sum_of_months, hours = 0.0, 0
    for start in (datetime(2026, 6, 12, 9), datetime(2026, 7, 3, 9)):
        freezer.move_to(start.replace(tzinfo=TARIFF_ZONE).astimezone(UTC) + ODD)
        await advance(20 * MINUTE)
        assert saved_this_month(hass, load_id) == 0
        began = await run_once(hass, advance, load_id)
        assert saved_this_month(hass, load_id) > 0
        await press(hass, load_id, "start_now")
        await advance(2 * HOUR + ODD)
        sum_of_months += saved_this_month(hass, load_id)
        assert await total(hass, load_id) == pytest.approx(sum_of_months, abs=1e-3)
        rows = await hours_of(hass, load_id)
        assert rows[hours][0] == began.replace(minute=0)
        hours += 3 if began.minute else 2
        assert len(rows) == hours
    found = await get_instance(hass).async_add_executor_job(
        lambda: list_statistic_ids(hass, {f"nomos:load_{load_id.lower()}_saved"})
    )
    assert [(one["name"], one["statistics_unit_of_measurement"]) for one in found] == [
        ("Nomos Dishwasher saved", "EUR")
    ]
    states = await get_instance(hass).async_add_executor_job(
        lambda: history.get_significant_states(
            hass, datetime.now(UTC) - timedelta(days=30), None, [name]
        )
    )
    shown_states = [one.state for one in states[name] if one.state != "unavailable"]
    assert len(shown_states) <= 6, "one for each run, each month and the start"


async def test_recorder_derives_nothing(
    hass: HomeAssistant, entry, advance: Advance
) -> None:
    """The recorder derives no five-minute statistics from a load's entities."""
    load_id = await put(hass, entry, **WASHER)
    await run_once(hass, advance, load_id)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    do_adhoc_statistics(hass, start=now - timedelta(minutes=now.minute % 5 + 5))
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    names = [one["statistic_id"] for one in found]
    assert f"nomos:load_{load_id.lower()}_saved" in names
    assert not [one for one in names if "dishwasher" in one]


async def test_two_tasks_in_one_hour(
    hass: HomeAssistant, entry, advance: Advance
) -> None:
    """The savings of both are added up."""
    load_id = await put(hass, entry, **(WASHER | {"duration": {"minutes": 10}}))
    for _ in range(3):
        await run_once(hass, advance, load_id)
        await restart(hass, entry)
    assert await total(hass, load_id) == pytest.approx(
        saved_this_month(hass, load_id), abs=1e-3
    )


@pytest.mark.parametrize("lost", ["ledger", "statistic", "both"])
async def test_power_cut(
    hass: HomeAssistant, entry, advance: Advance, files, freezer, monkeypatch, lost
) -> None:
    """Whether ledger or statistic was written before it, the run finally counts once in both."""
    load_id = await put(hass, entry, **WASHER)
    await run_once(hass, advance, load_id)
    first = await total(hass, load_id)
    assert first > 0
    freezer.move_to(datetime(2026, 6, 12, 8, tzinfo=UTC) + ODD)
    await advance(20 * MINUTE)
    await switch(hass, load_id, on=True)
    start = datetime.fromisoformat(shown(hass, load_id, "next_start").state)
    end = datetime.fromisoformat(shown(hass, load_id, "next_end").state)
    await until(advance, start)
    await advance(2 * MINUTE)
    (path,) = files("loads").values()
    before = path.read_text()
    if lost != "ledger":
        monkeypatch.setattr(
            statistics, "async_add_external_statistics", lambda *_: None
        )
    await until(advance, end + ODD)
    both, expected = await total(hass, load_id), saved_this_month(hass, load_id)
    assert expected > first
    assert both == pytest.approx(expected if lost == "ledger" else first, abs=1e-3)
    assert await hass.config_entries.async_unload(entry.entry_id)
    if lost != "statistic":
        path.write_text(before)
    monkeypatch.setattr(
        statistics, "async_add_external_statistics", async_add_external_statistics
    )
    await hass.config_entries.async_setup(entry.entry_id)
    for _ in range(2):
        await advance(20 * MINUTE)
        assert saved_this_month(hass, load_id) == pytest.approx(expected, abs=1e-3)
        assert await total(hass, load_id) == pytest.approx(expected, abs=1e-3)


async def test_without_recorder_for_a_while(
    hass: HomeAssistant, entry, advance: Advance
) -> None:
    """Savings are written once there is a recorder, each hour in its place."""
    hass.config.components.remove("recorder")
    load_id = await put(hass, entry, **WASHER)
    for _ in range(2):
        await run_once(hass, advance, load_id)
    assert not await hours_of(hass, load_id)
    hass.config.components.add("recorder")
    await advance(20 * MINUTE)
    assert len(await hours_of(hass, load_id)) >= 4
    assert await total(hass, load_id) == pytest.approx(
        saved_this_month(hass, load_id), abs=1e-3
    )


@pytest.mark.parametrize("gone", ["load", "load while unloaded", "account"])
async def test_removed_with_its_load(
    hass: HomeAssistant, entry, advance: Advance, gone
) -> None:
    """The statistic is removed with its load; that of another load stays."""
    load_id = await put(hass, entry, **WASHER)
    other = await put(hass, entry, name="Car", **WASHER)
    await run_once(hass, advance, load_id)
    await run_once(hass, advance, other)
    assert await hours_of(hass, load_id)
    if gone == "account":
        await hass.config_entries.async_remove(entry.entry_id)
    elif gone == "load":
        hass.config_entries.async_remove_subentry(entry, load_id)
    else:
        await hass.config_entries.async_unload(entry.entry_id)
        hass.config_entries.async_remove_subentry(entry, load_id)
        await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not await hours_of(hass, load_id)
    assert bool(await hours_of(hass, other)) == (gone != "account")
