"""Usage and cost in the long-term statistics, with the real recorder."""

from datetime import date, timedelta

import pytest

from homeassistant.core import HomeAssistant
from simulator.berlin import local_date, midnight

from .conftest import count
from .statistics import assert_true, supply_begins, written

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def custom_integrations(recorder_mock, enable_custom_integrations: None) -> None:
    """Begin with the recorder: it has to be there before Home Assistant is."""


@pytest.fixture
def usage_known() -> bool:
    """Begin with an account that is new."""
    return False


def begin(nomos, email: str, start: date):
    """Let a customer's only contract begin on a day."""
    (subscription,) = nomos.customers[email].subscriptions
    nomos.set_subscription(subscription.id, start_at=midnight(start))
    return subscription


async def test_first_import(hass: HomeAssistant, nomos, linked, advance) -> None:
    """The first import reaches back to the start of supply and is right to the last digit."""
    subscription = begin(nomos, "smart@example.com", date(2026, 3, 20))
    await linked()
    await advance(2 * MINUTE)
    today = local_date(nomos.clock.now())
    await assert_true(
        hass, nomos, subscription.id, supply_begins(nomos, subscription.id), today
    )
    assert await written(hass, subscription.id, "usage")
    # March, April, May and June: one request each for usage and for prices.
    assert count(nomos, "usage") == 4
