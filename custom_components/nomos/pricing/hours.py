"""Prices by the hour."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from math import fsum
from operator import attrgetter
from typing import Final

from .table import Components, Interval, PriceTable

_HOUR: Final = timedelta(hours=1)
_DIGITS: Final = 8


def hourly(table: PriceTable, *, whole: bool = True) -> PriceTable:
    """Return the means over clock hours, weighted by time.

    An hour that is only partly known has no price, as a part would mislead. If hours need not be ``whole``, its
    price is the mean of what is known.
    """
    # German time differs from UTC by whole hours, so clock hours are the same.
    hours = groupby(
        table.intervals,
        lambda one: one.start.replace(minute=0, second=0, microsecond=0),
    )
    return PriceTable.of(
        _mean(start, list(parts), whole=whole) for start, parts in hours
    )


def _mean(start: datetime, parts: Sequence[Interval], *, whole: bool) -> Interval:
    """Return an hour with the weighted means of its parts."""
    if not whole:
        parts = [part for part in parts if part.price is not None]
    time = sum((part.duration for part in parts), timedelta())

    def mean(value: Callable[[Interval], float | None]) -> float | None:
        known = [
            price * (part.duration / time)
            for part in parts
            if (price := value(part)) is not None
        ]
        if not known or len(known) < len(parts) or (whole and time != _HOUR):
            return None
        return round(fsum(known), _DIGITS)

    return Interval(
        start,
        start + _HOUR,
        mean(attrgetter("price")),
        Components(
            mean(attrgetter("components.electricity")),
            mean(attrgetter("components.grid")),
            mean(attrgetter("components.levies")),
        ),
    )
