"""Tests of the sensors of usage and cost, and of the requests for them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from simulator.berlin import local_date, midnight
from tests.integration.helpers import (
    count,
    entity_id,
    facts,
    restart,
    state_of,
    unnamed_attributes,
)
from tests.integration.usage.helpers import (
    ANALOG,
    DAY,
    MINUTE,
    SMART,
    contract,
    has_entity,
    true_day,
)

HOUR = timedelta(hours=1)

EVENING = datetime(2026, 6, 10, 16, 3, 7, tzinfo=UTC)
"""18:03 in Germany: yesterday's readings are available."""


@pytest.fixture
def usage_known() -> bool:
    """Begin with a new account."""
    return False


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_latest_day(hass: HomeAssistant, nomos, linked, advance) -> None:
    """Yesterday's usage and cost match meter and market, as do the values derived from them."""
    nomos.configure(usage_gaps=False)
    subscription = contract(nomos)
    await linked()
    await advance(2 * MINUTE)
    yesterday = date(2026, 6, 9)
    kwh, cost = true_day(nomos, subscription, yesterday)
    usage = state_of(hass, subscription.id, "usage_latest_day")
    assert float(usage.state) == pytest.approx(kwh)
    assert usage.attributes["date"] == "2026-06-09"
    assert usage.attributes["missing_intervals"] == 0
    assert usage.attributes["device_class"] == "energy"
    assert "state_class" not in usage.attributes
    shown = state_of(hass, subscription.id, "cost_latest_day")
    assert float(shown.state) == pytest.approx(cost)
    assert shown.attributes["unit_of_measurement"] == "EUR"
    paid = state_of(hass, subscription.id, "average_paid_latest_day")
    assert float(paid.state) == pytest.approx(cost / kwh, abs=1e-6)

    to = state_of(hass, subscription.id, "metered_to")
    assert datetime.fromisoformat(to.state) == midnight(date(2026, 6, 10))


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_this_month(hass: HomeAssistant, nomos, linked, advance) -> None:
    """The sums of this month are those of its days, and start again with the next month."""
    subscription = contract(nomos)
    await linked()
    await advance(2 * MINUTE)
    sums = [true_day(nomos, subscription, date(2026, 6, day)) for day in range(1, 10)]
    kwh, cost = (sum(values) for values in zip(*sums, strict=True))
    assert float(
        state_of(hass, subscription.id, "usage_this_month").state
    ) == pytest.approx(kwh)
    month = state_of(hass, subscription.id, "cost_this_month")
    assert float(month.state) == pytest.approx(cost)
    assert month.attributes["date"] == "2026-06-09"
    assert float(
        state_of(hass, subscription.id, "average_paid_this_month").state
    ) == pytest.approx(cost / kwh, abs=1e-6)
    while local_date(nomos.clock.now()) < date(2026, 7, 1):
        await advance(timedelta(hours=6))
    assert state_of(hass, subscription.id, "cost_this_month").state == "unknown"
    assert state_of(hass, subscription.id, "cost_latest_day").attributes["date"] == (
        "2026-06-29"
    )


@pytest.mark.parametrize("now", [EVENING])
async def test_restart_sends_no_request(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """After a restart, the sums are there at once, without a request."""
    subscription = contract(nomos)
    entry = await linked()
    await advance(2 * MINUTE)
    before = state_of(hass, subscription.id, "cost_latest_day").state
    asked = count(nomos, "usage")
    await restart(hass, entry)
    assert state_of(hass, subscription.id, "cost_latest_day").state == before
    await advance(10 * MINUTE)
    assert count(nomos, "usage") == asked


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_feed_in(hass: HomeAssistant, nomos, linked, advance) -> None:
    """Feed-in and its payment have their own sensors; the best price is the highest."""
    nomos.configure(usage_gaps=False)
    consumption, feed_in = sorted(
        nomos.customers["solar@example.com"].subscriptions, key=lambda one: one.type
    )
    await linked("solar@example.com")
    await advance(2 * MINUTE)
    day = date(2026, 6, 8)
    kwh, earned = true_day(nomos, feed_in, day)
    state = state_of(hass, feed_in.id, "returned_latest_day")
    assert state.attributes["date"] == day.isoformat()
    assert float(state.state) == pytest.approx(kwh)
    assert float(
        state_of(hass, feed_in.id, "compensation_latest_day").state
    ) == pytest.approx(earned)
    assert not has_entity(hass, feed_in, "usage_latest_day")
    assert not has_entity(hass, feed_in, "grid_fee_reduction")
    assert not has_entity(hass, consumption, "returned_latest_day")


@pytest.mark.parametrize("refusal", ["forbidden", "not_found"])
async def test_usage_is_refused(
    hass: HomeAssistant, nomos, linked, advance, refusal, caplog
) -> None:
    """A refused request is logged once and not sent again, even after a restart."""
    nomos.configure(
        access={"usage": refusal, "grid_fee_reductions": refusal, "invoices": refusal}
    )
    subscription = contract(nomos)
    entry = await linked()
    for _ in range(5):
        await advance(DAY / 2)
    await restart(hass, entry)
    for _ in range(5):
        await advance(DAY / 2)
    assert count(nomos, "usage") == 1
    assert count(nomos, "grid_fee_reductions") == 1
    assert count(nomos, "invoices") == 0
    assert caplog.text.count("Nomos does not offer usage for this contract") == 1
    assert not has_entity(hass, subscription, "usage_latest_day")
    nomos.configure(access={})
    for _ in range(62):
        await advance(DAY / 2)
    assert has_entity(hass, subscription, "usage_latest_day")


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_invoice(hass: HomeAssistant, nomos, linked, advance) -> None:
    """The latest invoice is shown, without its number."""
    subscription = nomos.customers[SMART].subscriptions[0]
    await linked()
    for _ in range(3):
        await advance(DAY / 2)
    issued = [
        one
        for one in nomos.billing.invoices(subscription, nomos.clock.now())
        if one["issued_at"]
    ]
    last = max(issued, key=lambda one: one["issued_at"])
    state = state_of(hass, subscription.id, "latest_invoice")
    assert float(state.state) == pytest.approx(last["total"])
    assert state.attributes["status"] == last["status"]
    assert state.attributes["type"] == last["type"]
    for edge in ("period_start", "period_end"):
        day = local_date(datetime.fromisoformat(last[edge]))
        assert state.attributes[edge] == day.isoformat()
    assert last["invoice_number"] not in str(state.as_dict())


async def test_no_request_for_invoices(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """As long as the sensors of invoices are disabled, invoices are not requested."""
    await linked()
    for _ in range(6):
        await advance(DAY / 2)
    assert count(nomos, "invoices") == 0


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_grid_fee_reduction(hass: HomeAssistant, nomos, linked, advance) -> None:
    """The current module of § 14a is shown; it is requested once a month."""
    subscription = contract(nomos)
    await linked()
    await advance(2 * MINUTE)
    state = state_of(hass, subscription.id, "grid_fee_reduction")
    assert state.state == "module_3"
    assert [one["status"] for one in state.attributes["reductions"]] == ["activated"]
    for _ in range(20):
        await advance(DAY / 2)
    assert count(nomos, "grid_fee_reductions") == 1


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_contract_facts(hass: HomeAssistant, nomos, linked) -> None:
    """Number, plan and base fee of the contract have sensors."""
    subscription = nomos.customers[SMART].subscriptions[0]
    await linked()
    assert state_of(hass, subscription.id, "contract_number").state == (
        subscription.number
    )
    assert state_of(hass, subscription.id, "plan").state == "Simulated Dynamic"
    assert state_of(hass, subscription.id, "base_fee").state == "10.99"


@pytest.mark.parametrize("now", [EVENING])
async def test_failures_change_nothing(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """While requests for usage fail, known values stay, and requests are repeated with growing gaps."""
    subscription = contract(nomos)
    await linked()
    await advance(2 * MINUTE)
    before = state_of(hass, subscription.id, "cost_latest_day")
    nomos.faults.add("status", match="usage", status=503)
    asked = count(nomos, "usage")
    for _ in range(96):
        await advance(15 * MINUTE)
    assert state_of(hass, subscription.id, "cost_latest_day") == before
    assert 1 <= count(nomos, "usage") - asked <= 8
    nomos.faults.clear()
    for _ in range(24):
        await advance(15 * MINUTE)
    assert state_of(hass, subscription.id, "cost_latest_day").attributes["date"] == (
        "2026-06-10"
    )


async def test_default_sensors_are_few(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """A contract has about a dozen enabled entities by default, besides the diagnostic ones."""
    subscription = contract(nomos)
    entry = await linked()
    await advance(2 * MINUTE)
    enabled = [
        one
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if one.disabled_by is None
    ]
    shown = [one for one in enabled if one.entity_category is None]
    assert len(shown) == 12
    assert len(enabled) == 15
    assert entity_id(hass, subscription.id, "price")


async def test_ended_contract(hass: HomeAssistant, nomos, linked, advance) -> None:
    """Usage of an ended contract is requested until its last month is settled, and known values stay."""
    nomos.configure(usage_gaps=False)
    subscription = contract(nomos)
    nomos.set_subscription(subscription.id, end_at=midnight(date(2026, 6, 13)))
    await linked()
    for _ in range(8):
        await advance(DAY / 2)
    last_day = state_of(hass, subscription.id, "cost_latest_day")
    assert last_day.attributes["date"] == "2026-06-12"
    assert float(last_day.state) == pytest.approx(
        true_day(nomos, subscription, date(2026, 6, 12))[1]
    )
    asked = count(nomos, "usage")
    for _ in range(64):
        await advance(DAY / 2)
    while local_date(nomos.clock.now()) < date(2026, 7, 22):
        await advance(DAY / 2)
    # One request a day until mid-July; two if a sync reaches back into May.
    assert count(nomos, "usage") - asked <= 36
    settled = count(nomos, "usage")
    for _ in range(20):
        await advance(DAY / 2)
    assert count(nomos, "usage") == settled
    assert float(
        state_of(hass, subscription.id, "cost_latest_day").state
    ) == pytest.approx(true_day(nomos, subscription, date(2026, 6, 12))[1], rel=0.2)


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("email", [SMART, "solar@example.com", ANALOG])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_usage_entities(
    hass: HomeAssistant, nomos, linked, advance, snapshot, email
) -> None:
    """The sensors of usage match the snapshot."""
    for one in nomos.customers[email].subscriptions:
        nomos.set_subscription(one.id, start_at=midnight(date(2026, 5, 25)))
    entry = await linked(email)
    before = set(hass.states.async_entity_ids())
    await advance(DAY)
    await advance(MINUTE)
    for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if one.entity_id not in before:
            assert facts(hass, one) == snapshot(name=one.entity_id)
    assert not unnamed_attributes(hass, entry)


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_refused_prices_do_not_delay_usage(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """A day whose prices were never published still has usage, and its prices are rarely requested."""
    nomos.configure(unpublished="error_400", usage_gaps=False)
    nomos.publish_at(date(2026, 6, 11), "never")
    subscription = contract(nomos)
    await linked()
    await advance(2 * MINUTE)
    for _ in range(48):
        await advance(HOUR / 2)
    await advance(HOUR / 2)
    asked = count(nomos, "usage")
    for _ in range(48):
        await advance(HOUR / 2)
    usage = state_of(hass, subscription.id, "usage_latest_day")
    assert usage.attributes["date"] == "2026-06-11"
    assert float(usage.state) > 0
    cost = state_of(hass, subscription.id, "cost_latest_day")
    assert cost.state == "unknown"
    assert cost.attributes["unpriced_kwh"] == pytest.approx(float(usage.state))
    assert "unpriced_kwh" not in usage.attributes
    month = state_of(hass, subscription.id, "cost_this_month")
    assert month.attributes["unpriced_kwh"] == cost.attributes["unpriced_kwh"]
    assert count(nomos, "usage") - asked == 1


@pytest.mark.parametrize("now", [EVENING])
async def test_month_is_too_long_for_a_request(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """If Nomos refuses the prices of a month, they are requested by week."""
    nomos.configure(max_price_days=8)
    subscription = contract(nomos)
    await linked()
    await advance(2 * MINUTE)
    cost = sum(
        true_day(nomos, subscription, date(2026, 6, day))[1] for day in range(1, 10)
    )
    month = state_of(hass, subscription.id, "cost_this_month")
    assert float(month.state) == pytest.approx(cost)
