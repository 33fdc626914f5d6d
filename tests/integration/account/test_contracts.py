"""Tests of the contracts of an account: they appear, begin, end and disappear."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from tests.integration.helpers import (
    EMAIL,
    HOUR,
    Advance,
    assert_right,
    count,
    device_ids,
    state_of,
)


async def test_plans_may_be_closed_to_customers(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The refusal is remembered, and plans are not requested again."""
    nomos.configure(access={"plans": "forbidden"})
    entry = await linked()
    assert entry.state is ConfigEntryState.LOADED
    for _ in range(3):
        await advance(24 * HOUR)
    assert count(nomos, "plans") == 1


async def test_plan_that_fails_is_read_later(
    hass: HomeAssistant, nomos, linked
) -> None:
    """After a temporary failure, the name of the plan is read later."""
    nomos.faults.add(kind="status", status=500, match="plans", times=1)
    entry = await linked()
    assert not entry.runtime_data.account.tariffs.known
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.tariffs.known


async def test_subscription_appears(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A new contract gets its device and prices with the next daily list, without a restart."""
    entry = await linked()
    new = nomos.add_subscription(EMAIL, type="feed_in")
    await advance(24 * HOUR)
    assert device_ids(hass, entry) == {
        one.id for one in nomos.customers[EMAIL].subscriptions
    }
    truth = nomos.price(new.id, datetime.now(UTC))
    assert float(state_of(hass, new.id, "payout").state) == pytest.approx(
        truth.amount / 100
    )


async def test_two_contracts_of_a_kind_have_numbers_in_names(
    hass: HomeAssistant, nomos, linked
) -> None:
    """Names that would be equal get numbers; entity ids stay."""
    entry = await linked()
    first = nomos.customers[EMAIL].subscriptions[0]
    before = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{first.id}_price"
    )
    nomos.add_subscription(EMAIL)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    names = {
        device.name
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }
    assert names == {
        f"Nomos {one.number}" for one in nomos.customers[EMAIL].subscriptions
    }
    assert before == er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{first.id}_price"
    )


async def test_names_tell_accounts_apart(hass: HomeAssistant, nomos, linked) -> None:
    """As soon as there are two accounts, their devices have the numbers of the contracts in their names."""
    registry = dr.async_get(hass)

    def names(entry):
        devices = dr.async_entries_for_config_entry(registry, entry.entry_id)
        return {device.name for device in devices}

    first = await linked()
    assert names(first) == {"Nomos"}
    second = await linked("pending@example.com")
    await first.runtime_data.account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    numbers = [
        nomos.customers[email].subscriptions[0].number
        for email in (EMAIL, "pending@example.com")
    ]
    assert [names(one) for one in (first, second)] == [
        {f"Nomos {number}"} for number in numbers
    ]


async def test_subscription_vanishes(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A contract that is missing for a day loses its device, and its prices are no longer requested."""
    entry = await linked("solar@example.com")
    feed_in = next(
        one
        for one in nomos.customers["solar@example.com"].subscriptions
        if one.type == "feed_in"
    )
    assert feed_in.id in device_ids(hass, entry)
    nomos.remove_subscription(feed_in.id)
    for _ in range(2):
        await entry.runtime_data.account.async_refresh()
        assert feed_in.id in device_ids(hass, entry)
    await advance(24 * HOUR)
    assert feed_in.id not in device_ids(hass, entry)
    requests = len(nomos.requests)
    await advance(24 * HOUR)
    assert not [one for one in nomos.requests[requests:] if feed_in.id in one.path]
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("kept", [0, 1])
async def test_list_that_is_short_once(
    hass: HomeAssistant, nomos, linked, advance: Advance, files, kept
) -> None:
    """If a single list lacks contracts, their devices, entities, prices and files stay."""
    entry = await linked("solar@example.com")
    before, stored = device_ids(hass, entry), set(files())
    states = {state.entity_id for state in hass.states.async_all()}
    nomos.faults.add(
        kind="mutate",
        match="subscriptions",
        times=1,
        change=lambda data: {**data, "items": data["items"][:kept]},
    )
    asked = count(nomos, "subscriptions")
    for _ in range(2 * 96):
        await advance(timedelta(minutes=15))
        assert device_ids(hass, entry) == before
        for one in nomos.customers["solar@example.com"].subscriptions:
            key = "payout" if one.type == "feed_in" else "price"
            truth = nomos.price(one.id, datetime.now(UTC))
            shown = state_of(hass, one.id, key).state
            assert float(shown) == pytest.approx(truth.amount / 100)
    assert count(nomos, "subscriptions") == asked + 2
    assert {state.entity_id for state in hass.states.async_all()} >= states
    assert set(files()) >= stored


async def test_nothing_listed_at_first(hass: HomeAssistant, nomos, linked) -> None:
    """If the first list is empty, setup is tried again."""
    nomos.faults.add(
        kind="set_fields", values={"items": []}, match="subscriptions", times=1
    )
    entry = await linked()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "no_subscription"
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert device_ids(hass, entry)


async def test_late_plan_shows(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A plan that is read later becomes the device's model."""
    nomos.faults.add(kind="status", status=500, match="plans", times=1)
    entry = await linked()
    registry = dr.async_get(hass)
    [device] = dr.async_entries_for_config_entry(registry, entry.entry_id)
    assert device.model is None
    await advance(24 * HOUR)
    [device] = dr.async_entries_for_config_entry(registry, entry.entry_id)
    assert device.model == "Simulated Dynamic"


async def test_unknown_status(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A contract that becomes active after an unknown status has prices as soon as possible."""
    entry = await linked("pending@example.com")
    subscription = nomos.customers["pending@example.com"].subscriptions[0]
    fault = nomos.faults.add(
        kind="mutate",
        match="subscriptions",
        change=lambda data: {
            **data,
            "items": [{**one, "status": "activating"} for one in data["items"]],
        },
    )
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    fault.times = 0
    nomos.set_subscription(
        subscription.id, status="active", start_at=datetime.now(UTC) - HOUR
    )
    await entry.runtime_data.account.async_refresh()
    for _ in range(12):
        await advance(timedelta(minutes=15))
    assert_right(hass, nomos, subscription)


@pytest.mark.parametrize("reported", [True, False])
async def test_last_day_of_a_contract(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, caplog, reported
) -> None:
    """Prices end with the contract; there are no more requests than on other days, and no issue.

    Nomos may report the end at once or later.
    """
    entry = await linked()
    end = datetime(2026, 6, 11, 22, tzinfo=UTC)
    nomos.set_subscription(subscription.id, end_at=end)
    await entry.runtime_data.account.async_refresh()
    if not reported:
        nomos.faults.add(
            kind="mutate",
            match="subscriptions",
            change=lambda data: {
                **data,
                "items": [{**one, "status": "active"} for one in data["items"]],
            },
        )
    while datetime.now(UTC) < end - 24 * HOUR:
        await advance(timedelta(minutes=15))
    requests = len(nomos.requests)
    while datetime.now(UTC) < end - HOUR / 2:
        await advance(timedelta(minutes=5))
        assert_right(hass, nomos, subscription)
    assert len(nomos.requests) - requests <= 8
    prices = count(nomos, "prices")
    for _ in range(36):
        await advance(timedelta(minutes=5))
    assert count(nomos, "prices") == prices
    assert state_of(hass, subscription.id, "price").state == STATE_UNAVAILABLE
    assert not [
        one
        for one in caplog.records
        if one.levelname in {"WARNING", "ERROR"} and "nomos" in one.name
    ]
    shown = {issue.translation_key for issue in ir.async_get(hass).issues.values()}
    assert shown == ({"contract_ended"} if reported else set())


async def test_subscription_that_vanished_while_off(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The device of a contract that is gone is removed a day after the start."""
    entry = await linked("solar@example.com")
    gone = nomos.customers["solar@example.com"].subscriptions[0]
    await hass.config_entries.async_unload(entry.entry_id)
    nomos.remove_subscription(gone.id)
    await hass.config_entries.async_setup(entry.entry_id)
    for _ in range(2):
        await advance(24 * HOUR)
    assert gone.id not in device_ids(hass, entry)


async def test_contract_ends(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """An ended contract is removed if there is another one; the last one stays with an issue."""
    entry = await linked("solar@example.com")
    feed_in, consumption = sorted(
        nomos.customers["solar@example.com"].subscriptions,
        key=lambda one: one.type,
        reverse=True,
    )
    nomos.set_subscription(feed_in.id, status="ended", end_at=datetime.now(UTC))
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    assert device_ids(hass, entry) == {consumption.id}
    nomos.set_subscription(
        consumption.id, status="ended", end_at=datetime.now(UTC) + HOUR
    )
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    assert device_ids(hass, entry) == {consumption.id}
    assert state_of(hass, consumption.id, "contract_status").state == "ended"
    requests = count(nomos, "prices")
    await advance(24 * HOUR)
    await advance(HOUR)
    # At most one request each, for the prices of the last metered days.
    assert count(nomos, "prices") <= requests + 2
    asked = count(nomos, "prices")
    await advance(24 * HOUR)
    await advance(HOUR)
    assert count(nomos, "prices") == asked
    assert state_of(hass, consumption.id, "price").state == STATE_UNAVAILABLE


async def test_request_together_with_a_boundary(
    hass: HomeAssistant, nomos, linked, freezer
) -> None:
    """A request without new data at the end of an interval does not prevent the change of the price."""
    entry = await linked()
    subscription = nomos.customers[EMAIL].subscriptions[0]
    nomos.set_subscription(
        subscription.id, status="ended", end_at=datetime.now(UTC) + HOUR
    )
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    freezer.tick(timedelta(minutes=15))
    # Without a request for an ended contract, the refresh is over before the loop runs the tick that is due.
    await entry.runtime_data.prices[subscription.id].async_refresh()
    truth = nomos.price(subscription.id, datetime.now(UTC))
    shown = state_of(hass, subscription.id, "price").state
    assert float(shown) == pytest.approx(truth.amount / 100)


async def test_supply_begins(
    hass: HomeAssistant, nomos, linked, advance: Advance, freezer
) -> None:
    """A pending contract shows its prices within an hour after supply begins, without a restart."""
    entry = await linked("pending@example.com")
    subscription = nomos.customers["pending@example.com"].subscriptions[0]
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, subscription.id, "contract_status").state == "pending"
    assert count(nomos, "prices") == 0
    # Nothing is wrong, so a dashboard shows no warnings.
    mine = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    shown = [hass.states.get(one.entity_id) for one in mine if not one.disabled_by]
    assert shown
    assert STATE_UNAVAILABLE not in {state.state for state in shown}
    assert state_of(hass, subscription.id, "price").state == STATE_UNKNOWN
    starts = state_of(hass, subscription.id, "contract_start").state
    assert datetime.fromisoformat(starts) == subscription.start_at
    while (left := subscription.start_at - HOUR - datetime.now(UTC)) > timedelta():
        await advance(min(left, 12 * HOUR))
    for _ in range(8):
        await advance(timedelta(minutes=15))
    assert state_of(hass, subscription.id, "contract_status").state == "active"
    truth = nomos.price(subscription.id, datetime.now(UTC))
    assert float(state_of(hass, subscription.id, "price").state) == pytest.approx(
        truth.amount / 100
    )


@pytest.mark.parametrize("status", [402, 403, 404, 500])
async def test_one_subscription_fails(
    hass: HomeAssistant, nomos, linked, status
) -> None:
    """The other contracts are not affected."""
    feed_in, consumption = sorted(
        nomos.customers["solar@example.com"].subscriptions,
        key=lambda one: one.type,
        reverse=True,
    )
    nomos.faults.add(
        kind="status", status=status, match=f"/subscriptions/{feed_in.id}/prices"
    )
    entry = await linked("solar@example.com")
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, feed_in.id, "payout").state == STATE_UNAVAILABLE
    assert state_of(hass, consumption.id, "price").state != STATE_UNAVAILABLE


async def test_thirteen_subscriptions(hass: HomeAssistant, nomos, linked) -> None:
    """All pages of the list are read."""
    entry = await linked("many@example.com")
    subscriptions = nomos.customers["many@example.com"].subscriptions
    assert len(subscriptions) == len(entry.runtime_data.account.data) == 13
    assert device_ids(hass, entry) == {
        one.id for one in subscriptions if one.status(datetime.now(UTC)) != "ended"
    }


async def test_subscriptions_are_requested_once_a_day(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """After a failure, they are requested again soon."""
    await linked()
    for _ in range(96):
        await advance(timedelta(minutes=15))
    assert count(nomos, "subscriptions") == 2
    nomos.faults.add(kind="status", status=500, match="subscriptions", times=1)
    for _ in range(96):
        await advance(timedelta(minutes=15))
    assert count(nomos, "subscriptions") == 4
