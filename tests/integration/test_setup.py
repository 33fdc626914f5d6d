"""Tests of setup while Nomos fails."""

from datetime import timedelta

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from tests.integration.helpers import EMAIL, HOUR, Advance, make_entry, reauth_flows


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        ({"kind": "status", "status": 500}, "server_error"),
        ({"kind": "html", "status": 502}, "server_error"),
        ({"kind": "rate_limit", "retry_after": 60}, "rate_limited"),
        ({"kind": "status", "status": 403}, "permission_denied"),
        ({"kind": "status", "status": 404}, "not_found"),
        ({"kind": "status", "status": 422}, "request_refused"),
        ({"kind": "truncate"}, "invalid_response"),
        ({"kind": "list"}, "invalid_response"),
        ({"kind": "reset"}, "cannot_connect"),
    ],
)
@pytest.mark.parametrize("match", ["subscriptions", "prices"])
async def test_set_up_is_retried(
    hass: HomeAssistant, nomos, linked, advance: Advance, fault, key, match
) -> None:
    """Any failure at startup is explained and retried until it works."""
    nomos.faults.add(match=match, **fault)
    entry = await linked()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == key
    assert entry.reason
    nomos.faults.clear()
    await advance(timedelta(minutes=1))
    assert entry.state is ConfigEntryState.LOADED
    assert not reauth_flows(hass)


async def test_token_endpoint_fails_at_the_start(
    hass: HomeAssistant, nomos, credentials, advance: Advance, freezer
) -> None:
    """If the token endpoint is down at the start, there is no prompt to link again."""
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    freezer.tick(2 * HOUR)
    nomos.faults.add(kind="status", status=503, match="token", times=1)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "token_unavailable"
    await advance(timedelta(minutes=1))
    assert entry.state is ConfigEntryState.LOADED


async def test_access_revoked_while_off(
    hass: HomeAssistant, nomos, credentials, freezer
) -> None:
    """If the grant was revoked while the hub was off, there is a prompt to link again at the start."""
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    nomos.revoke(EMAIL)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "authentication_failed"
    assert len(reauth_flows(hass)) == 1
