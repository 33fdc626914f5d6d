"""The enumerations of the Nomos API.

Nomos may add values within a version of its API (Nomos API, Versioning); an unknown one becomes `UNKNOWN`.
"""

from enum import StrEnum
from typing import Self, override


class _OpenEnum(StrEnum):
    """An enumeration that Nomos may extend."""

    @override
    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls["UNKNOWN"] if isinstance(value, str) else None


class SubscriptionStatus(_OpenEnum):
    """The state of a subscription (Nomos API, Subscriptions)."""

    PENDING = "pending"
    """Delivery has not begun: supplier switch and registration can take weeks."""
    ACTIVE = "active"
    """Delivery runs; notice may have been given."""
    ENDED = "ended"
    UNKNOWN = "unknown"


class SubscriptionType(_OpenEnum):
    """Which way the energy flows."""

    CONSUMPTION = "consumption"
    FEED_IN = "feed_in"
    UNKNOWN = "unknown"


class MeterType(_OpenEnum):
    """The kind of a meter."""

    SMART = "smart"
    """Measures every quarter of an hour."""
    ANALOG = "analog"
    """Read occasionally; usage is known by month."""
    UNKNOWN = "unknown"


class InvoiceType(_OpenEnum):
    """What an invoice is for (Nomos API, Invoices)."""

    USAGE = "usage"
    PREPAYMENT = "prepayment"
    VOID = "void"
    """Reverses an earlier invoice; its total is usually negative."""
    UNKNOWN = "unknown"


class InvoiceStatus(_OpenEnum):
    """The state of an invoice (Nomos API, Invoices)."""

    OPEN = "open"
    PAID = "paid"
    VOIDED = "voided"
    UNCOLLECTIBLE = "uncollectible"
    UNKNOWN = "unknown"


class GridFeeModule(_OpenEnum):
    """How the grid fee of a controllable device is reduced (Nomos API, Grid-fee reductions; § 14a EnWG)."""

    FLAT = "enwg-14a-module-1"
    """A fixed sum off the base grid fee."""
    WORKING_PRICE = "enwg-14a-module-2"
    """A percentage off the grid fee per kWh of a separate meter."""
    TIME_OF_USE = "enwg-14a-module-3"
    """Low, standard and high grid fees by the time of day; together with module 1."""
    UNKNOWN = "unknown"


class GridFeeStatus(_OpenEnum):
    """The state of a reduction of the grid fee (Nomos API, Grid-fee reductions)."""

    INTENDED = "intended"
    ORDERED = "ordered"
    REJECTED = "rejected"
    ACTIVATED = "activated"
    ENDED = "ended"
    UNKNOWN = "unknown"


class UsageResolution(StrEnum):
    """The length of the intervals of usage (Nomos API, Usage). Days and longer follow the customer's local calendar.

    An unknown length is an error, as such values cannot be used.
    """

    QUARTER_HOUR = "15min"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
