"""Tests of the errors of the action get_prices: bad input, and failures of Nomos."""

from datetime import timedelta

import pytest

from custom_components.nomos.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.json import json_bytes
from tests.integration.automation.get_prices import (
    SMART,
    contract,
    device_id,
    get_prices,
)
from tests.integration.helpers import Advance, reauth_flows


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"start": "2026-06-11", "end": "2026-06-10"}, "end_before_start"),
        ({"start": "2026-06-10 10:00", "end": "2026-06-10 10:00"}, "end_before_start"),
        ({"end": "2026-06-09"}, "end_before_start"),
        ({"start": "2025-05-06", "end": "2026-06-10"}, "range_too_long"),
        ({"start": "2026-06-10", "end": "2199-01-01"}, "range_too_long"),
        ({"start": "tomorrow"}, "invalid_time"),
        ({"start": "0001-01-01"}, "invalid_time"),
        ({"end": "9999-12-31"}, "invalid_time"),
        ({"end": "2026-06-31"}, "invalid_time"),
        ({"end": "2026-06-10 25:00"}, "invalid_time"),
        ({"start": "\ud83d"}, "invalid_time"),
        ({"end": "2026-06-10 20:00\u202e"}, "invalid_time"),
        ({"start": "1" * 10_000_000}, "invalid_time"),
        ({"config_entry": "x" * 10_000_000}, "service_config_entry_not_found"),
        ({"subscription": "nobody"}, "unknown_subscription"),
        ({"config_entry": "nothing"}, "service_config_entry_not_found"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_bad_input(hass: HomeAssistant, nomos, linked, data, key) -> None:
    """Bad input is reported without a request to Nomos."""
    await linked()
    before = nomos.count()
    with pytest.raises(ServiceValidationError) as wrong:
        await get_prices(hass, **data)
    assert wrong.value.translation_key == key
    # Home Assistant can send the error to the frontend.
    assert len(json_bytes(wrong.value.translation_placeholders)) < 1000
    assert nomos.count() == before


@pytest.mark.parametrize(
    "data",
    [{"format": "csv"}, {"unit": "USD/kWh"}, {"resolution": "day"}, {"day": "today"}],
)
async def test_unknown_choices(hass: HomeAssistant, linked, data) -> None:
    """Unknown fields and choices are refused."""
    await linked()
    with pytest.raises(ServiceValidationError):
        await get_prices(hass, **data)


@pytest.mark.parametrize(
    ("fault", "key", "placeholders"),
    [
        ({"kind": "status", "status": 500}, "action_unavailable", {}),
        ({"kind": "reset"}, "action_unavailable", {}),
        ({"kind": "truncate"}, "action_unreadable", {"field"}),
        ({"kind": "rate_limit", "retry_after": 90}, "action_wait", {"time"}),
        ({"kind": "rate_limit"}, "action_wait", {"time"}),
        ({"kind": "status", "status": 403}, "permission_denied", {}),
        ({"kind": "status", "status": 404}, "not_found", {}),
        ({"kind": "status", "status": 422}, "request_refused", {"status", "code"}),
    ],
)
async def test_failures(
    hass: HomeAssistant, nomos, linked, fault, key, placeholders
) -> None:
    """A failure of Nomos is not reported as bad input; calls that need no request still work."""
    entry = await linked()
    nomos.faults.add(match="prices", **fault)
    with pytest.raises(HomeAssistantError) as failed:
        await get_prices(hass, start="2026-06-01")
    assert not isinstance(failed.value, ServiceValidationError)
    assert failed.value.translation_key == key
    assert (failed.value.translation_placeholders or {}).keys() == set(placeholders)
    if key == "action_wait" and "retry_after" in fault:
        assert failed.value.translation_placeholders == {"time": "01:04:37"}
    assert str(failed.value)
    assert len((await get_prices(hass))["prices"]) == 96
    assert not reauth_flows(hass)
    assert entry.runtime_data.prices[contract(nomos).id].last_error is None


async def test_wait_is_kept(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """While Nomos asks to wait, no request is sent, and no further chunk after the refusal."""
    await linked()
    nomos.faults.add(kind="rate_limit", retry_after=300, match="prices", skip=1)
    before = nomos.count("prices")
    for _ in range(3):
        with pytest.raises(HomeAssistantError):
            await get_prices(hass, start="2026-01-01")
    assert nomos.count("prices") == before + 2
    nomos.faults.clear()
    await advance(timedelta(minutes=6))
    assert len((await get_prices(hass, start="2026-06-09"))["prices"]) == 192


async def test_refused_link(hass: HomeAssistant, nomos, linked) -> None:
    """If Nomos refuses access, there is one prompt to link again."""
    await linked()
    nomos.revoke(SMART)
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as failed:
            await get_prices(hass, start="2026-06-01")
        assert failed.value.translation_key == "authentication_failed"
        await hass.async_block_till_done()
        assert len(reauth_flows(hass)) == 1


async def test_without_an_account(hass: HomeAssistant, nomos, linked) -> None:
    """The actions exist even without an account, and then report that there is none."""
    entry = await linked()
    device = device_id(hass, entry, contract(nomos))
    await hass.config_entries.async_unload(entry.entry_id)
    assert hass.services.has_service(DOMAIN, "get_prices")
    for data in ({}, {"config_entry": entry.entry_id}):
        with pytest.raises(ServiceValidationError) as wrong:
            await get_prices(hass, **data)
        assert wrong.value.translation_key == "service_config_entry_not_loaded"
    with pytest.raises(ServiceValidationError) as wrong:
        await get_prices(hass, subscription=device)
    assert wrong.value.translation_key == "service_config_entry_not_loaded"
    await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(ServiceValidationError) as wrong:
        await get_prices(hass)
    assert wrong.value.translation_key == "service_found_no_config_entry_for_domain"
