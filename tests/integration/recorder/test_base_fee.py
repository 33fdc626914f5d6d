"""The base fee of a plan, as it changes."""

from dataclasses import replace
from datetime import date

import pytest

from homeassistant.core import HomeAssistant
from simulator.berlin import local_date
from tests.integration.conftest import count, restart, state_of
from tests.integration.statistics import true_fees, written

from .usage_life import begin, pass_time


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_the_fee_changes(hass: HomeAssistant, nomos, linked, advance) -> None:
    """It is noticed within a month; days that were booked keep their fee."""
    first = date(2026, 6, 1)
    subscription = begin(nomos, first)
    entry = await linked()
    plan = nomos.world.plans[subscription.plan]
    await pass_time(nomos, entry, advance, date(2026, 6, 12))
    nomos.world.plans[plan.id] = replace(plan, price=20.99)
    await restart(hass, entry)
    await pass_time(nomos, entry, advance, date(2026, 7, 10))
    assert count(nomos, "plans") == 1
    assert state_of(hass, subscription.id, "base_fee").state == str(plan.price)
    await pass_time(nomos, entry, advance, date(2026, 7, 14))
    assert count(nomos, "plans") == 2
    assert state_of(hass, subscription.id, "base_fee").state == "20.99"
    fees = {
        local_date(start): fee
        for start, fee, _ in await written(hass, subscription.id, "base_fee")
    }
    change = date(2026, 7, 12)
    for price, begins, ends in (
        (plan.price, first, change),
        (20.99, change, date(2026, 7, 13)),
    ):
        for start, fee in true_fees(price, begins, ends).items():
            assert fees.pop(local_date(start)) == pytest.approx(float(fee))
    assert not fees


async def test_a_refusal_keeps_what_is_known(
    hass: HomeAssistant, nomos, linked, subscription
) -> None:
    """A plan that was told before is asked for a month later again, whatever became of it."""
    entry = await linked()
    account = entry.runtime_data.account
    nomos.faults.add("status", "plans", status=403)
    for number, day in enumerate((date(2026, 7, 20), date(2026, 8, 25)), 2):
        await account._plans.async_learn(account.data.values(), day)
        assert count(nomos, "plans") == number
        assert account.plan_of(account.data[subscription.id]).base_fee == 10.99
