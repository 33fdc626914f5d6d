"""Tests of the entities of prices: their states at every boundary, and their devices."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from syrupy.assertion import SnapshotAssertion

from custom_components.nomos.const import DOMAIN
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.integration.helpers import entity_id, facts, state_of

QUARTER = timedelta(minutes=15)
ACCOUNTS = ("smart", "solar", "analog", "pending", "many")


def main(nomos, email="smart@example.com"):
    """Return the first contract of a customer."""
    return nomos.customers[email].subscriptions[0]


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.parametrize("account", ACCOUNTS[:-1])
async def test_all_entities(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    linked,
    account,
) -> None:
    """Every entity of every kind of account matches the snapshot."""
    entry = await linked(f"{account}@example.com")
    for one in er.async_entries_for_config_entry(entity_registry, entry.entry_id):
        assert facts(hass, one) == snapshot(name=one.entity_id)


@pytest.mark.parametrize("account", ACCOUNTS)
async def test_devices(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    snapshot: SnapshotAssertion,
    linked,
    account,
) -> None:
    """Every contract is a service device."""
    entry = await linked(f"{account}@example.com")
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    facts = [
        {
            "name": device.name,
            "manufacturer": device.manufacturer,
            "model": device.model,
            "model_id": device.model_id,
            "serial_number": device.serial_number,
            "configuration_url": device.configuration_url,
            "entry_type": device.entry_type,
        }
        for device in devices
    ]
    assert facts == snapshot


async def test_about_a_dozen_by_default(
    entity_registry: er.EntityRegistry, linked
) -> None:
    """The page of a device stays readable; all other entities are disabled by default."""
    entry = await linked()
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    enabled = [one for one in entities if one.disabled_by is None]
    # Usage and cost are added once the meter has readings (test_usage.py).
    assert len(enabled) == 11
    assert len(entities) > len(enabled)


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_price_and_components_follow_the_market(
    hass: HomeAssistant, nomos, linked, advance, freezer
) -> None:
    """At every boundary of a day, the states are the market's, without a request."""
    await linked()
    subscription = main(nomos)
    for _ in range(100):
        now = datetime.now(UTC)
        start = now - (now - datetime.min.replace(tzinfo=UTC)) % QUARTER
        truth = nomos.price(subscription.id, start)
        following = nomos.price(subscription.id, start + QUARTER)
        assert float(state_of(hass, subscription.id, "price").state) == pytest.approx(
            truth.amount / 100
        )
        for part in ("electricity", "grid", "levies"):
            shown = float(state_of(hass, subscription.id, f"{part}_price").state)
            assert shown == pytest.approx(getattr(truth, part) / 100)
        assert float(
            state_of(hass, subscription.id, "next_price").state
        ) == pytest.approx(following.amount / 100)
        # From the middle of the first interval on, to just after each boundary.
        await advance(start + QUARTER - now + timedelta(milliseconds=20))


async def test_writes_only_at_boundaries_and_only_what_changed(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Between boundaries nothing is written, and at a boundary only states with a new value."""
    await linked()
    events = async_capture_events(hass, EVENT_STATE_CHANGED)
    # Writing an unchanged state causes no state change, but still costs the hub time.
    in_vain: list[str] = []
    hass.bus.async_listen(
        EVENT_STATE_REPORTED,
        callback(lambda event: in_vain.append(event.data["entity_id"])),
        event_filter=callback(lambda _: True),
    )
    for _ in range(11):
        await advance(timedelta(minutes=1))
    assert not events
    await advance(timedelta(minutes=1))
    changed = {event.data["entity_id"] for event in events}
    assert entity_id(hass, main(nomos).id, "price") in changed
    assert changed <= {
        entity_id(hass, main(nomos).id, key)
        for key in (
            "price",
            "next_price",
            "electricity_price",
            "grid_price",
            "levies_price",
            "price_level",
        )
    } | {
        entity_id(hass, main(nomos).id, key, Platform.BINARY_SENSOR)
        for key in ("cheap_now", "expensive_now")
    }
    for event in events:
        assert event.data["old_state"].state != event.data["new_state"].state
    assert not in_vain


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_state_class_and_unit(hass: HomeAssistant, nomos, linked) -> None:
    """The Energy dashboard accepts the price: EUR/kWh, a measurement, no device class."""
    await linked()
    attributes = state_of(hass, main(nomos).id, "price").attributes
    assert attributes["unit_of_measurement"] == "EUR/kWh"
    assert attributes["state_class"] == "measurement"
    assert "device_class" not in attributes
    assert "state_class" not in state_of(hass, main(nomos).id, "next_price").attributes


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (datetime(2026, 3, 29, 8, tzinfo=UTC), 92),
        (datetime(2026, 6, 10, 8, tzinfo=UTC), 96),
        (datetime(2026, 10, 25, 8, tzinfo=UTC), 100),
    ],
)
async def test_price_lists(hass: HomeAssistant, nomos, linked, count) -> None:
    """Today's list has every interval of the day; tomorrow's is empty."""
    await linked()
    subscription = main(nomos)
    attributes = state_of(hass, subscription.id, "price").attributes
    today = attributes["prices_today"]
    assert len(today) == count
    assert attributes["prices_tomorrow"] == []
    starts = [datetime.fromisoformat(one["start"]) for one in today]
    assert all(two - one == QUARTER for one, two in pairwise(starts))
    assert today[0]["start"].startswith(
        datetime.now(UTC).date().isoformat() + "T00:00:00+0"
    )
    for one, start in zip(today, starts, strict=True):
        truth = nomos.price(subscription.id, start.astimezone(UTC))
        assert one["price"] == pytest.approx(truth.amount / 100)


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_day_statistics(hass: HomeAssistant, nomos, linked) -> None:
    """Lowest, highest and average price match the list."""
    await linked()
    subscription = main(nomos)
    listed = state_of(hass, subscription.id, "price").attributes["prices_today"]
    lowest = min(listed, key=lambda one: one["price"])
    highest = max(listed, key=lambda one: one["price"])

    def shown(key):
        return state_of(hass, subscription.id, key).state

    assert float(shown("lowest_price_today")) == lowest["price"]
    assert float(shown("highest_price_today")) == highest["price"]
    assert float(shown("average_price_today")) == pytest.approx(
        sum(one["price"] for one in listed) / len(listed)
    )
    for key, one in (("lowest", lowest), ("highest", highest)):
        assert datetime.fromisoformat(
            shown(f"{key}_price_today_time")
        ) == datetime.fromisoformat(one["start"])


async def test_midnight(hass: HomeAssistant, nomos, linked, advance, freezer) -> None:
    """At midnight, tomorrow becomes today at once, without anything missing in between."""
    await linked()
    subscription = main(nomos)
    for _ in range(13):
        await advance(timedelta(hours=1))
    before = state_of(hass, subscription.id, "price").attributes
    assert len(before["prices_tomorrow"]) == 96
    events = async_capture_events(hass, EVENT_STATE_CHANGED)
    requests = len(nomos.requests)
    freezer.move_to(datetime(2026, 6, 10, 21, 59, 59, tzinfo=UTC))
    await advance(timedelta(seconds=1, milliseconds=30))
    after = state_of(hass, subscription.id, "price")
    assert after.attributes["prices_today"] == before["prices_tomorrow"]
    assert after.attributes["prices_tomorrow"] == []
    assert float(after.state) == before["prices_tomorrow"][0]["price"]
    price_events = [
        event
        for event in events
        if event.data["entity_id"] == entity_id(hass, subscription.id, "price")
    ]
    assert len(price_events) >= 1
    assert all(
        event.data["new_state"].state not in {STATE_UNAVAILABLE, STATE_UNKNOWN}
        for event in events
        if event.data["entity_id"].startswith("sensor.")
    )
    assert len(nomos.requests) == requests


async def test_tomorrow(hass: HomeAssistant, nomos, linked, advance) -> None:
    """Tomorrow is unknown until it is complete; half of it does not count."""
    nomos.configure(partial_batch=40, partial_minutes=90)
    await linked()
    subscription = main(nomos)
    flag = (subscription.id, "tomorrow_available", Platform.BINARY_SENSOR)
    assert state_of(hass, *flag).state == "off"
    seen = []
    for _ in range(24):
        await advance(QUARTER)
        listed = state_of(hass, subscription.id, "price").attributes["prices_tomorrow"]
        seen.append(len(listed))
        assert state_of(hass, *flag).state == ("on" if len(listed) == 96 else "off")
    for _ in range(8):
        await advance(QUARTER)
    assert 40 in seen
    assert state_of(hass, *flag).state == "on"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_last_interval_of_a_table(
    hass: HomeAssistant, nomos, linked, advance, freezer
) -> None:
    """Values after the horizon are unknown, not unavailable."""
    nomos.faults.add(
        kind="status",
        status=500,
        match="prices",
        between=(
            datetime(2026, 6, 10, 9, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
    )
    await linked()
    freezer.move_to(datetime(2026, 6, 10, 21, 45, 1, tzinfo=UTC))
    await advance(timedelta(0))
    subscription = main(nomos)
    assert float(state_of(hass, subscription.id, "price").state) is not None
    assert state_of(hass, subscription.id, "next_price").state == STATE_UNKNOWN
    await advance(QUARTER)
    assert state_of(hass, subscription.id, "price").state == STATE_UNAVAILABLE
    assert state_of(hass, subscription.id, "contract_status").state == "active"


async def test_lists_are_not_rebuilt(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """At a boundary, unchanged lists remain the same objects, so comparing states costs nothing."""
    await linked()
    subscription = main(nomos)
    before = state_of(hass, subscription.id, "price").attributes["prices_today"]
    await advance(QUARTER)
    assert state_of(hass, subscription.id, "price").attributes["prices_today"] is before


async def test_payout(hass: HomeAssistant, nomos, linked) -> None:
    """A feed-in contract shows a payout and no grid component, since it has none."""
    await linked("solar@example.com")
    feed_in = next(
        one
        for one in nomos.customers["solar@example.com"].subscriptions
        if one.type == "feed_in"
    )
    now = datetime.now(UTC).replace(minute=0, second=0)
    truth = nomos.price(feed_in.id, now)
    assert float(state_of(hass, feed_in.id, "payout").state) == pytest.approx(
        truth.amount / 100
    )
    registry = er.async_get(hass)
    assert not registry.async_get_entity_id(
        "sensor", DOMAIN, f"{feed_in.id}_grid_price"
    )
    assert not registry.async_get_entity_id("sensor", DOMAIN, f"{feed_in.id}_price")


async def test_hourly_plan(hass: HomeAssistant, nomos, linked, advance) -> None:
    """An hourly price changes every hour, not every quarter."""
    await linked("analog@example.com")
    subscription = main(nomos, "analog@example.com")
    listed = state_of(hass, subscription.id, "price").attributes["prices_today"]
    assert len(listed) == 24
    price = state_of(hass, subscription.id, "price").state
    for _ in range(3):
        await advance(QUARTER)
        assert state_of(hass, subscription.id, "price").state == price
    await advance(QUARTER)
    truth = nomos.price(subscription.id, datetime(2026, 6, 10, 9, tzinfo=UTC))
    assert float(state_of(hass, subscription.id, "price").state) == pytest.approx(
        truth.amount / 100
    )


async def test_negative_prices_are_prices(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """A correction to a negative price is shown."""
    entry = await linked()
    subscription = main(nomos)
    nomos.correct_price(subscription.id, datetime(2026, 6, 10, 8, tzinfo=UTC), -12.34)
    await next(iter(entry.runtime_data.prices.values())).async_refresh()
    await hass.async_block_till_done()
    assert float(state_of(hass, subscription.id, "price").state) == -0.1234
    assert float(state_of(hass, subscription.id, "lowest_price_today").state) == -0.1234
