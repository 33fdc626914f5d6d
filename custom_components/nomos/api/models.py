"""What Nomos tells, as typed data: wire units, times in UTC.

The customer's personal data (names, addresses, e-mail, IBAN, meter numbers) is part of some answers and is not kept.
Every `from_json` ignores unknown fields and raises `NomosResponseError` naming the field that is not as published.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from .enums import MeterType, SubscriptionStatus, SubscriptionType
from .parsing import Fields, require_euro

_MAX_BASE_FEE = 10_000.0
"""EUR a month; more is no fee."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A contract of the customer (Nomos API, Subscriptions).

    Attributes:
        id: Opaque.
        customer_id: Opaque; the same for all subscriptions that a customer's token sees.
        tariff_id: Opaque.
        status: Pending, active or ended.
        type: Consumption, also where the answer does not say (before version curie), or feed-in.
        number: The number that people know the contract by; None early on.
        created_at: When it was ordered.
        start_at: When delivery began or will begin; None if that is not known.
        terminated_at: When notice was given; None if it was not.
        end_at: The end of delivery, exclusive; None if it is open.
        meter_type: Known only from the single answer; a list gives None.
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
    meter_type: MeterType | None

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read the item of a list (references are ids) or a single answer (references are objects).

        Args:
            data: The decoded JSON.
            at: The path of `data` in the answer, for errors.

        Raises:
            NomosResponseError: A field is not as published.
        """
        fields = Fields.of(data, at)
        meter_type: MeterType | None = None
        if isinstance(meter := fields.value("meter"), dict):
            meter_type = Fields.of(meter, fields.path("meter")).optional_choice(
                "type", MeterType, unknown=MeterType.UNKNOWN
            )
        return cls(
            id=fields.identifier("id"),
            customer_id=fields.reference("customer"),
            tariff_id=fields.reference("plan"),
            status=fields.choice(
                "status", SubscriptionStatus, unknown=SubscriptionStatus.UNKNOWN
            ),
            type=_subscription_type(fields),
            number=fields.optional_text("number"),
            created_at=fields.instant("created_at"),
            start_at=fields.optional_instant("start_at"),
            terminated_at=fields.optional_instant("terminated_at"),
            end_at=fields.optional_instant("end_at"),
            meter_type=meter_type,
        )

    @property
    def inactive(self) -> bool:
        """Return whether Nomos has no prices for the contract: it has not begun, or it has ended."""
        return self.status in {SubscriptionStatus.PENDING, SubscriptionStatus.ENDED}

    @property
    def feeds_in(self) -> bool:
        """Return whether the contract is about energy that is fed into the grid."""
        return self.type is SubscriptionType.FEED_IN

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` makes the same subscription of."""
        return {
            "id": self.id,
            "customer": self.customer_id,
            "plan": self.tariff_id,
            "status": self.status.value,
            "type": self.type.value,
            "number": self.number,
            "created_at": self.created_at.isoformat(),
            "start_at": _iso(self.start_at),
            "terminated_at": _iso(self.terminated_at),
            "end_at": _iso(self.end_at),
            "meter": None
            if self.meter_type is None
            else {"type": self.meter_type.value},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What was sold to the customer (Nomos API, Plans).

    Attributes:
        id: Opaque.
        name: As on the contract.
        base_fee: EUR a month with VAT, without the fees of grid and metering; None if the answer has none that makes sense.
        type: Consumption, also where the answer does not say (before version curie), or feed-in.
    """

    id: str
    name: str
    base_fee: float | None
    type: SubscriptionType

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read a plan.

        Raises:
            NomosResponseError: A field is not as published.
        """
        fields = Fields.of(data, at)
        require_euro(fields)
        return cls(
            id=fields.identifier("id"),
            name=fields.text("name"),
            base_fee=fields.optional_number("price", _MAX_BASE_FEE),
            type=_subscription_type(fields),
        )

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` makes the same plan of."""
        return {
            "id": self.id,
            "name": self.name,
            "price": self.base_fee,
            "type": self.type.value,
        }


def _subscription_type(fields: Fields) -> SubscriptionType:
    """Return the direction; versions before curie knew only consumption and did not say it."""
    kind = fields.optional_choice(
        "type", SubscriptionType, unknown=SubscriptionType.UNKNOWN
    )
    return SubscriptionType.CONSUMPTION if kind is None else kind


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
