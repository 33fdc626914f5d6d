"""Tests of an account that cannot renew its access, without client credentials or without a refresh token."""

from datetime import timedelta

import pytest

from custom_components.nomos.api import API_URL
from custom_components.nomos.api.address import ENVIRONMENT_VARIABLE
from custom_components.nomos.application_credentials import NomosOAuth2Implementation
from custom_components.nomos.const import DOMAIN
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.integration.helpers import (
    CLIENT_ID,
    CLIENT_SECRET,
    HOUR,
    Advance,
    assert_right,
    make_entry,
    reauth_flows,
    restart,
)

QUARTER = timedelta(minutes=15)


@pytest.fixture
def delete_credentials(hass: HomeAssistant, hass_ws_client):
    """Return a function that deletes the credentials as the settings page does."""

    async def delete() -> None:
        client = await hass_ws_client(hass)
        await client.send_json_auto_id(
            {
                "type": "application_credentials/delete",
                "application_credentials_id": "nomos_nomos_home",
            }
        )
        assert (await client.receive_json())["success"]

    return delete


async def enter_credentials(hass: HomeAssistant) -> None:
    """Enter the same credentials again."""
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(CLIENT_ID, CLIENT_SECRET)
    )


async def test_the_addresses_are_those_of_nomos(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Customers sign in, and tokens are requested, below the address of the API."""
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    client = NomosOAuth2Implementation(hass, DOMAIN, ClientCredential("a", "b"))
    assert client.authorize_url == f"{API_URL}/oauth/authorize"
    assert client.token_url == f"{API_URL}/oauth/token"


def issues(hass: HomeAssistant) -> list[str | None]:
    """Return the integration's issues."""
    return [
        one.translation_key
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN
    ]


@pytest.mark.parametrize("restarted", [True, False])
async def test_credentials_vanish_and_come_back(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    subscription,
    delete_credentials,
    restarted,
) -> None:
    """Known prices are shown and an issue says what to do; minutes after that is done, everything works again."""
    entry = await linked()
    await delete_credentials()
    if restarted:
        await restart(hass, entry)
    else:
        await entry.runtime_data.account.async_refresh()
    assert entry.state is ConfigEntryState.LOADED
    assert issues(hass) == ["credentials_missing"]
    nomos.requests.clear()
    for _ in range(26):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)
    assert not nomos.requests
    assert not reauth_flows(hass)
    assert issues(hass) == ["credentials_missing"]
    with pytest.raises(HomeAssistantError) as failure:
        await hass.services.async_call(DOMAIN, "refresh", {}, blocking=True)
    assert failure.value.translation_key == "credentials_missing"

    await enter_credentials(hass)
    await advance(timedelta(minutes=6))
    assert not issues(hass)
    assert entry.runtime_data.account.last_error is None
    prices = entry.runtime_data.prices[subscription.id]
    assert prices.last_error is None
    assert nomos.count("token") == 1
    for _ in range(40):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)
    assert not reauth_flows(hass)


async def test_no_credentials_and_nothing_stored(
    hass: HomeAssistant,
    nomos,
    credentials,
    advance: Advance,
    subscription,
    delete_credentials,
) -> None:
    """Setup fails with a reason that says what to do, and later succeeds by itself."""
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    await delete_credentials()
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "credentials_missing"
    for _ in range(8):
        await advance(QUARTER)
    assert not nomos.requests
    await enter_credentials(hass)
    await advance(QUARTER)
    assert entry.state is ConfigEntryState.LOADED
    assert_right(hass, nomos, subscription)
    assert not issues(hass)


async def test_issue_goes_with_the_account(
    hass: HomeAssistant, nomos, linked, delete_credentials
) -> None:
    """A removed account leaves no issue about its credentials."""
    entry = await linked()
    await delete_credentials()
    await restart(hass, entry)
    assert issues(hass)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not issues(hass)


async def test_credentials_come_back_while_nomos_is_down(
    hass: HomeAssistant, nomos, linked, advance: Advance, delete_credentials
) -> None:
    """Credentials that are entered while Nomos does not answer are used later."""
    entry = await linked()
    await delete_credentials()
    await restart(hass, entry)
    await advance(2 * HOUR)
    await enter_credentials(hass)
    nomos.faults.add(kind="status", status=503, match="token")
    await advance(timedelta(minutes=6))
    assert not issues(hass)
    assert not reauth_flows(hass)
    nomos.faults.clear()
    await advance(timedelta(minutes=20))
    assert entry.runtime_data.account.last_error is None


async def test_refresh_token_is_missing(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """The account asks to be linked again, and shows known prices."""
    entry = await linked()
    token = {**entry.data["token"]}
    del token["refresh_token"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert len(reauth_flows(hass)) == 1
    nomos.requests.clear()
    for _ in range(26):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)
    assert not nomos.requests
    assert len(reauth_flows(hass)) == 1


async def test_refresh_token_is_missing_while_running(
    hass: HomeAssistant, nomos, linked, subscription
) -> None:
    """The missing token is noticed at the next request."""
    entry = await linked()
    token = {**entry.data["token"], "refresh_token": ""}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    nomos.requests.clear()
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    assert len(reauth_flows(hass)) == 1
    assert not nomos.requests
    assert_right(hass, nomos, subscription)
