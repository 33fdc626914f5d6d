"""Tests of the diagnostics that customers hand to support."""

import json

import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from syrupy.assertion import SnapshotAssertion

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .test_loads import DISHWASHER, add


@pytest.mark.parametrize("account", ["smart", "solar", "pending"])
async def test_diagnostics(
    hass: HomeAssistant,
    nomos,
    linked,
    hass_client,
    account,
    snapshot: SnapshotAssertion,
) -> None:
    """They tell the state of link, clocks and tables, and nothing of the customer."""
    email = f"{account}@example.com"
    entry = await linked(email)
    if account == "smart":
        await add(hass, entry, DISHWASHER, name="Erika's dishwasher")
    assert await async_setup_component(hass, "diagnostics", {})
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found == snapshot

    text = json.dumps(found)
    customer = nomos.customers[email]
    personal = [customer.id, email, entry.entry_id, "Erika", *entry.subentries]
    for one in customer.subscriptions:
        personal += [one.id, one.number, one.plan]
    for value in (*filter(None, personal), *nomos.secrets):
        assert value not in text
