"""The API's objects as JSON: subscriptions, plans, and what a contract's detail embeds."""

from datetime import datetime
from typing import Any

from . import noise
from .berlin import wire
from .customers import Customer, Plan, Subscription, World
from .settings import CURIE


def _instant(value: datetime | None) -> str | None:
    return None if value is None else wire(value)


def _id(prefix: str, world: World, subscription: Subscription) -> str:
    return noise.identifier(prefix, world.seed, subscription.id)


def address_id(world: World, subscription: Subscription) -> str:
    """Return the id of the place of supply."""
    return _id("adr", world, subscription)


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
        "created_at": wire(customer.created_at),
    }


def plan_object(plan: Plan, version: str) -> dict[str, Any]:
    """Return a plan."""
    result: dict[str, Any] = {
        "object": "plan",
        "id": plan.id,
        "name": plan.name,
        "slug": plan.slug,
        "description": plan.description,
        "price": plan.price,
        "currency": "EUR",
        "created_at": wire(plan.created_at, millis=True),
        "type": plan.type,
    }
    if version != CURIE:
        result["created_at"] = None
        del result["type"]
    return result


def subscription_object(
    world: World,
    subscription: Subscription,
    now: datetime,
    version: str,
    *,
    embed: bool,
) -> dict[str, Any]:
    """Return a contract: references are ids in a list, objects (`embed`) in the single answer."""
    customer = world.customers[subscription.email]
    created = wire(subscription.created_at)
    address: dict[str, Any] = {
        "object": "address",
        "id": address_id(world, subscription),
        "street": "Musterstraße",
        "house_number": str(
            1 + int(90 * noise.uniform(world.seed, subscription.id, 1))
        ),
        "zip": "12345",
        "city": "Musterstadt",
        "created_at": created,
    }
    embedded: dict[str, Any] = {
        "customer": customer_object(customer),
        "address": address,
        "meter": {
            "object": "meter",
            "id": meter_id(world, subscription),
            "number": "1SIM"
            + noise.word(world.seed, f"meter:{subscription.id}", 10, "0123456789"),
            "type": subscription.meter_type,
            "melo": "DE"
            + noise.word(world.seed, f"melo:{subscription.id}", 31, "0123456789"),
            "malo": noise.word(world.seed, f"malo:{subscription.id}", 11, "123456789"),
            "created_at": created,
        },
        "payment_method": {
            "object": "payment_method",
            "id": noise.identifier("pm", world.seed, customer.email),
            "type": "sepa_debit",
            "sepa_debit": {
                "iban": "DE************"
                + noise.word(world.seed, f"iban:{customer.email}", 4, "0123456789"),
                "account_holder": f"{customer.first_name} {customer.last_name}",
            },
            "created_at": created,
        },
        "supplier": {
            "object": "supplier",
            "id": noise.identifier("mp", world.seed, "previous"),
            "name": "Beispiel Energie GmbH",
            "country": "DE",
            "created_at": wire(customer.created_at),
        },
        "billing_address": address,
    }
    result: dict[str, Any] = {
        "object": "subscription",
        "id": subscription.id,
        "plan": subscription.plan,
    }
    result |= (
        embedded if embed else {name: value["id"] for name, value in embedded.items()}
    )
    result |= {
        "number": subscription.number,
        "status": subscription.status(now),
        "estimated_usage": subscription.estimated_usage,
        "created_at": created,
        "updated_at": wire(subscription.updated_at),
        "start_at": _instant(subscription.start_at),
        "terminated_at": _instant(subscription.terminated_at),
        "end_at": _instant(subscription.end_at),
        "metadata": None,
        "type": subscription.type,
    }
    if version != CURIE:
        # Before curie there was no feed-in, hence no type, and one address for everything.
        del result["type"], result["billing_address"]
    return result
