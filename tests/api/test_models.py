"""Tests of subscriptions, plans, invoices and usage as the API sends them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.nomos.api import (
    Invoice,
    InvoiceStatus,
    InvoiceType,
    MeterType,
    NomosResponseError,
    Subscription,
    SubscriptionStatus,
    SubscriptionType,
    Tariff,
    UsageItem,
    UsageResolution,
    UsageSeries,
)
from tests.api.samples import (
    INVOICE,
    PERSONAL,
    PLAN,
    SUBSCRIPTION_ITEM,
    SUBSCRIPTION_SINGLE,
    USAGE,
    without,
)

type Read = Callable[[object], object]

READERS: list[tuple[Read, dict[str, Any]]] = [
    (Subscription.from_json, SUBSCRIPTION_ITEM),
    (Subscription.from_json, SUBSCRIPTION_SINGLE),
    (Tariff.from_json, PLAN),
    (Invoice.from_json, INVOICE),
    (UsageSeries.from_json, USAGE),
]


def test_subscription_of_a_list() -> None:
    """In a list, references are ids."""
    assert Subscription.from_json(SUBSCRIPTION_ITEM) == Subscription(
        id="sub_rocbrf1u5e48mm0reeqoag90",
        customer_id="cus_a8n8ol7yd4h0wohx824f0bui",
        tariff_id="pln_ctj3tjzc7dywznuw1dy80lb3",
        status=SubscriptionStatus.ACTIVE,
        type=SubscriptionType.CONSUMPTION,
        number="4X44EMKX",
        created_at=datetime(2026, 3, 14, 12, tzinfo=UTC),
        start_at=datetime(2026, 3, 31, 22, tzinfo=UTC),
        terminated_at=None,
        end_at=None,
    )


def test_single_subscription_keeps_nothing_personal() -> None:
    """In a single response, references are objects; nothing personal is kept or shown in a repr."""
    subscription = Subscription.from_json(SUBSCRIPTION_SINGLE)
    assert subscription.customer_id == "cus_a8n8ol7yd4h0wohx824f0bui"
    kept = [getattr(subscription, name) for name in Subscription.__slots__]
    assert not [value for value in kept if any(part in str(value) for part in PERSONAL)]
    assert "4X44EMKX" not in repr(subscription)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"type": "feed_in"}, {"type": SubscriptionType.FEED_IN}),
        ({"type": "storage"}, {"type": SubscriptionType.UNKNOWN}),
        ({"type": None}, {"type": SubscriptionType.CONSUMPTION}),
        (
            {"status": "pending", "start_at": None},
            {"status": SubscriptionStatus.PENDING, "start_at": None},
        ),
        ({"status": "ended"}, {"status": SubscriptionStatus.ENDED}),
        ({"status": "paused"}, {"status": SubscriptionStatus.UNKNOWN}),
        ({"number": None}, {"number": None}),
        ({"plan": {"id": "pln_2", "name": "x"}}, {"tariff_id": "pln_2"}),
        (
            {"start_at": "2026-04-01T00:00:00+02:00"},
            {"start_at": datetime(2026, 3, 31, 22, tzinfo=UTC)},
        ),
        (
            {"end_at": "2026-12-31T23:00:00Z"},
            {"end_at": datetime(2026, 12, 31, 23, tzinfo=UTC)},
        ),
        (
            {"terminated_at": "2026-06-01T08:30:00.500Z"},
            {"terminated_at": datetime(2026, 6, 1, 8, 30, 0, 500000, UTC)},
        ),
        # Some programs use it for "no such time".
        ({"end_at": "9999-12-31T23:59:59.999Z"}, {"end_at": None}),
        ({"terminated_at": "0001-01-01T00:00:00Z"}, {"terminated_at": None}),
        ({"start_at": "0001-01-01T00:00:00+14:00"}, {"start_at": None}),
        ({"brand_new": {"nested": [1]}}, {}),
    ],
)
def test_subscription_variants(
    changed: dict[str, object], expected: dict[str, object]
) -> None:
    """New enum values, new fields and nulls are accepted."""
    subscription = Subscription.from_json(SUBSCRIPTION_ITEM | changed)
    assert {name: getattr(subscription, name) for name in expected} == expected


def test_subscription_of_an_older_version() -> None:
    """Before version curie there was no type and no billing address, and optional fields may be missing."""
    old = without(
        SUBSCRIPTION_ITEM,
        "type",
        "billing_address",
        "number",
        "start_at",
        "end_at",
        "terminated_at",
        "meter",
    )
    subscription = Subscription.from_json(old)
    assert subscription.type is SubscriptionType.CONSUMPTION
    assert (subscription.number, subscription.start_at) == (None, None)


def test_plan() -> None:
    """The base fee is in EUR per month."""
    assert Tariff.from_json(PLAN) == Tariff(
        id="pln_bn1sny3aczwq5jkz8xcf4klf",
        name="Nomos Friends & Family",
        base_fee=10.99,
    )


@pytest.mark.parametrize(
    "old",
    [
        without(PLAN, "price", "type", "currency"),
        PLAN | {"price": None, "created_at": None},
    ],
)
def test_plan_of_an_older_version(old: dict[str, Any]) -> None:
    """A plan may have no fee."""
    assert Tariff.from_json(old).base_fee is None


def test_usage_invoice() -> None:
    """Times are UTC, the total is EUR; the number is not kept."""
    assert Invoice.from_json(INVOICE) == Invoice(
        id="inv_drjjua6ampd1op2fg98k89x8",
        subscription_id="sub_jd8mlscm062jb6ks50tck9gi",
        type=InvoiceType.USAGE,
        status=InvoiceStatus.OPEN,
        period_start=datetime(2026, 3, 31, 22, tzinfo=UTC),
        period_end=datetime(2026, 4, 30, 22, tzinfo=UTC),
        total=110.04,
        issued_at=datetime(2026, 5, 2, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"type": "prepayment", "status": "uncollectible"},
            (InvoiceType.PREPAYMENT, InvoiceStatus.UNCOLLECTIBLE),
        ),
        (
            {"type": "void", "status": "paid", "total": -110.04, "voids": "inv_1"},
            (InvoiceType.VOID, InvoiceStatus.PAID),
        ),
        (
            {"type": "usage", "status": "voided"},
            (InvoiceType.USAGE, InvoiceStatus.VOIDED),
        ),
        (
            {"type": "credit", "status": "lost"},
            (InvoiceType.UNKNOWN, InvoiceStatus.UNKNOWN),
        ),
    ],
)
def test_invoice_variants(
    changed: dict[str, object], expected: tuple[InvoiceType, InvoiceStatus]
) -> None:
    """Unknown enum values are accepted, and many fields may be missing."""
    invoice = Invoice.from_json(
        without(INVOICE, "usage", "issued_at", "invoice_number", "paid_at") | changed
    )
    assert (invoice.type, invoice.status) == expected
    assert invoice.issued_at is None
    assert invoice.total == changed.get("total", 110.04)


def test_usage() -> None:
    """Usage is kWh from a start in UTC."""
    assert UsageSeries.from_json(USAGE) == UsageSeries(
        meter_type=MeterType.SMART,
        resolution=UsageResolution.QUARTER_HOUR,
        items=(
            UsageItem(start=datetime(2026, 3, 31, 22, tzinfo=UTC), kwh=0.2, final=True),
            UsageItem(
                start=datetime(2026, 3, 31, 22, 15, tzinfo=UTC), kwh=0.15, final=False
            ),
        ),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("15min", UsageResolution.QUARTER_HOUR),
        ("hour", UsageResolution.HOUR),
        ("hourly", UsageResolution.HOUR),
        ("60min", UsageResolution.HOUR),
        ("day", UsageResolution.DAY),
        ("week", UsageResolution.WEEK),
        ("month", UsageResolution.MONTH),
    ],
)
def test_usage_resolutions(name: str, expected: UsageResolution) -> None:
    """The resolution is the response's; an analog meter has months, or no readings."""
    series = UsageSeries.from_json(
        USAGE | {"resolution": name, "meter_type": "analog", "data": []}
    )
    assert series == UsageSeries(
        meter_type=MeterType.ANALOG, resolution=expected, items=()
    )


def test_usage_is_sorted_and_the_last_of_equal_starts_wins() -> None:
    """If a value is sent twice, the later one counts."""
    start = "2026-03-31T22:00:00Z"
    series = UsageSeries.from_json(
        USAGE
        | {
            "meter_type": "sundial",
            "data": [
                {"start": "2026-03-31T22:15:00Z", "usage": 2, "type": "estimated"},
                {"start": start, "usage": 0, "type": "preliminary"},
                {"start": start, "usage": 1, "type": "final"},
            ],
        }
    )
    assert [(item.kwh, item.final) for item in series.items] == [
        (1.0, True),
        (2.0, False),
    ]
    assert series.meter_type is MeterType.UNKNOWN


@pytest.mark.parametrize(
    "bad", [None, "0.2", True, float("nan"), float("inf"), 10**400, 1e302, -1e7, {}]
)
def test_unreadable_usage_is_a_gap(bad: object) -> None:
    """One bad value loses one interval only."""
    data = [
        {"start": "2026-03-31T22:30:00Z", "usage": bad},
        {"start": "2026-03-31T22:45:00Z"},
        *USAGE["data"],
    ]
    series = UsageSeries.from_json(USAGE | {"data": data})
    assert [item.kwh for item in series.items] == [0.2, 0.15]
    assert series.unreadable == 2


def test_absurd_amounts_are_unknown() -> None:
    """An amount that would break calculations counts as unknown."""
    assert Tariff.from_json(PLAN | {"price": 1e302}).base_fee is None


REQUIRED = {
    Subscription: ["id", "customer", "plan", "status", "created_at"],
    Tariff: ["id", "name"],
    Invoice: [
        "id",
        "subscription",
        "type",
        "status",
        "period_start",
        "period_end",
        "total",
    ],
    UsageSeries: ["meter_type", "resolution", "data"],
}


@pytest.mark.parametrize(
    ("read", "data", "key"),
    [
        (read, data, key)
        for read, data in READERS
        for key in REQUIRED[read.__self__]  # type: ignore[attr-defined]
    ],
)
def test_required_fields(read: Read, data: dict[str, Any], key: str) -> None:
    """The error names the missing or null field."""
    for broken in (without(data, key), data | {key: None}):
        with pytest.raises(NomosResponseError) as caught:
            read(broken)
        assert caught.value.field == key
        assert key in str(caught.value)


@pytest.mark.parametrize(
    ("read", "data", "changed", "field"),
    [
        (Subscription.from_json, SUBSCRIPTION_ITEM, {"id": 7}, "id"),
        (Subscription.from_json, SUBSCRIPTION_ITEM, {"id": ""}, "id"),
        (
            Subscription.from_json,
            SUBSCRIPTION_ITEM,
            {"customer": ["Erika"]},
            "customer",
        ),
        (
            Subscription.from_json,
            SUBSCRIPTION_ITEM,
            {"customer": {"first_name": "Erika"}},
            "customer.id",
        ),
        (Subscription.from_json, SUBSCRIPTION_ITEM, {"status": True}, "status"),
        (Subscription.from_json, SUBSCRIPTION_ITEM, {"type": 1}, "type"),
        (Subscription.from_json, SUBSCRIPTION_ITEM, {"number": 4711}, "number"),
        (
            Subscription.from_json,
            SUBSCRIPTION_ITEM,
            {"created_at": 1790000000},
            "created_at",
        ),
        (
            Subscription.from_json,
            SUBSCRIPTION_ITEM,
            {"start_at": "2026-04-01"},
            "start_at",
        ),
        (Subscription.from_json, SUBSCRIPTION_ITEM, {"start_at": "soon"}, "start_at"),
        (
            Subscription.from_json,
            SUBSCRIPTION_ITEM,
            {"end_at": "0000-12-31T00:00:00Z"},
            "end_at",
        ),
        (Tariff.from_json, PLAN, {"price": "10.99"}, "price"),
        (Tariff.from_json, PLAN, {"price": False}, "price"),
        (Tariff.from_json, PLAN, {"currency": "CHF"}, "currency"),
        (Tariff.from_json, PLAN, {"currency": 1}, "currency"),
        (Invoice.from_json, INVOICE, {"total": "110,04"}, "total"),
        (Invoice.from_json, INVOICE, {"total": float("nan")}, "total"),
        (Invoice.from_json, INVOICE, {"total": -1e302}, "total"),
        (
            Invoice.from_json,
            INVOICE,
            {"period_end": "2026-04-30T22:00:00"},
            "period_end",
        ),
        (UsageSeries.from_json, USAGE, {"resolution": "auto"}, "resolution"),
        (UsageSeries.from_json, USAGE, {"resolution": "fortnight"}, "resolution"),
        (UsageSeries.from_json, USAGE, {"data": {}}, "data"),
        (UsageSeries.from_json, USAGE, {"data": [[]]}, "data[0]"),
        (
            UsageSeries.from_json,
            USAGE,
            {"data": [USAGE["data"][0], {"usage": 1}]},
            "data[1].start",
        ),
        (
            UsageSeries.from_json,
            USAGE,
            {"data": [USAGE["data"][0] | {"type": 1}]},
            "data[0].type",
        ),
    ],
)
def test_wrong_types(
    read: Read, data: dict[str, Any], changed: dict[str, object], field: str
) -> None:
    """The error names the field with a wrong type, but not its value."""
    with pytest.raises(NomosResponseError) as caught:
        read(data | changed)
    assert caught.value.field == field
    assert not any(
        part in str(caught.value) for part in ("Erika", "4711", "110,04", "soon")
    )


@pytest.mark.parametrize("data", [None, [], "text", 1, True])
@pytest.mark.parametrize("read", [read for read, _ in READERS])
def test_responses_that_are_not_objects(read: Read, data: object) -> None:
    """The error names the response itself."""
    with pytest.raises(NomosResponseError) as caught:
        read(data)
    assert caught.value.field == "body"
