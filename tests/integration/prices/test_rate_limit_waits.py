"""Tests of the waits that Nomos asks for."""

from datetime import timedelta

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from tests.integration.helpers import HOUR, Advance, make_entry


async def test_wait_holds_while_setting_up(
    hass: HomeAssistant, nomos, credentials, advance: Advance
) -> None:
    """Home Assistant retries setup every few seconds, but sends no request within the hour that Nomos asked for."""
    nomos.faults.add(kind="rate_limit", retry_after=3600, times=1)
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert len(nomos.requests) == 1
    for _ in range(35):
        await advance(timedelta(seconds=100))
    assert len(nomos.requests) == 1
    assert entry.error_reason_translation_key == "rate_limited"
    for _ in range(10):
        await advance(timedelta(minutes=2))
    assert entry.state is ConfigEntryState.LOADED


async def test_wait_is_passed_on(
    hass: HomeAssistant, nomos, credentials, advance: Advance, caplog
) -> None:
    """Home Assistant gets the remaining wait in seconds."""
    nomos.faults.add(kind="rate_limit", retry_after=900, times=1)
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await advance(timedelta(seconds=100))
    # Since 2026.11, Home Assistant itself waits that long before it tries again.
    await hass.config_entries.async_reload(entry.entry_id)
    handed_on = [
        one.exc_info[1].__cause__.retry_after
        for one in caplog.records
        if one.message == "Full exception"
    ]
    assert handed_on[0] == 900
    assert handed_on[-1] == 800


async def test_absurd_wait_is_bounded(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A mistake in a header does not stop all requests for a day."""
    entry = await linked()
    nomos.faults.add(kind="rate_limit", retry_after=86400, times=1)
    await entry.runtime_data.account.async_refresh()
    requests = len(nomos.requests)
    await advance(HOUR)
    await entry.runtime_data.account.async_refresh()
    assert len(nomos.requests) == requests
    await advance(HOUR + timedelta(minutes=1))
    await entry.runtime_data.account.async_refresh()
    assert len(nomos.requests) > requests


async def test_wait_at_the_token_endpoint(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A wait that the token endpoint asks for counts in the same way."""
    entry = await linked()
    # The first sync of usage is soon after the start, with the token of the link.
    await advance(timedelta(minutes=2))
    await advance(2 * HOUR)
    nomos.faults.add(kind="rate_limit", retry_after=1800, match="token", times=1)
    await entry.runtime_data.account.async_refresh()
    requests = len(nomos.requests)
    await entry.runtime_data.account.async_refresh()
    assert len(nomos.requests) == requests
    await advance(timedelta(minutes=31))
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None


async def test_clock_set_back_ends_a_wait(
    hass: HomeAssistant, nomos, linked, freezer
) -> None:
    """A wait whose end is far in the future because the clock was wrong does not count."""
    entry = await linked()
    freezer.tick(timedelta(days=3))
    nomos.faults.add(kind="rate_limit", retry_after=3600, times=1)
    await entry.runtime_data.account.async_refresh()
    # Other requests waited for the same response.
    await hass.async_block_till_done(wait_background_tasks=True)
    freezer.tick(-timedelta(days=3))
    requests = len(nomos.requests)
    await entry.runtime_data.account.async_refresh()
    assert len(nomos.requests) > requests
