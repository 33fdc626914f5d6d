"""Tests of the diagnostics that customers hand to support."""

import json

import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from syrupy.assertion import SnapshotAssertion

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import EMAIL, personal
from tests.integration.loads.helpers import CAR, DISHWASHER, add


@pytest.mark.parametrize("account", ["smart", "solar", "pending"])
async def test_diagnostics(
    hass: HomeAssistant,
    nomos,
    linked,
    hass_client,
    account,
    snapshot: SnapshotAssertion,
) -> None:
    """They contain the state of link, clocks and tables, and no personal data."""
    email = f"{account}@example.com"
    entry = await linked(email)
    if account == "smart":
        hass.config_entries.async_update_entry(entry, options={"cheap_share": 30})
        await add(hass, entry, DISHWASHER, name="Erika's dishwasher")
    if account == "solar":
        key = await add(hass, entry, CAR, name="Erika's car", price_cap=32.5)
        car, contract = entry.subentries[key], nomos.customers[email].subscriptions[1]
        hass.config_entries.async_update_subentry(
            entry, car, data={**car.data, "subscription": contract.id}
        )
    assert await async_setup_component(hass, "diagnostics", {})
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found == snapshot

    text = json.dumps(found)
    assert not [value for value in personal(nomos, email, entry) if value in text]
    assert entry.entry_id not in text


async def test_download_with_issues(
    hass: HomeAssistant, nomos, linked, hass_client, subscription
) -> None:
    """Home Assistant adds issues to the file, which contain no personal data either."""
    entry = await linked()
    nomos.faults.add(kind="status", status=403, match="prices")
    await entry.runtime_data.prices[subscription.id].async_refresh()
    assert await async_setup_component(hass, "diagnostics", {})
    await hass.async_block_till_done()
    client = await hass_client()
    answer = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    text = await answer.text()
    assert "access_denied_" in text
    assert not [value for value in personal(nomos, EMAIL, entry) if value in text]
