"""Tests of temporary refusals: the grant is retried now and then, and the prompt to link again goes away."""

import asyncio
from datetime import UTC, datetime, timedelta
import logging

import pytest

from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.integration.helpers import (
    EMAIL,
    HOUR,
    Advance,
    assert_right,
    entity_id,
    make_entry,
    reauth_flows,
    restart,
    state_of,
)

STEP = timedelta(minutes=7, seconds=30)
"""The step of the clock. Since the start has odd seconds, it never stops exactly at a boundary."""

SLIPS = [
    {"status": 400},
    {"status": 403},
    {"status": 400, "shape": "rfc", "code": "access_denied"},
]
CLEAR = [
    {"status": 401},
    {"status": 400, "shape": "rfc"},
]


class PromptWatch:
    """Moves the clock in small steps and counts the prompts to link again."""

    def __init__(self, hass: HomeAssistant, advance: Advance) -> None:
        """Start with no prompts."""
        self.prompts: set[str] = set()
        self._hass = hass
        self._advance = advance

    async def pass_time(self, span: timedelta) -> None:
        """Advance the clock by a time span."""
        for _ in range(int(span / STEP)):
            await self._advance(STEP)
            flows = reauth_flows(self._hass)
            assert len(flows) <= 1
            self.prompts |= {flow["flow_id"] for flow in flows}


@pytest.fixture
def watch(hass: HomeAssistant, advance: Advance) -> PromptWatch:
    """Return a watch that counts prompts."""
    return PromptWatch(hass, advance)


def forget_requests(nomos) -> None:
    """Reset the count of requests."""
    nomos.requests.clear()


def assert_recovered(hass, entry, nomos, subscription) -> None:
    """Assert that nothing of the refusal is left: no prompt, no error, and a scheduled request everywhere."""
    assert not reauth_flows(hass)
    assert not [one for one in ir.async_get(hass).issues if "reauth" in one[1]]
    runtime = entry.runtime_data
    for one in (
        runtime.account,
        runtime.prices[subscription.id],
        runtime.usage[subscription.id],
    ):
        assert one.last_error is None
        assert one.last_update_success
        assert one.next_request > datetime.now(UTC)
    assert_right(hass, nomos, subscription)


@pytest.mark.parametrize("hours", [3, 26])
async def test_api_that_rejects_fresh_tokens(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, subscription, hours
) -> None:
    """If the API rejects fresh tokens for hours, there is one prompt with few requests, and later everything works."""
    entry = await linked()
    await watch.pass_time(3 * HOUR)
    begin = datetime.now(UTC)
    end = begin + hours * HOUR
    for kind in ("subscriptions", "prices", "usage"):
        nomos.faults.add(kind="status", status=401, match=kind, between=(begin, end))
    await watch.pass_time(3 * HOUR)
    assert len(watch.prompts) == 1
    assert_right(hass, nomos, subscription)
    forget_requests(nomos)
    await watch.pass_time(hours * HOUR)
    # It is retried after one hour, then after four; each try costs a new token and the rejected request.
    tries = [one for one in nomos.requests if one.time < end]
    assert len(tries) <= 6
    assert nomos.count("token") <= 4
    await watch.pass_time((27 if hours > 20 else 5) * HOUR)
    assert len(watch.prompts) == 1
    assert_recovered(hass, entry, nomos, subscription)


async def test_only_prices_are_rejected(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, subscription
) -> None:
    """The prompt stays until the rejected request succeeds; a successful list of contracts does not remove it."""
    entry = await linked()
    await watch.pass_time(3 * HOUR)
    fault = nomos.faults.add(kind="status", status=401, match="prices")
    await watch.pass_time(12 * HOUR)
    assert len(watch.prompts) == 1
    assert len(reauth_flows(hass)) == 1
    fault.times = 0
    await watch.pass_time(29 * HOUR)
    assert len(watch.prompts) == 1
    assert_recovered(hass, entry, nomos, subscription)


@pytest.mark.parametrize("answer", SLIPS)
async def test_mistake_of_the_token_endpoint(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, advance: Advance, answer
) -> None:
    """A refusal that may be a mistake causes no prompt at once, and everything works minutes later."""
    entry = await linked()
    await advance(2 * HOUR)
    nomos.faults.add(kind="status", match="token", times=1, **answer)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is not None
    await entry.runtime_data.account.async_refresh()
    assert nomos.count("token") == 1
    assert not reauth_flows(hass)
    await watch.pass_time(timedelta(minutes=15))
    assert not watch.prompts
    assert nomos.count("token") == 2
    subscription = nomos.customers[EMAIL].subscriptions[0]
    assert_recovered(hass, entry, nomos, subscription)


async def test_mistake_before_the_token_endpoint_fails(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, subscription
) -> None:
    """As long as there is no clear response after a possible mistake, the gaps between tries grow to an hour."""
    entry = await linked()
    await watch.pass_time(timedelta(minutes=50))
    nomos.faults.add(kind="status", match="token", status=400, times=1)
    await watch.pass_time(timedelta(minutes=30))
    forget_requests(nomos)
    fault = nomos.faults.add(kind="status", match="token", status=500)
    await watch.pass_time(12 * HOUR)
    assert 9 <= nomos.count("token") <= 16
    assert not watch.prompts
    fault.times = 0
    await watch.pass_time(2 * HOUR)
    assert_recovered(hass, entry, nomos, subscription)


async def test_mistake_that_several_requests_share(
    hass: HomeAssistant,
    nomos,
    linked,
    watch: PromptWatch,
    advance: Advance,
    subscription,
) -> None:
    """One refusal that several requests wait for counts once."""
    entry = await linked()
    await advance(2 * HOUR)
    nomos.faults.add(kind="status", status=400, match="token", times=1)
    runtime = entry.runtime_data
    await asyncio.gather(
        runtime.account.async_refresh(),
        runtime.prices[subscription.id].async_refresh(),
        runtime.usage[subscription.id].async_refresh(),
    )
    await watch.pass_time(timedelta(minutes=15))
    assert not watch.prompts
    assert nomos.count("token") == 2
    assert_recovered(hass, entry, nomos, subscription)


@pytest.mark.parametrize("answer", SLIPS)
async def test_repeated_mistake(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, advance: Advance, answer
) -> None:
    """A repeated refusal causes a prompt, which goes away once access is granted again."""
    entry = await linked()
    await advance(2 * HOUR)
    fault = nomos.faults.add(kind="status", match="token", **answer)
    await entry.runtime_data.account.async_refresh()
    await watch.pass_time(timedelta(minutes=15))
    assert len(reauth_flows(hass)) == 1
    fault.times = 0
    await watch.pass_time(timedelta(minutes=30))
    assert len(watch.prompts) == 1
    subscription = nomos.customers[EMAIL].subscriptions[0]
    assert_recovered(hass, entry, nomos, subscription)


@pytest.mark.parametrize("answer", CLEAR)
async def test_temporary_clear_refusal(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, advance: Advance, answer
) -> None:
    """A clear refusal causes a prompt at once; a success an hour later removes it."""
    entry = await linked()
    await advance(2 * HOUR)
    begin = datetime.now(UTC)
    between = begin, begin + timedelta(minutes=50)
    nomos.faults.add(kind="status", match="token", between=between, **answer)
    await entry.runtime_data.account.async_refresh()
    await watch.pass_time(timedelta(minutes=45))
    assert len(watch.prompts) == 1
    assert nomos.count("token") <= 2
    await watch.pass_time(timedelta(minutes=45))
    assert len(watch.prompts) == 1
    subscription = nomos.customers[EMAIL].subscriptions[0]
    assert_recovered(hass, entry, nomos, subscription)


async def test_access_that_comes_back_while_nomos_is_down(
    hass: HomeAssistant,
    nomos,
    linked,
    watch: PromptWatch,
    advance: Advance,
    subscription,
) -> None:
    """A try without a response about access is not a refusal: it is repeated an hour later."""
    entry = await linked()
    await advance(2 * HOUR)
    fault = nomos.faults.add(kind="status", status=401, match="token")
    await entry.runtime_data.account.async_refresh()
    fault.times = 0
    fault = nomos.faults.add(kind="status", status=503, match="token")
    await watch.pass_time(3 * HOUR)
    assert len(reauth_flows(hass)) == 1
    assert nomos.count("token") <= 6
    fault.times = 0
    await watch.pass_time(1.25 * HOUR)
    assert len(watch.prompts) == 1
    assert_recovered(hass, entry, nomos, subscription)


async def test_revoked_access_costs_one_prompt_and_few_requests(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, subscription
) -> None:
    """However often refreshes are called, a revoked grant is tried a few times on the first day, then once a day."""
    await async_setup_component(hass, "homeassistant", {})
    await linked()
    nomos.revoke(EMAIL)
    price = entity_id(hass, subscription.id, "price")
    counts = []
    for _ in range(3):
        forget_requests(nomos)
        for _ in range(24):
            await watch.pass_time(HOUR)
            await hass.services.async_call(
                "homeassistant", "update_entity", {"entity_id": price}, blocking=True
            )
            with pytest.raises(HomeAssistantError) as failure:
                await hass.services.async_call(DOMAIN, "refresh", {}, blocking=True)
            assert failure.value.translation_key == "authentication_failed"
        counts.append(len(nomos.requests))
    assert len(watch.prompts) == 1
    assert len(reauth_flows(hass)) == 1
    # The API rejected the access token; then the secret is tried plain and encoded.
    assert counts[0] <= 1 + 3 * 2
    assert max(counts[1:]) <= 2


@pytest.mark.parametrize("how", ["reload", "setup"])
async def test_reloads_do_not_try_again(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, subscription, how
) -> None:
    """Reloading a refused account sends no request, shows what is known, and prompts again."""
    entry = await linked()
    nomos.revoke(EMAIL)
    await entry.runtime_data.account.async_refresh()
    forget_requests(nomos)
    for _ in range(5):
        if how == "reload":
            assert await hass.config_entries.async_reload(entry.entry_id)
        else:
            await restart(hass, entry)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert len(reauth_flows(hass)) == 1
        assert_right(hass, nomos, subscription)
        await watch.pass_time(timedelta(minutes=8))
    assert not nomos.requests


async def test_refusal_at_the_first_start_passes(
    hass: HomeAssistant, nomos, credentials, watch: PromptWatch, subscription, freezer
) -> None:
    """Without stored prices there is nothing to show; setup succeeds by itself once access is granted."""
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    freezer.tick(2 * HOUR)
    fault = nomos.faults.add(kind="status", status=401, match="token")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "authentication_failed"
    await watch.pass_time(timedelta(minutes=45))
    assert len(watch.prompts) == 1
    assert nomos.count("token") == 2
    fault.times = 0
    await watch.pass_time(timedelta(minutes=45))
    assert entry.state is ConfigEntryState.LOADED
    assert_right(hass, nomos, subscription)
    assert len(watch.prompts) == 1
    assert not reauth_flows(hass)


@pytest.mark.usefixtures("current_request_with_host")
@pytest.mark.parametrize("finishes", [True, False])
async def test_access_comes_back_during_the_flow(
    hass: HomeAssistant,
    nomos,
    linked,
    watch: PromptWatch,
    advance: Advance,
    walk,
    subscription,
    caplog,
    finishes,
) -> None:
    """A customer on Nomos's pages may finish, which does no harm; an abandoned flow is removed an hour later."""
    entry = await linked()
    await advance(2 * HOUR)
    fault = nomos.faults.add(kind="status", status=401, match="token")
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    fault.times = 0
    [flow] = reauth_flows(hass)
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    await watch.pass_time(1.25 * HOUR)
    account = entry.runtime_data.account
    assert account.last_error is None
    renewed = entry.data["token"]["refresh_token"]
    if finishes:
        result = await walk(result)
        assert result["reason"] == "reauth_successful"
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["token"]["refresh_token"] != renewed
    else:
        await watch.pass_time(1.125 * HOUR)
        assert entry.data["token"]["refresh_token"] == renewed
    assert len(watch.prompts) == 1
    await watch.pass_time(2 * HOUR)
    await entry.runtime_data.account.async_refresh()
    assert_recovered(hass, entry, nomos, subscription)
    assert not [
        one for one in caplog.records if one.exc_info and one.levelno >= logging.WARNING
    ]


async def test_prices_while_refused(
    hass: HomeAssistant, nomos, linked, watch: PromptWatch, subscription
) -> None:
    """Known prices are shown, even after a restart, which forgets the refusal."""
    entry = await linked()
    nomos.revoke(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert await hass.config_entries.async_unload(entry.entry_id)
    for key in [key for key in hass.data if str(key).startswith(f"{DOMAIN}_")]:
        del hass.data[key]
    forget_requests(nomos)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    for _ in range(6):
        await watch.pass_time(HOUR)
        assert_right(hass, nomos, subscription)
    assert len(watch.prompts) == 1
    assert nomos.count("token") <= 4
    assert state_of(hass, subscription.id, "contract_status").state == "active"
