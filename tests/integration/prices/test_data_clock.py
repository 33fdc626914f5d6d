"""Tests of when requests are sent: at boundaries, at midnight, after a refusal, without polling."""

from datetime import UTC, datetime, timedelta
from itertools import count as numbers
from typing import Any

import pytest

from custom_components.nomos.schedule import installation_phase
from homeassistant.core import HomeAssistant
from simulator import Simulator
from tests.integration.helpers import EMAIL, Advance, assert_right, state_of

QUARTER = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def instance(hass_storage: dict[str, Any], nomos: Simulator) -> None:
    """Give the hub a phase that puts its first request just after a quarter-hour."""
    customer = nomos.customers[EMAIL].id
    uuid = next(
        text
        for text in map(str, numbers())
        if 0.51 < installation_phase(text, customer) < 0.55
    )
    hass_storage["core.uuid"] = {"version": 1, "data": {"uuid": uuid}}


def into_quarter(now: datetime) -> timedelta:
    """Return how much of the quarter-hour has passed at an instant."""
    return (now - datetime(2026, 1, 1, tzinfo=UTC)) % QUARTER


async def test_no_request_at_a_boundary(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """A boundary does not bring forward a request that is scheduled for a minute later."""
    entry = await linked()
    runtime = entry.runtime_data
    clocks = (
        runtime.account,
        runtime.prices[subscription.id],
        runtime.usage[subscription.id],
    )
    end = datetime.now(UTC) + timedelta(days=1)
    near, begin = 0, len(nomos.requests)
    while (now := datetime.now(UTC)) < end:
        boundary = now + QUARTER - into_quarter(now)
        planned = [
            one.next_request + timedelta(seconds=2)
            for one in clocks
            if one.next_request > now
        ]
        stop = min(boundary, *planned)
        before = len(nomos.requests)
        await advance(stop - now)
        if stop == boundary:
            assert len(nomos.requests) == before, stop
            near += any(
                timedelta() < one.next_request - stop < timedelta(minutes=2)
                for one in clocks
            )
    assert near
    assert len(nomos.requests) > begin


@pytest.mark.parametrize("status", [404, 400])
async def test_refused_tomorrow_costs_one_request(
    hass: HomeAssistant, nomos, linked, subscription, status
) -> None:
    """Today is requested alone only if it is not known."""
    nomos.faults.add(kind="status", match="prices", status=status, times=1)
    entry = await linked()
    assert nomos.count("prices") == 2
    assert_right(hass, nomos, subscription)
    coordinator = entry.runtime_data.prices[subscription.id]
    nomos.faults.add(kind="status", match="prices", status=status)
    await coordinator.async_refresh()
    assert coordinator.last_error is not None
    assert nomos.count("prices") == 3
    assert_right(hass, nomos, subscription)


async def test_day_turns_at_midnight_without_a_price(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """From midnight on, today's list is that of the new day, even if no interval begins then."""
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    nomos.configure(
        missing=[(midnight - timedelta(minutes=30), midnight + timedelta(hours=1))]
    )
    await linked()
    while datetime.now(UTC) < midnight - timedelta(minutes=10):
        await advance(timedelta(minutes=5))

    def first():
        listed = state_of(hass, subscription.id, "price").attributes["prices_today"]
        return listed[0]["start"]

    # The new day does not start with a response of Nomos.
    nomos.faults.add(kind="reset")
    await advance(midnight - datetime.now(UTC) - timedelta(seconds=1))
    assert first() == "2026-06-10T00:00:00+02:00"
    await advance(timedelta(seconds=1))
    assert first() == "2026-06-11T01:00:00+02:00"


async def test_polling_switched_off(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Without polling, prices still change at boundaries, and no missed request is sent."""
    entry = await linked()
    hass.config_entries.async_update_entry(entry, pref_disable_polling=True)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    requests = len(nomos.requests)
    for _ in range(48):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)
    runtime = entry.runtime_data
    for clock in (
        runtime.account,
        runtime.prices[subscription.id],
        runtime.usage[subscription.id],
    ):
        assert clock.next_request < datetime.now(UTC)
    assert len(nomos.requests) == requests
