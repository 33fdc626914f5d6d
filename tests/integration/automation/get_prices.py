"""Helpers that call the action get_prices and check its response."""

from datetime import datetime
from itertools import pairwise
import json

import pytest

from custom_components.nomos.const import DOMAIN
from homeassistant.helpers import device_registry as dr

SMART = "smart@example.com"


def contract(nomos, email=SMART, index=0):
    """Return a customer's contract."""
    return nomos.customers[email].subscriptions[index]


def device_id(hass, entry, subscription):
    """Return the id of a contract's device."""
    return next(
        device.id
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if (DOMAIN, subscription.id) in device.identifiers
    )


async def get_prices(hass, **data):
    """Call the action, and check that its response is plain JSON."""
    answer = await hass.services.async_call(
        DOMAIN, "get_prices", data, blocking=True, return_response=True
    )
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    return answer


def moment(text):
    """Parse an instant from a string, which must have a UTC offset."""
    found = datetime.fromisoformat(text)
    assert found.utcoffset() is not None
    return found


def assert_true_prices(nomos, subscription, rows):
    """Assert that every row has the market's price, and that rows do not overlap."""
    for row in rows:
        truth = nomos.price(subscription.id, moment(row["start"]))
        assert row["price"] == pytest.approx(truth.amount / 100, abs=1e-9)
    for one, two in pairwise(rows):
        assert one["end"] == two["start"]
