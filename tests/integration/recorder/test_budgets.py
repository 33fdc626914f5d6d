"""Tests that a day with three loads and usage is within ``benchmarks.budgets``; test_coordinator.py counts requests."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
    statistics_during_period,
)

from benchmarks.budgets import (
    ATTRIBUTE_BYTES,
    ATTRIBUTES,
    BOUNDARIES,
    DATABASE_BYTES,
    RECORDED_BYTES,
    RECORDER_STATISTICS,
    STATES,
    STATISTICS,
    STORAGE_BYTES,
)
from benchmarks.database import contents_of
from benchmarks.hub import LOADS, add_loads
from benchmarks.monitors import States, Writes
from custom_components.nomos.const import DOMAIN
from custom_components.nomos.entity import signal_changed
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from simulator.berlin import midnight
from tests.integration.helpers import EMAIL
from tests.integration.recorder.expected import written_rows

QUARTER = timedelta(minutes=15)


@pytest.fixture
def recorder_config() -> None:
    """Record states, too."""


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Make the recorder keep its database in a file."""
    return f"sqlite:///{tmp_path / 'home.db'}"


@pytest.fixture
async def entry(hass: HomeAssistant, nomos, linked, advance) -> MockConfigEntry:
    """Return an account with three loads, a contract of two months, and imported usage."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    (subscription,) = nomos.customers[EMAIL].subscriptions
    nomos.set_subscription(subscription.id, start_at=midnight(date(2026, 4, 20)))
    assert await async_setup_component(hass, "sensor", {})
    linked_entry: MockConfigEntry = await linked()
    add_loads(hass, linked_entry)
    for _ in range(8):
        await advance(QUARTER)
    return linked_entry


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> list[str]:
    """Return the entities that are enabled by default."""
    entries = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return [one.entity_id for one in entries if one.disabled_by is None]


async def derived_rows(hass: HomeAssistant) -> int:
    """Return how many rows of statistics the recorder derives from entities in five minutes."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    start = now - timedelta(minutes=now.minute % 5 + 5)
    do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(hass, start, period="5minute")
    )
    return len(found)


async def test_a_day_is_small(
    hass: HomeAssistant, entry, advance, tmp_path: Path
) -> None:
    """States, rows, and bytes in database and files are counted on a whole day, boundary by boundary."""
    ours = entities(hass, entry)

    async def contents() -> Any:
        await async_wait_recording_done(hass)
        return await hass.async_add_executor_job(
            contents_of, tmp_path / "home.db", ours
        )

    before = await contents()
    states, writes, largest = States(), Writes(), 0
    with states.watching(hass), writes.watching():
        now = datetime.now(UTC)
        boundary = now - (now - datetime.min.replace(tzinfo=UTC)) % QUARTER
        for _ in range(BOUNDARIES):
            boundary += QUARTER
            await advance(boundary - datetime.now(UTC) + timedelta(milliseconds=20))
            largest = max(
                largest,
                *(len(json_bytes(hass.states.get(one).attributes)) for one in ours),
            )
    after = await contents()

    shown = Counter({one: states.changed[one] for one in ours})
    assert not any(states.in_vain[one] for one in ours)
    # Without any events, the numbers would be small, too.
    assert BOUNDARIES <= shown.total() <= STATES, shown
    rows = {name: after.rows[name] - before.rows[name] for name in after.rows}
    assert rows["states"] == shown.total()
    assert 3 * 20 < rows["statistics"] <= STATISTICS
    # The rows are the loads' own savings; the recorder derives nothing from their entities.
    for load_id in entry.runtime_data.loads.all:
        assert (
            1 <= len(await written_rows(hass, f"load_{load_id.lower()}", "saved")) <= 5
        )
    assert await derived_rows(hass) * 12 * 24 + 24 <= RECORDER_STATISTICS
    assert rows["state_attributes"] <= ATTRIBUTES
    grown = after.file["bytes"] - before.file["bytes"]
    assert 0 < grown <= DATABASE_BYTES
    assert after.attributes <= RECORDED_BYTES
    assert RECORDED_BYTES < largest <= ATTRIBUTE_BYTES
    mine = {
        name: size for name, size in writes.bytes.items() if name.startswith(DOMAIN)
    }
    assert {"nomos.prices", "nomos.usage", "nomos.loads", "nomos.token"} <= mine.keys()
    assert sum(mine.values()) <= STORAGE_BYTES, mine
    assert writes.times["nomos.prices"] <= 3
    assert writes.times["nomos.usage"] <= 3
    assert writes.times["nomos.unsettled_prices"] == 1
    # A plan is stored when it begins, and when it is replaced.
    assert writes.times["nomos.loads"] <= 2 * len(LOADS)


async def test_levels_are_computed_once(hass: HomeAssistant, linked) -> None:
    """As long as no new prices come, levels and periods are not computed again."""
    account = await linked()
    (coordinator,) = account.runtime_data.prices.values()
    first = coordinator.levels
    assert first.day(date(2026, 6, 10))
    coordinator.async_update_listeners()
    assert coordinator.levels is first
    await coordinator.async_refresh()
    assert coordinator.levels is first


async def test_a_load_reports_only_what_changed(
    hass: HomeAssistant, entry, advance
) -> None:
    """A load signals a new plan and the start and end of a run, but not every quarter-hour."""
    loads = entry.runtime_data.loads.all.values()
    signalled: list[str] = []
    for load in loads:
        async_dispatcher_connect(
            hass, signal_changed(load.id), lambda name=load.name: signalled.append(name)
        )
    calls = Counter[str]()
    for _ in range(BOUNDARIES):
        await advance(QUARTER)
    calls.update(signalled)
    assert set(calls) == {load.name for load in loads}
    assert all(count <= 14 for count in calls.values()), calls
