"""Papers about a contract: invoices and reductions of the grid fee."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from .enums import GridFeeModule, GridFeeStatus, InvoiceStatus, InvoiceType
from .parsing import Fields
from .series import MAX_USAGE

_MAX_TOTAL = 10_000_000.0
"""EUR; more is no household's bill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A bill (Nomos API, Invoices).

    Attributes:
        id: Opaque.
        subscription_id: What it is for.
        type: For usage, in advance, or reversing another one.
        number: As printed on the document; None if the answer has none.
        status: Open, paid, voided or uncollectible.
        period_start: The beginning of the billed time, UTC, inclusive; a local midnight.
        period_end: The end of the billed time, UTC, exclusive; a local midnight.
        total: EUR with taxes; usually negative when it reverses another invoice.
        usage_kwh: The energy billed, in kWh; None unless it is a usage invoice.
        issued_at: None until it was issued.
        paid_at: None until it was paid.
    """

    id: str
    subscription_id: str
    type: InvoiceType
    number: str | None = field(repr=False)
    status: InvoiceStatus
    period_start: datetime
    period_end: datetime
    total: float
    usage_kwh: float | None
    issued_at: datetime | None
    paid_at: datetime | None

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read the item of a list or a single answer.

        Raises:
            NomosResponseError: A field is not as published.
        """
        fields = Fields.of(data, at)
        return cls(
            id=fields.identifier("id"),
            subscription_id=fields.reference("subscription"),
            type=fields.choice("type", InvoiceType, unknown=InvoiceType.UNKNOWN),
            number=fields.optional_text("invoice_number"),
            status=fields.choice(
                "status", InvoiceStatus, unknown=InvoiceStatus.UNKNOWN
            ),
            period_start=fields.instant("period_start"),
            period_end=fields.instant("period_end"),
            total=fields.number("total", _MAX_TOTAL),
            usage_kwh=fields.optional_number("usage", MAX_USAGE),
            issued_at=fields.optional_instant("issued_at"),
            paid_at=fields.optional_instant("paid_at"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFeeReduction:
    """A reduction of the grid fee for controllable devices, § 14a EnWG (Nomos API, Grid-fee reductions).

    Attributes:
        subscription_id: What it is for.
        module: How the fee is reduced.
        status: From the intention to the end.
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
        """Read the item of a list or a single answer.

        Raises:
            NomosResponseError: A field is not as published.
        """
        fields = Fields.of(data, at)
        return cls(
            subscription_id=fields.reference("subscription"),
            module=fields.choice("type", GridFeeModule, unknown=GridFeeModule.UNKNOWN),
            status=fields.choice(
                "status", GridFeeStatus, unknown=GridFeeStatus.UNKNOWN
            ),
            valid_from=fields.optional_instant("valid_from"),
            valid_until=fields.optional_instant("valid_until"),
        )

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` makes the same reduction of."""
        return {
            "subscription": self.subscription_id,
            "type": self.module.value,
            "status": self.status.value,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
        }
