"""Tests of the refresh action, which requests everything now."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.integration.automation.helpers import refresh
from tests.integration.helpers import Advance, reauth_flows, state_of

SMART = "smart@example.com"


async def test_refresh(hass: HomeAssistant, nomos, linked) -> None:
    """Contracts and prices are requested once each, and new ones are shown at once."""
    await linked()
    subscription = nomos.customers[SMART].subscriptions[0]
    nomos.correct_price(subscription.id, datetime.now(UTC), 12.34)
    before = nomos.count("subscriptions"), nomos.count("prices")
    await refresh(hass)
    await hass.async_block_till_done()
    assert (nomos.count("subscriptions"), nomos.count("prices")) == (
        before[0] + 1,
        before[1] + 1,
    )
    assert float(state_of(hass, subscription.id, "price").state) == 0.1234


async def test_refresh_of_one_account(hass: HomeAssistant, nomos, linked) -> None:
    """With several accounts, one is chosen; all of its contracts are requested."""
    await linked()
    entry = await linked("solar@example.com")
    with pytest.raises(ServiceValidationError):
        await refresh(hass)
    before = len(nomos.requests)
    await refresh(hass, config_entry=entry.entry_id)
    asked = [one.path for one in nomos.requests[before:] if one.kind == "prices"]
    assert sorted(asked) == sorted(
        f"/subscriptions/{one.id}/prices"
        for one in nomos.customers["solar@example.com"].subscriptions
    )


@pytest.mark.parametrize("match", ["subscriptions", "prices"])
@pytest.mark.parametrize(
    ("fault", "key"),
    [
        ({"kind": "status", "status": 503}, "action_unavailable"),
        ({"kind": "status", "status": 403}, "permission_denied"),
        ({"kind": "list"}, "action_unreadable"),
        ({"kind": "rate_limit", "retry_after": 60}, "action_wait"),
    ],
)
async def test_refresh_fails(
    hass: HomeAssistant, nomos, linked, match, fault, key
) -> None:
    """The error is reported, and known prices stay."""
    await linked()
    subscription = nomos.customers[SMART].subscriptions[0]
    known = state_of(hass, subscription.id, "price").state
    nomos.faults.add(match=match, **fault)
    with pytest.raises(HomeAssistantError) as failed:
        await refresh(hass)
    assert not isinstance(failed.value, ServiceValidationError)
    assert failed.value.translation_key == key
    assert state_of(hass, subscription.id, "price").state == known
    nomos.faults.clear()


async def test_refresh_keeps_a_wait(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A refresh by hand does not shorten the wait that Nomos asked for."""
    await linked()
    nomos.faults.add(kind="rate_limit", retry_after=60, match="subscriptions", times=1)
    before = nomos.count()
    for _ in range(5):
        with pytest.raises(HomeAssistantError) as failed:
            await refresh(hass)
        assert failed.value.translation_key == "action_wait"
    assert nomos.count() == before + 1
    await advance(timedelta(minutes=3))
    await refresh(hass)


async def test_refresh_of_a_refused_link(hass: HomeAssistant, nomos, linked) -> None:
    """If access is refused, there is one prompt to link again."""
    await linked()
    nomos.revoke(SMART)
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as failed:
            await refresh(hass)
        assert failed.value.translation_key == "authentication_failed"
        await hass.async_block_till_done()
        assert len(reauth_flows(hass)) == 1
