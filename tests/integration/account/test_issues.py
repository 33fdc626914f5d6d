"""Tests of issues: when they are raised, and when they are deleted."""

from datetime import UTC, date, datetime, time, timedelta
import json
from pathlib import Path

import pytest

import custom_components.nomos
from custom_components.nomos.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.integration.helpers import EMAIL, Advance, state_of

QUARTER = timedelta(minutes=15)
TRANSLATIONS = Path(custom_components.nomos.__file__).parent / "translations"


def issues(hass):
    """Return the keys of all issues; each has a text in both languages."""
    found = [
        issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN
    ]
    for issue in found:
        for language in ("en", "de"):
            words = json.loads((TRANSLATIONS / f"{language}.json").read_text())
            assert words["issues"][issue.translation_key]["title"].format(
                **(issue.translation_placeholders or {})
            )
    return {issue.translation_key for issue in found}


async def test_contract_ended(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """The end of the last contract raises an issue, and a new contract deletes it."""
    entry = await linked()
    assert not issues(hass)
    nomos.set_subscription(subscription.id, status="ended", end_at=datetime.now(UTC))
    await entry.runtime_data.account.async_refresh()
    assert issues(hass) == {"contract_ended"}
    nomos.add_subscription(EMAIL)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not issues(hass)


@pytest.mark.parametrize("status", [402, 403])
async def test_access_denied(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, status
) -> None:
    """If the token may not read prices, there is an issue and few requests; the issue is deleted once they work."""
    entry = await linked()
    fault = nomos.faults.add(kind="status", status=status, match="prices")
    await entry.runtime_data.prices[subscription.id].async_refresh()
    assert issues(hass) == {"access_denied"}
    requests = nomos.count("prices")
    for _ in range(16):
        await advance(QUARTER)
    assert nomos.count("prices") - requests <= 4
    fault.times = 0
    for _ in range(20):
        await advance(QUARTER)
    assert not issues(hass)


async def test_prices_late(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, caplog
) -> None:
    """Prices that are missing since yesterday raise an issue and one log line after an hour; it is deleted later."""
    nomos.publish_at(date(2026, 6, 11), "never")
    await linked()
    while datetime.now(UTC) < datetime(2026, 6, 10, 22, tzinfo=UTC):
        await advance(QUARTER)
    assert state_of(hass, subscription.id, "price").state == "unavailable"
    assert not issues(hass)
    for _ in range(8):
        await advance(QUARTER)
    assert issues(hass) == {"prices_late"}
    ran_out = [
        one for one in caplog.records if "no price for the current" in one.getMessage()
    ]
    assert len(ran_out) == 1
    nomos.publish_at(date(2026, 6, 11), time(13))
    for _ in range(3):
        await advance(QUARTER)
    assert not issues(hass)
    back = [one for one in caplog.records if one.getMessage() == "Prices are back"]
    assert len(back) == 1


async def test_denial_goes_with_the_contract(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """There is no issue about refused prices of a contract that has ended."""
    entry = await linked()
    nomos.faults.add(kind="status", status=403, match="prices")
    await entry.runtime_data.prices[subscription.id].async_refresh()
    assert issues(hass) == {"access_denied"}
    nomos.set_subscription(subscription.id, status="ended", end_at=datetime.now(UTC))
    await entry.runtime_data.account.async_refresh()
    for _ in range(6):
        await advance(QUARTER)
    assert issues(hass) == {"contract_ended"}
    await hass.services.async_call(DOMAIN, "refresh", {}, blocking=True)


async def test_revoked_access_is_not_the_network(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A customer who is asked to link again gets no issue about the internet connection."""
    await linked()
    nomos.revoke(EMAIL)
    for _ in range(2 * 96):
        await advance(QUARTER)
    assert not issues(hass)


async def test_unloading_deletes_issues(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """An account that is not loaded has no issues."""
    entry = await linked()
    nomos.faults.add(kind="status", status=403, match="prices")
    await entry.runtime_data.prices[subscription.id].async_refresh()
    assert issues(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert not issues(hass)
