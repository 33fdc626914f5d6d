"""Tests of token refreshes that take long, while others ask, reload or remove the account."""

import asyncio
from datetime import timedelta
import time

import pytest

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from tests.integration.account.helpers import power_cut
from tests.integration.helpers import EMAIL, HOUR, Advance, state_of

LONG = 20
"""How many seconds the answer to a refresh takes."""


@pytest.fixture
def hang(nomos):
    """Return a function that waits until a refresh of an account has begun, whose answer takes long."""

    async def begun(hass, entry, advance):
        await advance(2 * HOUR)
        nomos.faults.add(kind="delay", match="token", seconds=LONG, times=1)
        request = hass.async_create_task(entry.runtime_data.account.async_refresh())
        while nomos.faults.pending:
            await asyncio.sleep(0)
        return request

    return begun


async def come(advance):
    """Let the answer come."""
    await advance(timedelta(seconds=LONG + 1))


async def test_reload_during_refresh_waits_for_it(
    hass: HomeAssistant, nomos, linked, advance: Advance, hang
) -> None:
    """A new account object does not use the refresh token that the old one has just used."""
    entry = await linked()
    request = await hang(hass, entry, advance)
    request.cancel()
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await come(advance)
    assert await reload
    await entry.runtime_data.account.async_refresh()
    assert nomos.count("token") == 1
    assert entry.runtime_data.account.last_error is None
    assert state_of(
        hass, nomos.customers[EMAIL].subscriptions[0].id, "price"
    ).state != (STATE_UNAVAILABLE)


async def test_reload_during_refresh_loses_no_ancestor(
    hass: HomeAssistant, linked, nomos, advance: Advance, hang
) -> None:
    """The journal that the new account object writes knows the token that the old one replaced."""
    entry = await linked()
    on_disk = dict(entry.data)
    request = await hang(hass, entry, advance)
    request.cancel()
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await come(advance)
    assert await reload
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    newest = entry.data["token"]["refresh_token"]
    await power_cut(hass, entry, on_disk)
    assert entry.data["token"]["refresh_token"] == newest


async def test_removal_during_refresh_leaves_no_token(
    hass: HomeAssistant, linked, advance: Advance, hang, files
) -> None:
    """An answer that comes when the account is being removed does not bring its journal back."""
    entry = await linked()
    request = await hang(hass, entry, advance)
    request.cancel()
    removal = hass.async_create_task(hass.config_entries.async_remove(entry.entry_id))
    for _ in range(20):
        # It may go as far as it can before the answer comes.
        await hass.async_add_executor_job(time.sleep, 0.01)
    await come(advance)
    assert await removal
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not files()


async def test_late_rejection_of_a_token_that_was_replaced(
    hass: HomeAssistant, linked, nomos, advance: Advance, subscription
) -> None:
    """Whoever hears late that the old token is rejected takes the new one, and does not renew that, too."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    nomos.faults.add(kind="delay", match="prices", seconds=LONG, times=1)
    prices = entry.runtime_data.prices[subscription.id]
    request = hass.async_create_task(prices.async_refresh())
    while nomos.faults.pending:
        await asyncio.sleep(0)
    await entry.runtime_data.account.async_refresh()
    assert nomos.count("token") == 1
    await come(advance)
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
    """Also where the clock is set back meanwhile, and it looks valid again."""
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
    await come(advance)
    await first
    assert await second
    assert nomos.count("token") == 1
    assert nomos.count("subscriptions") == before + 2
