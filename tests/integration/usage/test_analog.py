"""Tests of an analog meter, which has monthly values."""

from datetime import date

import pytest

from homeassistant.core import HomeAssistant
from simulator.berlin import midnight
from tests.integration.helpers import count, state_of
from tests.integration.usage.helpers import ANALOG, DAY, MINUTE, has_entity


@pytest.fixture
def usage_known() -> bool:
    """Begin with a new account."""
    return False


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_analog_meter(hass: HomeAssistant, nomos, linked, advance) -> None:
    """An analog meter's months are shown as months, without invented days or hours."""
    subscription = nomos.customers[ANALOG].subscriptions[0]
    await linked(ANALOG)
    await advance(2 * MINUTE)
    state = state_of(hass, subscription.id, "usage_latest_month")
    assert state.attributes["month"] == "2026-05"
    assert state.attributes["final"] is False
    months = state.attributes["months"]
    assert float(state.state) == pytest.approx(months["2026-05"])
    assert months["2026-02"] == pytest.approx(
        nomos.usage.month(subscription, date(2026, 2, 1)), abs=1e-3
    )
    assert len(months) == 13
    for key in ("usage_latest_day", "cost_this_month", "metered_to"):
        assert not has_entity(hass, subscription, key)


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_analog_meter_without_readings(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Before its first reading, an analog meter's sensors are unknown."""
    nomos.configure(analog_usage="empty")
    subscription = nomos.customers[ANALOG].subscriptions[0]
    await linked(ANALOG)
    await advance(2 * MINUTE)
    assert state_of(hass, subscription.id, "usage_latest_month").state == "unknown"


async def test_analog_meter_with_an_empty_answer(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Known months stay, and new ones are added."""
    subscription = nomos.customers[ANALOG].subscriptions[0]
    await linked(ANALOG)
    await advance(2 * MINUTE)
    before = state_of(hass, subscription.id, "usage_latest_month")
    nomos.faults.add("set_fields", "usage", values={"data": []}, times=1)
    asked = count(nomos, "usage")
    await advance(DAY)
    assert count(nomos, "usage") == asked + 1
    assert state_of(hass, subscription.id, "usage_latest_month") == before
    for _ in range(22):
        await advance(DAY)
    months = state_of(hass, subscription.id, "usage_latest_month").attributes["months"]
    assert list(months) == [*before.attributes["months"], "2026-06"]


@pytest.mark.parametrize("read", [False, True])
async def test_analog_meter_of_an_ended_contract(
    hass: HomeAssistant, nomos, linked, advance, read
) -> None:
    """It is requested once a week until every month is final or a year has passed."""
    subscription = nomos.customers[ANALOG].subscriptions[0]
    end = date(2026, 6, 1) if read else date(2026, 5, 15)
    nomos.set_subscription(subscription.id, end_at=midnight(end))
    await linked(ANALOG)
    for _ in range(30):
        await advance(DAY)
    assert 4 <= count(nomos, "usage") <= 6
    for _ in range(55):
        await advance(7 * DAY)
    asked = count(nomos, "usage")
    assert asked <= (7 if read else 52)
    for _ in range(5):
        await advance(7 * DAY)
    assert count(nomos, "usage") == asked


async def test_smart_meter_after_analog(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """When a smart meter replaces an analog one, its sensors do, too."""
    subscription = nomos.customers[ANALOG].subscriptions[0]
    await linked(ANALOG)
    await advance(2 * MINUTE)
    assert has_entity(hass, subscription, "usage_latest_month")
    subscription.meter_type = "smart"
    for _ in range(3):
        await advance(DAY)
    assert not has_entity(hass, subscription, "usage_latest_month")
    assert state_of(hass, subscription.id, "usage_latest_day").attributes["date"] == (
        "2026-06-11"
    )
