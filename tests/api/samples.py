"""Responses as described by OpenAPI 2026-05-27.curie, with fictional people."""

from typing import Any

SUBSCRIPTION_ITEM: dict[str, Any] = {
    "object": "subscription",
    "id": "sub_rocbrf1u5e48mm0reeqoag90",
    "plan": "pln_ctj3tjzc7dywznuw1dy80lb3",
    "customer": "cus_a8n8ol7yd4h0wohx824f0bui",
    "address": "adr_a7gurqkul8lzzsy1pf9p9388",
    "meter": "mtr_azk4zue2ijx4ff1dbjt14m5h",
    "payment_method": "pm_adc9utqqpcp7tx054l7vg56s2",
    "supplier": None,
    "number": "4X44EMKX",
    "status": "active",
    "estimated_usage": 2500,
    "created_at": "2026-03-14T12:00:00Z",
    "updated_at": "2026-03-14T12:00:00.000Z",
    "start_at": "2026-03-31T22:00:00.000Z",
    "terminated_at": None,
    "end_at": None,
    "metadata": {"note": "private"},
    "type": "consumption",
    "billing_address": "adr_a7gurqkul8lzzsy1pf9p9388",
}

PERSONAL = (
    "Erika",
    "Mustermann",
    "erika@example.org",
    "Hauptstr",
    "DE89",
    "1EMH0012345678",
    "51238696781",
)

SUBSCRIPTION_SINGLE: dict[str, Any] = SUBSCRIPTION_ITEM | {
    "customer": {
        "object": "customer",
        "id": "cus_a8n8ol7yd4h0wohx824f0bui",
        "type": "person",
        "first_name": "Erika",
        "last_name": "Mustermann",
        "email": "erika@example.org",
        "created_at": "2026-03-14T12:00:00Z",
    },
    "address": {
        "object": "address",
        "id": "adr_1",
        "street": "Hauptstr",
        "house_number": "1",
        "zip": "10115",
    },
    "meter": {
        "object": "meter",
        "id": "mtr_azk4zue2ijx4ff1dbjt14m5h",
        "number": "1EMH0012345678",
        "type": "smart",
        "malo": "51238696781",
        "melo": None,
    },
    "payment_method": {
        "id": "pm_1",
        "type": "sepa_debit",
        "sepa_debit": {"iban": "DE89 **** 00"},
    },
    "billing_address": {"object": "address", "id": "adr_1", "street": "Hauptstr"},
}

PRICE_ITEM: dict[str, Any] = {
    "timestamp": "2026-09-30T22:00:00Z",
    "amount": 24.44,
    "components": [
        {"type": "electricity", "amount": 8.77},
        {"type": "grid", "amount": 9.47},
        {"type": "levies", "amount": 6.2},
    ],
}

PRICE: dict[str, Any] = {
    "object": "price",
    "subscription": "sub_rocbrf1u5e48mm0reeqoag90",
    "period": {"start": "2026-10-01", "end": "2026-10-01"},
    "unit": "ct/kWh",
    "currency": "EUR",
    "resolution": "15min",
    "reference": "EPEX Day-Ahead",
    "items": [PRICE_ITEM],
}

USAGE: dict[str, Any] = {
    "object": "usage",
    "meter_type": "smart",
    "resolution": "15min",
    "data": [
        {"start": "2026-03-31T22:00:00.000Z", "usage": 0.2, "type": "final"},
        {"start": "2026-03-31T22:15:00.000Z", "usage": 0.15, "type": "preliminary"},
    ],
}

PLAN: dict[str, Any] = {
    "object": "plan",
    "id": "pln_bn1sny3aczwq5jkz8xcf4klf",
    "name": "Nomos Friends & Family",
    "slug": "nomos",
    "description": "A plan for friends and family",
    "price": 10.99,
    "currency": "EUR",
    "created_at": "2021-01-01T00:00:00.000Z",
    "type": "consumption",
}

INVOICE: dict[str, Any] = {
    "object": "invoice",
    "id": "inv_drjjua6ampd1op2fg98k89x8",
    "customer": "cus_a8n8ol7yd4h0wohx824f0bui",
    "subscription": "sub_jd8mlscm062jb6ks50tck9gi",
    "invoice_number": "H62SU12A-003",
    "month": 4,
    "year": 2026,
    "period_start": "2026-03-31T22:00:00Z",
    "period_end": "2026-04-30T22:00:00Z",
    "period_number": 3,
    "status": "open",
    "issued_at": "2026-05-02T12:00:00Z",
    "paid_at": None,
    "type": "usage",
    "usage": 100,
    "total": 110.04,
}


def without(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a copy without some fields."""
    return {key: value for key, value in data.items() if key not in keys}


def price_answer(*items: object, **changed: object) -> dict[str, Any]:
    """Return a price response with these items and other changes."""
    return PRICE | {"items": list(items)} | changed


def price_item(
    timestamp: object = "2026-09-30T22:00:00Z", **changed: object
) -> dict[str, Any]:
    """Return a price item with changes."""
    return PRICE_ITEM | {"timestamp": timestamp} | changed
