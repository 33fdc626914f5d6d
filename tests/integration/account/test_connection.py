"""Tests of the connection: tokens that rotate, requests that are refused."""

import asyncio
from datetime import UTC, datetime, timedelta
import logging

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from tests.integration.helpers import (
    EMAIL,
    HOUR,
    Advance,
    assert_right,
    count,
    make_entry,
    reauth_flows,
    state_of,
)


async def test_set_up_and_unload(hass: HomeAssistant, nomos, linked) -> None:
    """Setup takes one request each for contracts, plan and prices; unloading ends everything."""
    entry = await linked()
    assert entry.state is ConfigEntryState.LOADED
    assert [one.kind for one in nomos.requests] == ["subscriptions", "plans", "prices"]
    assert all(one.api_version == "2026-05-27.curie" for one in nomos.requests)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert state_of(
        hass, nomos.customers[EMAIL].subscriptions[0].id, "price"
    ).state == (STATE_UNAVAILABLE)


async def test_expired_token_is_refreshed_once_and_stored(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Concurrent requests share one refresh, and the rotated token replaces the old one."""
    entry = await linked()
    before = dict(entry.data["token"])
    await advance(2 * HOUR)
    account = entry.runtime_data.account
    tokens = count(nomos, "token")
    await asyncio.gather(
        *(account.async_ask(lambda client: client.subscriptions()) for _ in range(5))
    )
    assert count(nomos, "token") == tokens + 1
    after = entry.data["token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert after["access_token"] != before["access_token"]
    refresh = [one for one in nomos.requests if one.kind == "token"][-1]
    assert refresh.grant_type == "refresh_token"
    assert refresh.basic_auth
    assert set(refresh.body_keys) == {"grant_type", "refresh_token"}


async def test_no_rotation(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """If the response has no new refresh token, the old one stays in use."""
    nomos.configure(rotation="none")
    entry = await linked()
    before = entry.data["token"]["refresh_token"]
    for _ in range(2):
        await advance(2 * HOUR)
        await entry.runtime_data.account.async_refresh()
    assert entry.data["token"]["refresh_token"] == before
    assert entry.runtime_data.account.last_error is None


async def test_rejected_token_is_replaced_once(
    hass: HomeAssistant, nomos, linked
) -> None:
    """After a 401, the token is refreshed and the request repeated, once each, without any visible effect."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    requests = len(nomos.requests)
    await entry.runtime_data.account.async_refresh()
    assert [one.kind for one in nomos.requests[requests:]] == [
        "subscriptions",
        "token",
        "subscriptions",
    ]
    assert entry.runtime_data.account.last_error is None
    assert not reauth_flows(hass)


async def test_concurrent_rejections_share_the_refresh(
    hass: HomeAssistant, nomos, linked
) -> None:
    """Two requests that are refused at the same time share one refresh."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    account = entry.runtime_data.account
    await asyncio.gather(
        *(account.async_ask(lambda client: client.subscriptions()) for _ in range(4))
    )
    assert count(nomos, "token") == 1


async def test_api_that_rejects_for_a_while(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """If Nomos issues a new token and rejects it, that is a fault of the API; the customer is not asked."""
    entry = await linked()
    fault = nomos.faults.add(kind="status", status=401, match="prices")
    prices = entry.runtime_data.prices[subscription.id]
    for _ in range(5):
        await prices.async_refresh()
        await advance(timedelta(minutes=11))
    assert not reauth_flows(hass)
    assert_right(hass, nomos, subscription)
    fault.times = 0
    await prices.async_refresh()
    assert prices.last_error is None
    # The next fault starts a new hour.
    await advance(timedelta(minutes=20))
    fault.times = 2
    await prices.async_refresh()
    assert not reauth_flows(hass)


async def test_api_that_rejects_for_good(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """If fresh tokens are rejected for an hour, the customer is asked once to link again."""
    entry = await linked()
    nomos.faults.add(kind="status", status=401, match="prices")
    prices = entry.runtime_data.prices[subscription.id]
    for _ in range(2):
        await prices.async_refresh()
        assert not reauth_flows(hass)
        await advance(timedelta(minutes=31))
    await prices.async_refresh()
    await hass.async_block_till_done()
    assert len(reauth_flows(hass)) == 1
    requests = len(nomos.requests)
    await prices.async_refresh()
    for _ in range(3):
        await advance(timedelta(minutes=15))
    assert len(nomos.requests) == requests
    # After an hour or a little more, the rejected request is tried again.
    for _ in range(3):
        await advance(timedelta(minutes=15))
    assert [one.kind for one in nomos.requests[requests:]] == ["token", "prices"]
    assert len(reauth_flows(hass)) == 1


@pytest.mark.parametrize("usage_known", [False])
@pytest.mark.parametrize("kind", ["plans", "usage", "grid_fee_reductions"])
async def test_request_that_is_always_rejected(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, kind
) -> None:
    """It is undocumented whether customers may send this request, so a rejection says nothing about the link."""
    nomos.faults.add(kind="status", status=401, match=kind)
    await linked()
    for _ in range(2 * 96):
        await advance(timedelta(minutes=15))
    assert nomos.count(kind)
    assert not reauth_flows(hass)
    assert_right(hass, nomos, subscription)


async def test_link_again_is_asked_until_it_is_done(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A customer who aborts is asked again with the next interval, and there is never more than one flow."""
    entry = await linked()
    nomos.revoke(EMAIL)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    for _ in range(3):
        [flow] = reauth_flows(hass)
        hass.config_entries.flow.async_abort(flow["flow_id"])
        assert not reauth_flows(hass)
        for _ in range(2):
            await advance(timedelta(minutes=15))
            assert len(reauth_flows(hass)) == 1


async def test_revoked_access(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The customer is asked once; known prices stay until they run out."""
    await linked()
    subscription = nomos.customers[EMAIL].subscriptions[0]
    nomos.revoke(EMAIL)
    for _ in range(14):
        await advance(HOUR)
        if datetime.now(UTC) < datetime(2026, 6, 10, 22, tzinfo=UTC):
            truth = nomos.price(subscription.id, datetime.now(UTC))
            shown = state_of(hass, subscription.id, "price").state
            assert float(shown) == pytest.approx(truth.amount / 100)
    assert len(reauth_flows(hass)) == 1
    assert state_of(hass, subscription.id, "price").state == STATE_UNAVAILABLE
    # It is retried after one hour and after four, each time with the secret plain and encoded.
    assert count(nomos, "token") == 3 * 2


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html", "status": 403},
        {"kind": "html", "status": 408},
        {"kind": "html", "status": 200},
        {"kind": "status", "status": 404},
        {"kind": "rate_limit", "retry_after": 30},
        {"kind": "status", "status": 500},
        {"kind": "empty"},
        {"kind": "list"},
        {"kind": "reset"},
        {"kind": "status", "status": 401, "body": ""},
    ],
)
async def test_token_endpoint_in_trouble(
    hass: HomeAssistant, nomos, linked, advance: Advance, fault
) -> None:
    """The customer is not asked to link again after responses that do not refuse the grant."""
    entry = await linked()
    await advance(2 * HOUR)
    nomos.faults.add(match="token", **fault)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error
    assert not reauth_flows(hass)
    nomos.faults.clear()
    await advance(timedelta(minutes=1))
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None


@pytest.mark.parametrize("shape", ["a", "b", "c", "d", "rfc"])
async def test_refusals_of_every_shape(
    hass: HomeAssistant, nomos, linked, advance: Advance, shape
) -> None:
    """A refused grant is recognised in every envelope that Nomos has used."""
    entry = await linked()
    nomos.configure(token_error_shape=shape)
    nomos.revoke(EMAIL)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    assert len(reauth_flows(hass)) == 1


@pytest.mark.parametrize("expires_in", ["3600", "soon", None, -5, 1e400])
async def test_odd_lifetimes(
    hass: HomeAssistant, nomos, linked, advance: Advance, expires_in
) -> None:
    """A rotated token is kept even if its lifetime cannot be read."""
    entry = await linked()
    before = entry.data["token"]["refresh_token"]
    await advance(2 * HOUR)
    nomos.faults.add(
        kind="set_fields", match="token", times=1, values={"expires_in": expires_in}
    )
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    assert entry.data["token"]["refresh_token"] != before


async def test_lost_answer(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """If the response with the rotated token is lost, the customer is asked once, not in a loop."""
    entry = await linked()
    await advance(2 * HOUR)
    nomos.faults.add(kind="reset_after", match="token", times=1)
    await entry.runtime_data.account.async_refresh()
    assert not reauth_flows(hass)
    for _ in range(10):
        await advance(HOUR)
    assert len(reauth_flows(hass)) == 1
    # The one whose response was lost, and three refused ones, with the secret plain or encoded.
    assert count(nomos, "token") == 1 + 3 * 2


async def test_answer_without_access_token(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A response without an access token is an error."""
    entry = await linked()
    await advance(2 * HOUR)
    nomos.faults.add(
        kind="drop_fields", match="token", times=1, fields=["access_token"]
    )
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error
    assert entry.data["token"]["access_token"]


@pytest.mark.parametrize("how", ["unload", "reload", "cancel"])
async def test_refresh_outlives_its_callers(
    hass: HomeAssistant, nomos, linked, advance: Advance, how
) -> None:
    """A token is stored even if its account is unloaded or reloaded, or its request cancelled, during the rotation."""
    entry = await linked()
    before = entry.data["token"]["refresh_token"]
    await advance(2 * HOUR)
    nomos.faults.add(kind="delay", match="token", seconds=20, times=1)
    request = hass.async_create_task(entry.runtime_data.account.async_refresh())
    while nomos.faults.pending:
        await asyncio.sleep(0)
    request.cancel()
    reload = None
    if how == "unload":
        assert await hass.config_entries.async_unload(entry.entry_id)
    elif how == "reload":
        reload = hass.async_create_task(
            hass.config_entries.async_reload(entry.entry_id)
        )
    assert entry.data["token"]["refresh_token"] == before
    await advance(timedelta(seconds=21))
    if reload:
        assert await reload
    assert entry.data["token"]["refresh_token"] != before
    assert count(nomos, "token") == 1
    if how == "unload":
        assert await hass.config_entries.async_setup(entry.entry_id)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    assert not reauth_flows(hass)


async def test_failed_refresh_that_nobody_waits_for(
    hass: HomeAssistant, nomos, linked, advance: Advance, caplog
) -> None:
    """A refresh that fails after its account was unloaded causes no unhandled error."""
    entry = await linked()
    await advance(2 * HOUR)
    nomos.faults.add(kind="delay", match="token", seconds=0)
    nomos.faults.add(kind="status", status=500, match="token")
    request = hass.async_create_task(entry.runtime_data.account.async_refresh())
    await asyncio.sleep(0)
    request.cancel()
    await hass.async_block_till_done()
    assert "never retrieved" not in caplog.text


async def test_entry_without_refresh_token(
    hass: HomeAssistant, nomos, credentials
) -> None:
    """Such an entry asks to be linked again at once; without stored prices, it has nothing to show."""
    entry = make_entry(nomos)
    token = {**entry.data["token"]}
    del token["refresh_token"]
    hass_entry = entry
    hass_entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "authentication_failed"
    assert len(reauth_flows(hass)) == 1
    assert not nomos.requests


async def test_no_secret_in_the_log(
    hass: HomeAssistant, nomos, linked, advance: Advance, caplog
) -> None:
    """Linking, refreshing, failing and being refused leave no secret in the debug log."""
    logging.getLogger().setLevel(logging.DEBUG)
    entry = await linked()
    await advance(2 * HOUR)
    await entry.runtime_data.account.async_refresh()
    nomos.faults.add(kind="status", status=500, times=2)
    await entry.runtime_data.account.async_refresh()
    nomos.revoke(EMAIL)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    assert len(caplog.text) > 1000
    assert nomos.secrets
    for secret in nomos.secrets:
        assert secret not in caplog.text
