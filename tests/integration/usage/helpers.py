"""Helpers for tests of usage."""

from datetime import date, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from simulator.berlin import midnight
from tests.integration.recorder.expected import true_hours

MINUTE = timedelta(minutes=1)

DAY = timedelta(days=1)

SMART = "smart@example.com"

ANALOG = "analog@example.com"


def contract(nomos, email: str = SMART):
    """Return a customer's first contract, which began on 25 May."""
    subscription = nomos.customers[email].subscriptions[0]
    nomos.set_subscription(subscription.id, start_at=midnight(date(2026, 5, 25)))
    return subscription


def has_entity(hass: HomeAssistant, subscription, key: str) -> bool:
    """Return whether a sensor exists."""
    return (
        er.async_get(hass).async_get_entity_id(
            "sensor", "nomos", f"{subscription.id}_{key}"
        )
        is not None
    )


def true_day(nomos, subscription, day: date):
    """Return the expected kWh and EUR of a day."""
    energy, money = true_hours(nomos, subscription.id, day, day + DAY)
    return float(sum(energy.values())), float(sum(money.values()))
