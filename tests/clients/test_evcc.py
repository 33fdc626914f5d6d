"""Tests of the recipe for evcc in gojq, with a response for every hour of a day."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pytest_homeassistant_custom_component.common import MockUser

from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import EMAIL, Advance
from tests.integration.recipes import recipe
from tests.integration.recipes.test_evcc import JQ, ask

FEED_IN = "solar@example.com"


@pytest.mark.parametrize(
    ("now", "email"),
    [
        (datetime(2025, 10, 9, 8, 3, 7, tzinfo=UTC), EMAIL),
        (datetime(2025, 10, 25, 12, 3, 7, tzinfo=UTC), EMAIL),
        (datetime(2025, 3, 29, 13, 3, 7, tzinfo=UTC), EMAIL),
        (datetime(2025, 10, 25, 12, 3, 7, tzinfo=UTC), "analog@example.com"),
        (datetime(2025, 10, 9, 8, 3, 7, tzinfo=UTC), FEED_IN),
    ],
)
async def test_every_hour(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    hass_client_no_auth,
    hass_admin_user: MockUser,
    email,
) -> None:
    """At publication, midnight and clock changes, every response has the right rates without gaps."""
    assert JQ
    assert JQ.endswith("gojq")
    assert await async_setup_component(hass, "api", {})
    token = await hass.auth.async_create_refresh_token(
        hass_admin_user,
        client_name="evcc",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=3650),
    )
    config = recipe("evcc", YOUR_TOKEN=hass.auth.async_create_access_token(token))
    await linked(email)
    subscription = nomos.customers[email].subscriptions[email == FEED_IN]
    body = None
    if email == FEED_IN:
        body = recipe("evcc-feed-in", **{"4X44EMKX": subscription.number})["body"]
    for _ in range(25):
        rates = await ask(hass_client_no_auth, config, body)
        now = datetime.now(UTC)
        assert rates[0][0] <= now < rates[-1][1]
        for (_, end, _), (start, _, _) in pairwise(rates):
            assert end == start
        for start, end, value in rates:
            while start < end:
                truth = nomos.price(subscription.id, start).amount / 100
                assert value == pytest.approx(truth)
                start += timedelta(minutes=15)
        await advance(timedelta(hours=1))
    assert (rates[-1][1] - rates[0][0]).days >= 1
