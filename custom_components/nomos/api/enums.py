"""The words with which Nomos sorts things.

Only `UsageResolution` has no `UNKNOWN`: values whose interval length is unknown are of no use.
"""

from enum import StrEnum


class SubscriptionStatus(StrEnum):
    """Where a subscription is in its life (Nomos API, Subscriptions)."""

    PENDING = "pending"
    """Delivery has not begun: supplier switch and registration can take weeks."""
    ACTIVE = "active"
    """Delivery runs; notice may have been given."""
    ENDED = "ended"
    UNKNOWN = "unknown"
    """A value that is newer than this program."""


class SubscriptionType(StrEnum):
    """Which way the energy flows."""

    CONSUMPTION = "consumption"
    FEED_IN = "feed_in"
    UNKNOWN = "unknown"
    """A value that is newer than this program."""


class MeterType(StrEnum):
    """What kind of meter counts."""

    SMART = "smart"
    """Measures every quarter of an hour."""
    ANALOG = "analog"
    """Is read now and then; usage is known by the month."""
    UNKNOWN = "unknown"
    """A value that is newer than this program."""


class InvoiceType(StrEnum):
    """What an invoice is for (Nomos API, Invoices)."""

    USAGE = "usage"
    PREPAYMENT = "prepayment"
    VOID = "void"
    """Reverses an earlier invoice; its total is usually negative."""
    UNKNOWN = "unknown"
    """A value that is newer than this program."""


class InvoiceStatus(StrEnum):
    """Where an invoice is in its life (Nomos API, Invoices)."""

    OPEN = "open"
    PAID = "paid"
    VOIDED = "voided"
    UNCOLLECTIBLE = "uncollectible"
    UNKNOWN = "unknown"
    """A value that is newer than this program."""


class GridFeeModule(StrEnum):
    """How the grid fee of a controllable device is reduced (Nomos API, Grid-fee reductions; § 14a EnWG)."""

    FLAT = "enwg-14a-module-1"
    """A fixed sum off the base grid fee."""
    WORKING_PRICE = "enwg-14a-module-2"
    """A share off the grid fee per kWh of a meter of its own."""
    TIME_OF_USE = "enwg-14a-module-3"
    """Low, standard and high grid fees by the time of day; together with module 1."""
    UNKNOWN = "unknown"
    """A value that is newer than this program."""


class GridFeeStatus(StrEnum):
    """Where a reduction of the grid fee is in its life (Nomos API, Grid-fee reductions)."""

    INTENDED = "intended"
    ORDERED = "ordered"
    REJECTED = "rejected"
    ACTIVATED = "activated"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """A value that is newer than this program."""


class UsageResolution(StrEnum):
    """How long the intervals of usage are (Nomos API, Usage). Days and longer follow the customer's local calendar."""

    AUTO = "auto"
    """Only in requests: Nomos chooses by the range asked for."""
    QUARTER_HOUR = "15min"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
