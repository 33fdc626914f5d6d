"""The API's objects as JSON: contracts with the objects that they embed, and plans."""

from datetime import datetime
from typing import Any

from . import noise
from .berlin import api_time
from .customers import Customer, Plan, Subscription, World


def _id(prefix: str, world: World, subscription: Subscription) -> str:
    return noise.identifier(prefix, world.seed, subscription.id)


def meter_id(world: World, subscription: Subscription) -> str:
    """Return the id of the contract's meter."""
    return _id("mtr", world, subscription)


def customer_object(customer: Customer) -> dict[str, Any]:
    """Return a person."""
    return {
        "object": "customer",
        "id": customer.id,
        "type": "person",
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": customer.email,
        "vat_id": None,
        "created_at": api_time(customer.created_at),
    }


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return a plan."""
    return {
        "object": "plan",
        "id": plan.id,
        "name": plan.name,
        "slug": plan.slug,
        "description": plan.description,
        "price": plan.price,
        "currency": "EUR",
        "created_at": api_time(plan.created_at, millis=True),
        "type": plan.type,
    }


def supply_times(subscription: Subscription) -> dict[str, str | None]:
    """Return when a contract starts, was terminated and ends."""
    times = {
        "start_at": subscription.start_at,
        "terminated_at": subscription.terminated_at,
        "end_at": subscription.end_at,
    }
    return {name: None if at is None else api_time(at) for name, at in times.items()}


def _digits(world: World, name: str, length: int, digits: str = "0123456789") -> str:
    return noise.word(world.seed, name, length, digits)


def _address(world: World, subscription: Subscription) -> dict[str, Any]:
    return {
        "object": "address",
        "id": _id("adr", world, subscription),
        "street": "Musterstraße",
        "house_number": str(
            1 + int(90 * noise.uniform(world.seed, subscription.id, 1))
        ),
        "zip": "12345",
        "city": "Musterstadt",
        "created_at": api_time(subscription.created_at),
    }


def _meter(world: World, subscription: Subscription) -> dict[str, Any]:
    return {
        "object": "meter",
        "id": meter_id(world, subscription),
        "number": "1SIM" + _digits(world, f"meter:{subscription.id}", 10),
        "type": subscription.meter_type,
        "melo": "DE" + _digits(world, f"melo:{subscription.id}", 31),
        "malo": _digits(world, f"malo:{subscription.id}", 11, "123456789"),
        "created_at": api_time(subscription.created_at),
    }


def _payment_method(world: World, subscription: Subscription) -> dict[str, Any]:
    customer = world.customers[subscription.email]
    return {
        "object": "payment_method",
        "id": noise.identifier("pm", world.seed, customer.email),
        "type": "sepa_debit",
        "sepa_debit": {
            "iban": "DE************" + _digits(world, f"iban:{customer.email}", 4),
            "account_holder": f"{customer.first_name} {customer.last_name}",
        },
        "created_at": api_time(subscription.created_at),
    }


def _supplier(world: World, customer: Customer) -> dict[str, Any]:
    return {
        "object": "supplier",
        "id": noise.identifier("mp", world.seed, "previous"),
        "name": "Beispiel Energie GmbH",
        "country": "DE",
        "created_at": api_time(customer.created_at),
    }


def subscription_object(
    world: World, subscription: Subscription, now: datetime, *, embed: bool
) -> dict[str, Any]:
    """Return a contract; related objects are ids in a list, and embedded in a single response."""
    customer = world.customers[subscription.email]
    address = _address(world, subscription)
    others: dict[str, Any] = {
        "customer": customer_object(customer),
        "address": address,
        "meter": _meter(world, subscription),
        "payment_method": _payment_method(world, subscription),
        "supplier": _supplier(world, customer),
        "billing_address": address,
    }
    return {
        "object": "subscription",
        "id": subscription.id,
        "plan": subscription.plan,
        **(others if embed else {name: one["id"] for name, one in others.items()}),
        "number": subscription.number,
        "status": subscription.status(now),
        "estimated_usage": subscription.estimated_usage,
        "created_at": api_time(subscription.created_at),
        "updated_at": api_time(subscription.updated_at),
        **supply_times(subscription),
        "metadata": None,
        "type": subscription.type,
    }
