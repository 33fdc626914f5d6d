"""Prices and usage as the Nomos API sends them: series of intervals, in its units.

Times are UTC. Every `from_json` ignores unknown fields and raises `NomosResponseError` naming the field that is not as
published; what is unknown stays `None`, and is never a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import math
from typing import Any, Self

from .columns import Packed
from .enums import MeterType, UsageResolution
from .errors import NomosResponseError
from .parsing import Fields, finite, require_euro, within

type _Amounts = tuple[float | None, float | None, float | None, float | None]
"""The price of an interval and its parts, in the order of `PriceItem`."""

MAX_PRICE = 10_000.0
"""ct/kWh, either way; what is beyond is no price."""

MAX_USAGE = 1_000_000.0
"""kWh in an interval or on a bill; what is beyond is no usage."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)

# `hourly` and `15min` are what the OpenAPI has; older pages and examples show the others.
_PRICE_RESOLUTIONS = {
    "15min": timedelta(minutes=15),
    "hourly": _HOUR,
    "hour": _HOUR,
    "60min": _HOUR,
}
_INFERABLE_RESOLUTIONS = frozenset(
    {timedelta(minutes=15), timedelta(minutes=30), _HOUR}
)
_PRICE_ITEM = {"timestamp", "amount", "components"}


@dataclass(frozen=True, slots=True)
class PriceItem:
    """The price of one interval, in ct/kWh (Nomos API, Price `items`).

    Attributes:
        start: The beginning of the interval, UTC.
        amount: The all-in working price (consumption) or the payout (feed-in); may be negative or zero; None if
            Nomos does not know it yet. It is never made up from the components.
        electricity: The part for energy; None if unknown or not part of the price.
        grid: The part for the grid; None if unknown or not part of the price.
        levies: The part for taxes and levies; None if unknown or not part of the price.
    """

    start: datetime
    amount: float | None
    electricity: float | None
    grid: float | None
    levies: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeries:
    """The prices of some days (Nomos API, Price).

    Attributes:
        subscription_id: Whose prices these are.
        resolution: The length of every interval.
        items: Sorted by start, each start once; there may be gaps. None if the subscription is not active.
        unreadable: How many of the received items held something that is no amount where an amount belongs.
    """

    subscription_id: str
    resolution: timedelta
    items: Sequence[PriceItem] | None
    unreadable: int = 0

    @staticmethod
    def packed_item(values: dict[str, object]) -> object:
        """Return the row of an item that is as published, to be packed; any other object as it is.

        To be called for every object of an answer while it is decoded, so that a month's items never are there all
        at once as objects within objects. `from_json` takes both.
        """
        if not values.keys() >= _PRICE_ITEM or "items" in values:
            return values
        fields = Fields(values, "")
        try:
            start = fields.instant("timestamp")
        except NomosResponseError:
            return values
        amounts, is_readable = _amounts(fields)
        return (start, *amounts) if is_readable else values

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read a price answer.

        One bad number must not cost a whole day: an amount of an item or of a component that is missing, a text, a
        boolean, NaN, infinite or beyond any sense (`MAX_PRICE`) is taken as unknown (None) and counted in
        `unreadable`. What would put prices in the wrong place or on the wrong scale raises: a bad or misaligned
        timestamp, another unit or currency, a resolution that is neither known nor evident, an object or list that is
        none. Components of unknown types are ignored; of items with the same start the last one wins.

        Raises:
            NomosResponseError: The answer cannot be trusted; `field` says where.
        """
        fields = Fields.of(data, at)
        unit = fields.text("unit")
        if "".join(unit.split()).casefold() != "ct/kwh":
            raise NomosResponseError(fields.path("unit"), "not ct/kWh")
        require_euro(fields)
        received: list[tuple[Any, ...]] | None = None
        unreadable = 0
        if not fields.has("items") or fields.value("items") is not None:
            received = []
            for item in fields.entries("items"):
                if isinstance(item, Fields):
                    start = item.instant("timestamp")
                    amounts, is_readable = _amounts(item)
                    unreadable += not is_readable
                    received.append((start, *amounts))
                else:
                    received.append(item)
        rows = {row[0]: row for row in received or ()}
        resolution = _price_resolution(fields, sorted(rows))
        for index, (start, *_) in enumerate(received or ()):
            if (start - _EPOCH) % resolution:
                raise NomosResponseError(
                    f"{fields.path('items')}[{index}].timestamp",
                    "not at the beginning of an interval",
                )
        return cls(
            subscription_id=fields.reference("subscription"),
            resolution=resolution,
            items=None
            if received is None
            else Packed(PriceItem, tuple(rows[start] for start in sorted(rows))),
            unreadable=unreadable,
        )


@dataclass(frozen=True, slots=True)
class UsageItem:
    """The energy of one interval (Nomos API, Usage `data`).

    Attributes:
        start: The beginning of the interval, UTC.
        kwh: Energy in kWh, positive in both directions; the type of the subscription gives the direction.
        final: Whether the value stands; a preliminary one may be replaced until the 8th working day of the next month.
    """

    start: datetime
    kwh: float
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSeries:
    """Metered energy (Nomos API, Usage; before version curie: Consumption).

    Attributes:
        meter_type: What kind of meter counted.
        resolution: What Nomos gave, which may be another one than was asked for (analog meters: months).
        items: Sorted by start, each start once; gaps are normal.
        unreadable: How many of the received items were left out because their usage is no number that makes sense.
    """

    meter_type: MeterType
    resolution: UsageResolution
    items: Sequence[UsageItem]
    unreadable: int = 0

    @staticmethod
    def packed_item(values: dict[str, object]) -> object:
        """Return the row of an item that is as published, to be packed; any other object as it is.

        To be called for every object of an answer while it is decoded, like that of `PriceSeries`.
        """
        if (
            "start" not in values
            or "data" in values
            or (kwh := _usage(values.get("usage"))) is None
        ):
            return values
        fields = Fields(values, "")
        try:
            return fields.instant("start"), kwh, _is_final(fields)
        except NomosResponseError:
            return values

    @classmethod
    def from_json(cls, data: object, at: str = "") -> Self:
        """Read a usage answer.

        An item whose usage is not a number, or beyond any sense (`MAX_USAGE`), is left out like one that was never delivered, and counted in
        `unreadable`. An unknown `type` counts as preliminary. Of items with the same start the last one wins.

        Raises:
            NomosResponseError: A field is not as published.
        """
        fields = Fields.of(data, at)
        resolution = fields.text("resolution")
        # Older pages name the same length in several ways, as they do for prices.
        resolution = "hour" if resolution in {"hourly", "60min"} else resolution
        if resolution == UsageResolution.AUTO or resolution not in UsageResolution:
            raise NomosResponseError(fields.path("resolution"), "unknown")
        rows: dict[datetime, tuple[Any, ...]] = {}
        unreadable = 0
        for item in fields.entries("data"):
            if not isinstance(item, Fields):
                rows[item[0]] = item
                continue
            start, is_final = item.instant("start"), _is_final(item)
            if (kwh := _usage(item.value("usage"))) is None:
                unreadable += 1
            else:
                rows[start] = start, kwh, is_final
        return cls(
            meter_type=fields.choice(
                "meter_type", MeterType, unknown=MeterType.UNKNOWN
            ),
            resolution=UsageResolution(resolution),
            items=Packed(UsageItem, tuple(rows[start] for start in sorted(rows))),
            unreadable=unreadable,
        )


def _price_resolution(fields: Fields, starts: Sequence[datetime]) -> timedelta:
    """Return the length of the intervals: as named, or as evident from the smallest gap between their sorted starts."""
    name = fields.text("resolution").strip().casefold()
    if (known := _PRICE_RESOLUTIONS.get(name)) is not None:
        return known
    gap = min(
        (later - earlier for earlier, later in pairwise(starts)),
        default=None,
    )
    if gap in _INFERABLE_RESOLUTIONS:
        return gap
    raise NomosResponseError(fields.path("resolution"), "unknown")


def _amounts(fields: Fields) -> tuple[_Amounts, bool]:
    """Return an item's amounts and whether everything in it that should be an amount or null is one.

    Components that are missing or misshapen cost nothing: the total stands by itself.
    """
    parts: dict[str, float | None] = {}
    is_readable = fields.has("amount") and _is_price_or_null(fields.value("amount"))
    received = fields.value("components")
    for component in received if isinstance(received, list) else ():
        if not isinstance(component, dict) or not isinstance(
            kind := component.get("type"), str
        ):
            is_readable = False
            continue
        amount = component.get("amount", math.nan)
        parts[kind] = _price(amount)
        is_readable = is_readable and _is_price_or_null(amount)
    amounts = (
        _price(fields.value("amount")),
        parts.get("electricity"),
        parts.get("grid"),
        parts.get("levies"),
    )
    return amounts, is_readable and isinstance(received, list | None)


def _is_final(fields: Fields) -> bool:
    return fields.optional_text("type") == "final"


def _is_price_or_null(value: object) -> bool:
    return value is None or _price(value) is not None


def _price(value: object) -> float | None:
    return within(finite(value), MAX_PRICE)


def _usage(value: object) -> float | None:
    return within(finite(value), MAX_USAGE)
