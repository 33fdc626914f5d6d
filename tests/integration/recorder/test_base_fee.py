"""Tests of a base fee that changes."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest

from homeassistant.core import HomeAssistant
from simulator.berlin import local_date
from tests.integration.helpers import count, restart, state_of
from tests.integration.recorder.expected import assert_same, true_fees, written_rows
from tests.integration.recorder.helpers import clear, pass_time, set_start

FIRST, CHANGE = date(2026, 6, 1), date(2026, 7, 1)


async def assert_fees(hass: HomeAssistant, subscription, *parts) -> None:
    """Assert the booked fees: each monthly fee between two days."""
    truth: dict[datetime, Fraction] = {}
    for monthly, begins, ends in parts:
        truth |= true_fees(monthly, begins, ends)
    assert_same(await written_rows(hass, subscription.id, "base_fee"), truth)


@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_the_fee_changes(
    hass: HomeAssistant, nomos, linked, advance, failing
) -> None:
    """It is booked from its month on, even if it becomes known days later; other months keep their fee."""
    subscription = set_start(nomos, FIRST)
    entry = await linked()
    plan = nomos.world.plans[subscription.plan]
    await pass_time(nomos, entry, advance, date(2026, 6, 29))
    await restart(hass, entry)
    await pass_time(nomos, entry, advance, CHANGE)
    assert count(nomos, "plans") == 1
    nomos.world.plans[plan.id] = replace(plan, price=20.99)
    if failing:
        nomos.faults.add("status", "plans", status=503, times=2)
    start = len(nomos.requests)
    await pass_time(nomos, entry, advance, date(2026, 7, 2))
    await assert_fees(hass, subscription, (plan.price, FIRST, CHANGE))
    await pass_time(nomos, entry, advance, date(2026, 7, 3))
    if failing:
        await assert_fees(hass, subscription, (plan.price, FIRST, date(2026, 7, 2)))
        await restart(hass, entry)
    await pass_time(nomos, entry, advance, date(2026, 7, 5))
    assert state_of(hass, subscription.id, "base_fee").state == "20.99"
    new = (20.99, CHANGE, date(2026, 7, 4))
    await assert_fees(hass, subscription, (plan.price, FIRST, CHANGE), new)
    assert count(nomos, "plans") == (4 if failing else 2)
    days = Counter(local_date(one.time) for one in nomos.requests[start:])
    assert max(days.values()) <= 8

    # Rebuilt statistics have each month's own fee.
    names = ("usage", "cost", "base_fee", "total_cost")
    await clear(hass, *(f"nomos:{subscription.id}_{name}" for name in names))
    await pass_time(nomos, entry, advance, date(2026, 7, 6))
    new = (20.99, CHANGE, date(2026, 7, 5))
    await assert_fees(hass, subscription, (plan.price, FIRST, CHANGE), new)
    both = {
        hour: value
        for hour, value, _ in await written_rows(hass, subscription.id, "cost")
    }
    for hour, value, _ in await written_rows(hass, subscription.id, "base_fee"):
        both[hour] = both.get(hour, 0.0) + value
    for hour, value, _ in await written_rows(hass, subscription.id, "total_cost"):
        assert value == pytest.approx(both.pop(hour), abs=1e-6)
    assert not both


async def test_plans_that_are_not_offered(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """A refused plan is requested once a month."""
    set_start(nomos, FIRST)
    nomos.faults.add("status", "plans", status=403)
    entry = await linked()
    await pass_time(nomos, entry, advance, date(2026, 6, 15))
    assert count(nomos, "plans") == 1
    await pass_time(nomos, entry, advance, date(2026, 7, 3))
    assert count(nomos, "plans") == 2


async def test_no_fee_for_a_future_day(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """If the clock was ahead, no fee is booked for days in the future."""
    first = date(2026, 6, 1)
    subscription = set_start(nomos, first)
    entry = await linked()
    await pass_time(nomos, entry, advance, date(2026, 6, 12))
    ahead = timedelta(days=40)
    nomos.clock.advance(-ahead)
    await advance(ahead)
    await entry.runtime_data.usage[subscription.id].async_refresh()
    booked = [
        start for start, *_ in await written_rows(hass, subscription.id, "base_fee")
    ]
    assert local_date(max(booked)) <= date(2026, 6, 13)


async def test_a_refusal_keeps_what_is_known(
    hass: HomeAssistant, nomos, linked, subscription
) -> None:
    """A plan that was known before is requested again a month later, even after a refusal."""
    entry = await linked()
    account = entry.runtime_data.account
    nomos.faults.add("status", "plans", status=403)
    for number, day in enumerate((date(2026, 7, 20), date(2026, 8, 25)), 2):
        await account.tariffs.async_update(account.data.values(), day)
        assert count(nomos, "plans") == number
        assert account.tariff_of(account.data[subscription.id]).base_fee == 10.99
