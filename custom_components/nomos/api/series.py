"""Prices and usage as the Nomos API sends them: series of intervals, in its units.

Times are UTC. Every `from_json` ignores unknown fields, and raises `NomosResponseError` with the field that is not
as documented. Unknown values are `None`, never zero.

A month is thousands of items. `read_item` turns each into a plain tuple, a row, as soon as it is decoded, so that
they never all exist as nested objects at once; see `columns`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import math
from typing import Any, Self

from .columns import CompactSequence
from .enums import MeterType, UsageResolution
from .errors import NomosResponseError
from .parsing import Fields, number_within, require_euro

type _Row = tuple[Any, ...]
"""The parts of an item: its start, its values, and whether all of them were readable."""

MAX_PRICE = 10_000.0
"""ct/kWh, positive or negative; more is implausible."""

MAX_USAGE = 1_000_000.0
"""kWh in an interval; more is implausible."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)

# The OpenAPI has `hourly` and `15min`; older pages and examples have the others.
_PRICE_RESOLUTIONS = {
    "15min": timedelta(minutes=15),
    "hourly": _HOUR,
    "hour": _HOUR,
    "60min": _HOUR,
}
_INFERABLE_RESOLUTIONS = frozenset(
    {timedelta(minutes=15), timedelta(minutes=30), _HOUR}
)


@dataclass(frozen=True, slots=True)
class PriceItem:
    """The price of one interval, in ct/kWh (Nomos API, Price `items`).

    Attributes:
        amount: The all-in working price (consumption) or the payout (feed-in); may be negative or zero; None if
            Nomos does not know it yet. It is never summed up from its parts.
        electricity: The component for energy, and so on; None if unknown or not part of the price.
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
        resolution: The length of every interval.
        items: Sorted by start, each start once; there may be gaps. None if the subscription is not active.
        unreadable: How many received items had an invalid amount.
    """

    resolution: timedelta
    items: Sequence[PriceItem] | None
    unreadable: int = 0

    @staticmethod
    def read_item(values: dict[str, object]) -> object:
        """Return the row of a price item, and any other object as it is; for `decode`."""
        keys = values.keys()
        is_item = keys >= {"timestamp", "amount", "components"} and "items" not in keys
        return _read_item(_price_row, values) if is_item else values

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a price answer.

        One bad number must not cost a whole day: an amount of an item or a component that is missing, not a finite
        number, or implausible (`MAX_PRICE`) is unknown (None), and its item counts as `unreadable`. Anything that
        would shift or scale prices is an error: a bad or misaligned timestamp, another unit or currency, a
        resolution that is neither known nor evident, a wrong structure. Components of unknown types are ignored; of
        items with the same start the last one wins.
        """
        fields = Fields.of(data)
        if "".join(fields.text("unit").split()).casefold() != "ct/kwh":
            raise fields.error("unit", "not ct/kWh")
        require_euro(fields)
        inactive = "items" in fields.values and fields.value("items") is None
        received = [] if inactive else _rows(fields, "items", _price_row)
        resolution = _price_resolution(fields, received)
        for index, (start, *_) in enumerate(received):
            if (start - _EPOCH) % resolution:
                raise fields.error(
                    f"items[{index}].timestamp", "not at the beginning of an interval"
                )
        return cls(
            resolution=resolution,
            items=None if inactive else _packed(PriceItem, received),
            unreadable=sum(not row[-1] for row in received),
        )


@dataclass(frozen=True, slots=True)
class UsageItem:
    """The energy of one interval (Nomos API, Usage `data`).

    Attributes:
        kwh: Positive in both directions; the type of the subscription gives the direction.
        final: Whether the value is final; others may be replaced until the 8th working day of the next month.
    """

    start: datetime
    kwh: float
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSeries:
    """Metered energy (Nomos API, Usage).

    Attributes:
        resolution: As returned, which may differ from what was requested (analog meters: months).
        items: Sorted by start, each start once; gaps are normal.
        unreadable: How many received items were left out because their usage is not a plausible number.
    """

    meter_type: MeterType
    resolution: UsageResolution
    items: Sequence[UsageItem]
    unreadable: int = 0

    @staticmethod
    def read_item(values: dict[str, object]) -> object:
        """Return the row of a usage item, and any other object as it is; for `decode`."""
        is_item = values.keys() >= {"start", "usage"} and "data" not in values
        return _read_item(_usage_row, values) if is_item else values

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a usage answer.

        An item whose usage is not a number, or implausible (`MAX_USAGE`), is left out and counted in `unreadable`.
        An unknown `type` counts as preliminary. Of items with the same start the last one wins.
        """
        fields = Fields.of(data)
        resolution = fields.text("resolution")
        # Older pages have several names for the same length, as they do for prices.
        resolution = "hour" if resolution in {"hourly", "60min"} else resolution
        if resolution not in UsageResolution:
            raise fields.error("resolution", "unknown")
        received = _rows(fields, "data", _usage_row)
        readable = [row for row in received if row[-1]]
        return cls(
            meter_type=fields.choice("meter_type", MeterType),
            resolution=UsageResolution(resolution),
            items=_packed(UsageItem, readable),
            unreadable=len(received) - len(readable),
        )


def _read_item(read_row: Callable[[Fields], _Row], values: dict[str, object]) -> object:
    """Return an item's row, or a bad item unchanged: its path, needed for the error, is only known later."""
    try:
        return read_row(Fields(values))
    except NomosResponseError:
        return values


def _rows(fields: Fields, key: str, read_row: Callable[[Fields], _Row]) -> list[_Row]:
    """Return the rows of a list, whether `read_item` already built them or not. JSON itself has no tuples."""
    return [
        item if isinstance(item, tuple) else read_row(Fields.of(item, path))
        for path, item in fields.items(key)
    ]


def _packed[T](make: Callable[..., T], received: Iterable[_Row]) -> CompactSequence[T]:
    """Return the items of rows by start; of those with the same start, the last one."""
    rows = {row[0]: row[:-1] for row in received}
    return CompactSequence(make, tuple(rows[start] for start in sorted(rows)))


def _price_resolution(fields: Fields, rows: Collection[_Row]) -> timedelta:
    """Return the length of the intervals: as named, or as evident from the smallest gap between their starts."""
    name = fields.text("resolution").strip().casefold()
    if (known := _PRICE_RESOLUTIONS.get(name)) is not None:
        return known
    starts: list[datetime] = sorted({row[0] for row in rows})
    gap = min((later - start for start, later in pairwise(starts)), default=None)
    if gap in _INFERABLE_RESOLUTIONS:
        return gap
    raise fields.error("resolution", "unknown")


def _price_row(item: Fields) -> _Row:
    """Return the row of a price. Missing or malformed components do not affect the total."""
    start = item.instant("timestamp")
    # A missing amount is unreadable; null is not.
    received: dict[str | None, object] = {None: item.values.get("amount", math.nan)}
    components = item.value("components")
    readable = isinstance(components, list | None)
    for component in components if isinstance(components, list) else ():
        match component:
            case {"type": str(kind)}:
                received[kind] = component.get("amount", math.nan)
            case _:
                readable = False
    amounts = {
        kind: number_within(value, MAX_PRICE) for kind, value in received.items()
    }
    readable = readable and all(
        amount is not None or received[kind] is None for kind, amount in amounts.items()
    )
    parts = (amounts.get(kind) for kind in (None, "electricity", "grid", "levies"))
    return start, *parts, readable


def _usage_row(item: Fields) -> _Row:
    """Return the row of a reading; it is unreadable if its usage is not a plausible number."""
    kwh = number_within(item.value("usage"), MAX_USAGE)
    is_final = item.optional_text("type") == "final"
    return item.instant("start"), kwh, is_final, kwh is not None
