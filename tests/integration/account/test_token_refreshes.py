"""Tests of slow token refreshes during other requests, a reload or the removal of the account."""

import asyncio
from datetime import timedelta
import time

import pytest

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from tests.integration.account.helpers import power_cut
from tests.integration.helpers import EMAIL, HOUR, Advance, state_of

LONG = 20
"""Seconds until the response to a refresh."""


@pytest.fixture
def hang(nomos):
    """Return a function that starts a refresh with a slow response."""

    async def begun(hass, entry, advance):
        await advance(2 * HOUR)
        nomos.faults.add(kind="delay", match="token", seconds=LONG, times=1)
        request = hass.async_create_task(entry.runtime_data.account.async_refresh())
        while nomos.faults.pending:
            await asyncio.sleep(0)
        return request

    return begun


async def deliver(advance):
    """Let the response arrive."""
    await advance(timedelta(seconds=LONG + 1))


async def test_reload_during_refresh_waits_for_it(
    hass: HomeAssistant, nomos, linked, advance: Advance, hang
) -> None:
    """The reloaded account does not use a refresh token that has just been used."""
    entry = await linked()
    request = await hang(hass, entry, advance)
    request.cancel()
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await deliver(advance)
    assert await reload
    await entry.runtime_data.account.async_refresh()
    assert nomos.count("token") == 1
    assert entry.runtime_data.account.last_error is None
    assert state_of(
        hass, nomos.customers[EMAIL].subscriptions[0].id, "price"
    ).state != (STATE_UNAVAILABLE)


async def test_reload_during_refresh_keeps_the_journal(
    hass: HomeAssistant, linked, nomos, advance: Advance, hang
) -> None:
    """The journal that the reloaded account writes still names the token that was replaced before."""
    entry = await linked()
    on_disk = dict(entry.data)
    request = await hang(hass, entry, advance)
    request.cancel()
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await deliver(advance)
    assert await reload
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    newest = entry.data["token"]["refresh_token"]
    await power_cut(hass, entry, on_disk)
    assert entry.data["token"]["refresh_token"] == newest


async def test_removal_during_refresh_leaves_no_token(
    hass: HomeAssistant, linked, advance: Advance, hang, files
) -> None:
    """A response that arrives while the account is being removed does not create its journal again."""
    entry = await linked()
    request = await hang(hass, entry, advance)
    request.cancel()
    removal = hass.async_create_task(hass.config_entries.async_remove(entry.entry_id))
    for _ in range(20):
        # Let the removal go as far as it can before the response arrives.
        await hass.async_add_executor_job(time.sleep, 0.01)
    await deliver(advance)
    assert await removal
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not files()


async def test_late_rejection_of_a_token_that_was_replaced(
    hass: HomeAssistant, linked, nomos, advance: Advance, subscription
) -> None:
    """A late rejection of the old token makes a request use the new one, without another refresh."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    nomos.faults.add(kind="delay", match="prices", seconds=LONG, times=1)
    prices = entry.runtime_data.prices[subscription.id]
    request = hass.async_create_task(prices.async_refresh())
    while nomos.faults.pending:
        await asyncio.sleep(0)
    await entry.runtime_data.account.async_refresh()
    assert nomos.count("token") == 1
    await deliver(advance)
    await request
    assert [one.status for one in nomos.requests if one.kind == "prices"][-2:] == [
        401,
        200,
    ]
    assert prices.last_error is None
    assert nomos.count("token") == 1


async def test_token_that_is_being_replaced_is_not_used(
    hass: HomeAssistant, linked, nomos, advance: Advance, hang, freezer
) -> None:
    """It is not used even if the clock is set back meanwhile, which makes it look valid again."""
    entry = await linked()
    account = entry.runtime_data.account
    nomos.expire_access_tokens(EMAIL)
    before = nomos.count("subscriptions")
    first = await hang(hass, entry, advance)
    freezer.tick(-2 * HOUR)
    second = hass.async_create_task(
        account.async_ask(lambda client: client.subscriptions())
    )
    await asyncio.sleep(0)
    freezer.tick(2 * HOUR)
    await deliver(advance)
    await first
    assert await second
    assert nomos.count("token") == 1
    assert nomos.count("subscriptions") == before + 2
