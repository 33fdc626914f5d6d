"""Tests of linking an account again, because access was refused or because the customer wants to."""

import asyncio
from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from simulator import Simulator
from tests.integration.account.helpers import begin
from tests.integration.helpers import EMAIL, HOUR, assert_right, reauth_flows, restart

pytestmark = pytest.mark.usefixtures("current_request_with_host")


async def test_reauthentication(
    hass: HomeAssistant, nomos: Simulator, linked, walk, advance
) -> None:
    """After access was revoked, the same customer links again, and there are prices again."""
    entry = await linked()
    nomos.revoke("smart@example.com")
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert [flow["step_id"] for flow in flows] == ["reauth_confirm"]

    result = await hass.config_entries.flow.async_configure(flows[0]["flow_id"], {})
    refused = dict(entry.data)
    result = await walk(result, "solar@example.com")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert dict(entry.data) == refused

    result = await entry.start_reauth_flow(hass)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    result = await walk(result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["token"]["refresh_token"] != refused["token"]["refresh_token"]
    assert entry.runtime_data.account.last_error is None


async def test_reconfiguration(
    hass: HomeAssistant, nomos: Simulator, linked, walk
) -> None:
    """A customer links again without being asked; only the same account is accepted."""
    entry = await linked()
    result = await walk(await entry.start_reconfigure_flow(hass), "solar@example.com")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    result = await walk(await entry.start_reconfigure_flow(hass))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_reconfiguration_while_access_is_renewed(
    hass: HomeAssistant, nomos: Simulator, linked, walk, advance
) -> None:
    """The new link is kept, whatever the response to the old link's last request is."""
    entry = await linked()
    await advance(2 * HOUR)
    given: list[str] = []

    def note(answer: dict[str, str]) -> dict[str, str]:
        given.append(answer["refresh_token"])
        return answer

    nomos.faults.add(kind="mutate", match="token", change=note)
    slow = nomos.faults.add(kind="delay", match="token", seconds=20, times=1)
    old = hass.async_create_task(entry.runtime_data.account.async_refresh())
    while slow in nomos.faults.pending:
        await asyncio.sleep(0)
    linking = hass.async_create_task(walk(await entry.start_reconfigure_flow(hass)))
    while nomos.count("subscriptions") < 2:
        await asyncio.sleep(0)
    await advance(timedelta(seconds=21))
    await old
    assert (await linking)["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    # The response for the new link came first.
    new, _ = given
    assert entry.data["token"]["refresh_token"] == new
    await restart(hass, entry)
    assert entry.data["token"]["refresh_token"] == new
    for _ in range(3):
        await advance(2 * HOUR)
        await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    assert not reauth_flows(hass)


@pytest.mark.parametrize("again", [True, False])
async def test_credentials_that_are_wrong(
    hass: HomeAssistant, nomos: Simulator, linked, walk, again
) -> None:
    """Credentials in use cannot be deleted, so the customer is told to add the right ones."""
    entry = await linked() if again else None
    nomos.faults.add(kind="status", status=401, match="token", times=1)
    result = await (entry.start_reconfigure_flow(hass) if entry else begin(hass))
    result = await walk(result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == (
        "link_oauth_unauthorized_again" if again else "link_oauth_unauthorized"
    )


async def test_ended_contract_can_be_linked_again(
    hass: HomeAssistant, nomos: Simulator, linked, walk
) -> None:
    """A customer who is asked to link again may do so even if the contract has ended."""
    entry = await linked("ended@example.com")
    result = await walk(await entry.start_reconfigure_flow(hass), "ended@example.com")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("trouble", ["none", "refused", "credentials", "setup"])
async def test_added_once_more(
    hass: HomeAssistant, nomos: Simulator, linked, walk, advance, files, trouble
) -> None:
    """Adding an account a second time gives it a new link, in any state."""
    entry = await linked()
    match trouble:
        case "refused":
            nomos.revoke(EMAIL)
            await entry.runtime_data.account.async_refresh()
            await hass.async_block_till_done()
            assert len(reauth_flows(hass)) == 1
        case "credentials":
            data = {**entry.data, "auth_implementation": "gone"}
            hass.config_entries.async_update_entry(entry, data=data)
            await restart(hass, entry)
        case "setup":
            nomos.revoke(EMAIL)
            assert await hass.config_entries.async_unload(entry.entry_id)
            [path] = files("account").values()
            path.unlink()
            await hass.config_entries.async_setup(entry.entry_id)
            assert entry.state is ConfigEntryState.SETUP_RETRY
    # A new consent may end the previous one.
    nomos.configure(second_consent_revokes=True)
    old = entry.data["token"]["refresh_token"]
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "linked_again"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.config_entries.async_entries(DOMAIN) == [entry]
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["token"]["refresh_token"] != old
    assert not reauth_flows(hass)
    # The new link is in the journal; the entry itself is written later.
    [journal] = files("token").values()
    assert entry.data["token"]["refresh_token"] in journal.read_text()
    await advance(2 * HOUR)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    assert not ir.async_get(hass).issues
    assert_right(hass, nomos, nomos.customers[EMAIL].subscriptions[0])


async def test_added_once_more_while_disabled(
    hass: HomeAssistant, nomos: Simulator, linked, walk
) -> None:
    """A disabled account stays disabled, and has the new link once it is enabled."""
    entry = await linked()
    by_user = ConfigEntryDisabler.USER
    await hass.config_entries.async_set_disabled_by(entry.entry_id, by_user)
    nomos.configure(second_consent_revokes=True)
    result = await walk(await begin(hass))
    assert result["reason"] == "linked_again_disabled"
    await hass.async_block_till_done()
    assert entry.disabled_by is by_user
    assert entry.state is ConfigEntryState.NOT_LOADED
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None


async def test_added_after_it_was_ignored(
    hass: HomeAssistant, nomos: Simulator, credentials, walk
) -> None:
    """An ignored entry is replaced by the account."""
    MockConfigEntry(
        domain=DOMAIN, source=SOURCE_IGNORE, unique_id=nomos.customers[EMAIL].id
    ).add_to_hass(hass)
    result = await walk(await begin(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert hass.config_entries.async_entries(DOMAIN) == [result["result"]]
