"""Tests that an unloaded, disabled or removed account leaves nothing behind. All other tests check it, too."""

from asyncio import Future, sleep
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from tests.integration.helpers import EMAIL, Advance, make_entry
from tests.integration.leaks import left_behind, remembered

SOLAR = "solar@example.com"


@contextmanager
def slow_disk_once_a_device_goes(
    hass: HomeAssistant,
) -> Iterator[list[Future[bool]]]:
    """Once a device is removed, block every thread that could read or write a file; yield what blocks them."""
    gate, blocks = Event(), list[Future[bool]]()

    @callback
    def close(event) -> None:
        if event.data["action"] == "remove":
            blocks.extend(
                hass.async_add_executor_job(gate.wait, 20) for _ in range(100)
            )

    stop = hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, close)
    try:
        yield blocks
    finally:
        stop()
        gate.set()


async def test_unload_while_an_ended_contract_is_taken_over(
    hass: HomeAssistant, nomos, linked
) -> None:
    """Unloading does not wait for data that is being read, and when that is read, it starts nothing."""
    entry = await linked(SOLAR)
    one, _ = nomos.customers[SOLAR].subscriptions
    nomos.set_subscription(one.id, status="ended", end_at=datetime.now(UTC))
    with slow_disk_once_a_device_goes(hass) as blocks:
        await entry.runtime_data.account.async_refresh()
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert blocks
        assert not any(block.done() for block in blocks)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not left_behind(hass)


async def test_unload_while_somebody_waits_for_an_answer(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """A response that arrives after the account was unloaded schedules nothing."""
    entry = await linked()
    nomos.faults.add(kind="delay", seconds=20, match="prices", times=1)
    prices = entry.runtime_data.prices[subscription.id]
    asking = hass.async_create_task(prices.async_refresh())
    while nomos.faults.pending:
        assert not asking.done()
        await sleep(0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await advance(timedelta(seconds=21))
    await asking
    assert prices.last_answer is not None
    assert not left_behind(hass)


@pytest.mark.parametrize("revoked", [False, True])
async def test_account_that_never_loaded_is_disabled(
    hass: HomeAssistant, nomos, credentials, revoked
) -> None:
    """The card is removed, although Home Assistant has nothing to unload."""
    assert await async_setup_component(hass, "frontend", {})
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    if revoked:
        nomos.revoke(EMAIL)
    else:
        nomos.faults.add(kind="status", status=500, match="subscriptions")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert remembered(hass, set())
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    assert not remembered(hass, set())


@pytest.mark.parametrize("usage_known", [False])
async def test_removed_account_leaves_no_data(
    hass: HomeAssistant, nomos, linked
) -> None:
    """No wait, file, issue or card is left behind."""
    assert await async_setup_component(hass, "frontend", {})
    nomos.faults.add(kind="rate_limit", retry_after=600)
    entry = await linked(EMAIL)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert remembered(hass, {entry.entry_id})
    await hass.config_entries.async_remove(entry.entry_id)
    assert not remembered(hass, {entry.entry_id})
