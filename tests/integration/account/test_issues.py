"""Tests of what customers are told, and of when it is withdrawn."""

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
    """Return the keys of the issues that are shown, all with words in both languages."""
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
    """The end of the last contract is told, and withdrawn when there is a new one."""
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
    """A token that may not read prices is told of, seldom tried, and the issue withdrawn when it may."""
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
    """Prices that did not come since yesterday are told of after an hour, once in the log, and withdrawn."""
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
    """Nobody is told of prices that are refused for a contract that has ended."""
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
    """Whoever is asked to link again is not told to look after the internet connection, too."""
    await linked()
    nomos.revoke(EMAIL)
    for _ in range(2 * 96):
        await advance(QUARTER)
    assert not issues(hass)


async def test_unloading_withdraws(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """What is not looked after any more is not told of any more."""
    entry = await linked()
    nomos.faults.add(kind="status", status=403, match="prices")
    await entry.runtime_data.prices[subscription.id].async_refresh()
    assert issues(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert not issues(hass)
