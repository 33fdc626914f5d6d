"""Contracts, tariffs and invoices as the Nomos API sends them: its units, times in UTC.

Personal data (names, addresses, e-mail, IBAN, meter numbers) is part of some answers and is not kept. Every
`from_json` ignores unknown fields, and raises `NomosResponseError` with the field that is not as documented; `at` is
the path of `data` in the answer.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from .enums import (
    GridFeeModule,
    GridFeeStatus,
    InvoiceStatus,
    InvoiceType,
    SubscriptionStatus,
    SubscriptionType,
)
from .parsing import Fields, require_euro

_MAX_BASE_FEE = 10_000.0
"""EUR a month; more is implausible."""

_MAX_TOTAL = 10_000_000.0
"""EUR; more is implausible for a household."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A contract of the customer (Nomos API, Subscriptions).

    Attributes:
        type: Consumption if the answer has none.
        number: The contract number that customers see; None early on.
        created_at: When it was ordered.
        start_at: When delivery began or will begin; None if that is not known.
        terminated_at: When notice was given; None if it was not.
        end_at: The end of delivery, exclusive; None if it is open.
    """

    id: str
    customer_id: str
    tariff_id: str
    status: SubscriptionStatus
    type: SubscriptionType
    number: str | None = field(repr=False)
    created_at: datetime
    start_at: datetime | None
    terminated_at: datetime | None
    end_at: datetime | None

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read an item of a list (references are ids) or a single answer (references are objects)."""
        fields = Fields.of(data, at)
        return cls(
            id=fields.identifier("id"),
            customer_id=fields.reference("customer"),
            tariff_id=fields.reference("plan"),
            status=fields.choice("status", SubscriptionStatus),
            type=fields.choice(
                "type", SubscriptionType, default=SubscriptionType.CONSUMPTION
            ),
            number=fields.optional_text("number"),
            created_at=fields.instant("created_at"),
            start_at=fields.optional_instant("start_at"),
            terminated_at=fields.optional_instant("terminated_at"),
            end_at=fields.optional_instant("end_at"),
        )

    @property
    def inactive(self) -> bool:
        """Whether Nomos has no prices for the contract: it has not begun, or it has ended."""
        return self.status in {SubscriptionStatus.PENDING, SubscriptionStatus.ENDED}

    @property
    def feeds_in(self) -> bool:
        """Whether the contract is about energy that is fed into the grid."""
        return self.type is SubscriptionType.FEED_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What the customer was sold (Nomos API, Plans).

    Attributes:
        base_fee: EUR a month including VAT, without grid and metering fees; None if unknown or implausible.
    """

    id: str
    name: str
    base_fee: float | None

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read a plan."""
        fields = Fields.of(data, at)
        require_euro(fields)
        return cls(
            id=fields.identifier("id"),
            name=fields.text("name"),
            base_fee=fields.optional_number("price", _MAX_BASE_FEE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A bill (Nomos API, Invoices).

    Attributes:
        period_start: The first local midnight of the billing period.
        period_end: The last one, exclusive.
        total: EUR with taxes; usually negative if it reverses another invoice.
        issued_at: None until it was issued.
    """

    id: str
    subscription_id: str
    type: InvoiceType
    status: InvoiceStatus
    period_start: datetime
    period_end: datetime
    total: float
    issued_at: datetime | None

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read an item of a list or a single answer."""
        fields = Fields.of(data, at)
        return cls(
            id=fields.identifier("id"),
            subscription_id=fields.reference("subscription"),
            type=fields.choice("type", InvoiceType),
            status=fields.choice("status", InvoiceStatus),
            period_start=fields.instant("period_start"),
            period_end=fields.instant("period_end"),
            total=fields.number("total", _MAX_TOTAL),
            issued_at=fields.optional_instant("issued_at"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFeeReduction:
    """A reduction of the grid fee for controllable devices, § 14a EnWG (Nomos API, Grid-fee reductions).

    Attributes:
        valid_from: None while it is not known.
        valid_until: Exclusive; None while it has no end.
    """

    subscription_id: str
    module: GridFeeModule
    status: GridFeeStatus
    valid_from: datetime | None
    valid_until: datetime | None

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read an item of a list."""
        fields = Fields.of(data, at)
        return cls(
            subscription_id=fields.reference("subscription"),
            module=fields.choice("type", GridFeeModule),
            status=fields.choice("status", GridFeeStatus),
            valid_from=fields.optional_instant("valid_from"),
            valid_until=fields.optional_instant("valid_until"),
        )
