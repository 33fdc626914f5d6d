"""Responses of actions: prices and plans as plain JSON values.

Pure functions. Each format of a price list is read by some software as it is (docs/recipes.md). Unknown prices
appear only in the format that has a value for them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cached_property, partial
from typing import Final

from homeassistant.util.json import JsonObjectType, JsonValueType

from ..planner import Plan
from ..pricing import (
    TARIFF_ZONE,
    Components,
    Interval,
    LevelThresholds,
    PriceTable,
    hourly,
    local_date,
    rate_day,
)

_MONEY_DIGITS: Final = 6
_AMOUNTS: Final = (
    "energy",
    "cost",
    "average_price",
    "cost_if_now",
    "cost_at_average",
    "saving_vs_now",
    "saving_vs_average",
)
"""The amounts of a plan."""


class Resolution(StrEnum):
    """The length of the rows of a price list."""

    INTERVAL = "interval"
    HOUR = "hour"


class Unit(StrEnum):
    """The unit of the prices of a list."""

    EURO = "EUR/kWh"
    CENT = "ct/kWh"


class Format(StrEnum):
    """The shape of a price list."""

    OBJECTS = "objects"
    PAIRS = "pairs"
    PAIRS_MS = "pairs_ms"
    EMHASS = "emhass"
    EMHASS_LIST = "emhass_list"
    EVCC = "evcc"
    EVSC = "evsc"


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """The intervals, or hours, that overlap ``[start, end)``, and what their formats require."""

    table: PriceTable
    start: datetime
    end: datetime
    resolution: Resolution
    unit: Unit
    thresholds: LevelThresholds
    now: datetime
    feed_in: bool

    @cached_property
    def rows(self) -> PriceTable:
        """Return the whole table in the resolution of the list."""
        return hourly(self.table) if self.resolution is Resolution.HOUR else self.table

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Return the intervals of the list, in order."""
        return self.rows.between(self.start, self.end).intervals

    @property
    def priced(self) -> Iterator[tuple[Interval, float]]:
        """Yield the intervals with a known price, and the price in the unit."""
        for interval in self.intervals:
            if (price := self.amount(interval.price)) is not None:
                yield interval, price

    def amount(self, euro: float | None) -> float | None:
        """Convert EUR/kWh to the unit of the list."""
        if euro is None or self.unit is Unit.EURO:
            return euro
        return round(euro * 100, _MONEY_DIGITS)

    def response(self, shape: Format) -> JsonObjectType:
        """Return the list in a format, with its unit and the end of the last known price."""
        until = max((interval.end for interval, _ in self.priced), default=None)
        return {
            "unit": self.unit.value,
            "until": _iso(until) if until else None,
            **_FORMATS[shape](self),
        }


def _rows(
    row: Callable[[Interval, float], JsonValueType],
) -> Callable[[PriceList], JsonObjectType]:
    """Return a format that is a list with one row per known price."""
    return lambda prices: {"prices": [row(*priced) for priced in prices.priced]}


def _objects(prices: PriceList) -> JsonObjectType:
    """Return all that is known of every interval, with its level within the whole tariff day."""
    levels = {
        rating.interval.start: rating.level.key
        for day in {local_date(interval.start) for interval in prices.intervals}
        for rating in rate_day(prices.rows.day(day), prices.thresholds)
    }
    return {
        "prices": [
            {
                "start": _iso(interval.start),
                "end": _iso(interval.end),
                "price": prices.amount(interval.price),
                **{
                    part: prices.amount(euro)
                    for part, euro in asdict(interval.components).items()
                },
                "level": levels.get(interval.start),
            }
            for interval in prices.intervals
        ]
    }


def _emhass(prices: PriceList) -> JsonObjectType:
    """Return the runtime parameter of EMHASS by time, from which it looks up the price of each step."""
    return {
        _emhass_key(prices): {
            _iso(interval.start): price for interval, price in prices.priced
        }
    }


def _emhass_list(prices: PriceList) -> JsonObjectType:
    """Return the runtime parameter of EMHASS as a list, one item for each step, up to the first gap."""
    values: list[JsonValueType] = []
    end: datetime | None = None
    for interval, price in prices.priced:
        if end is not None and interval.start != end:
            break
        values.append(price)
        end = interval.end
    return {_emhass_key(prices): values, "until": _iso(end) if end else None}


def _emhass_key(prices: PriceList) -> str:
    return "prod_price_forecast" if prices.feed_in else "load_cost_forecast"


def _evsc(prices: PriceList) -> JsonObjectType:
    """Return the attributes that EV Smart Charging reads from the current price sensor: today and tomorrow."""
    today = local_date(prices.now)
    days = {"prices_today": today, "prices_tomorrow": today + timedelta(days=1)}
    return {
        name: [
            {"start": _iso(interval.start), "price": price}
            for interval, price in prices.priced
            if local_date(interval.start) == day
        ]
        for name, day in days.items()
    }


_FORMATS: Final[Mapping[Format, Callable[[PriceList], JsonObjectType]]] = {
    Format.OBJECTS: _objects,
    Format.PAIRS: _rows(lambda one, price: [_iso(one.start), price]),
    Format.PAIRS_MS: _rows(
        lambda one, price: [round(one.start.timestamp() * 1000), price]
    ),
    Format.EMHASS: _emhass,
    Format.EMHASS_LIST: _emhass_list,
    # UTC, and no null: evcc would read it as a price of zero.
    Format.EVCC: _rows(
        lambda one, price: {
            "start": _utc(one.start),
            "end": _utc(one.end),
            "value": price,
        }
    ),
    Format.EVSC: _evsc,
}


def plan_response(
    plan: Plan, opens: datetime, closes: datetime, zone: tzinfo, *, slices: bool
) -> JsonObjectType:
    """Return a plan for a window as JSON: times with the zone's offset, money in EUR, energy in kWh."""
    at = partial(_iso, zone=zone)

    def ranges(pairs: Iterable[tuple[datetime, datetime]]) -> list[JsonValueType]:
        return [{"start": at(start), "end": at(end)} for start, end in pairs]

    response: JsonObjectType = {
        "status": plan.status.value,
        "goal": plan.objective.value,
        "provisional": plan.provisional,
        "start": at(plan.start) if plan.start else None,
        "end": at(plan.end) if plan.end else None,
        "runs": ranges((run.start, run.end) for run in plan.runs),
        "asked_seconds": plan.asked.total_seconds(),
        "planned_seconds": plan.planned.total_seconds(),
        **{name: money(getattr(plan, name)) for name in _AMOUNTS},
        "component_cost": _components(plan.component_cost),
        "window": {"start": at(opens), "end": at(closes)},
        "unknown": ranges(plan.unknown),
    }
    if slices:
        response["slices"] = [
            {
                "start": at(one.start),
                "end": at(one.end),
                "price": one.price,
                **_components(one.components),
                "power": one.power_kw,
                "energy": money(one.energy_kwh),
                "cost": money(one.cost),
            }
            for one in plan.slices
        ]
    return response


def _components(components: Components) -> JsonObjectType:
    return {part: money(euro) for part, euro in asdict(components).items()}


def money(value: float | None) -> float | None:
    """Return an amount without rounding errors of sums, and without a negative zero."""
    return None if value is None else round(value, _MONEY_DIGITS) + 0.0


def _iso(instant: datetime, zone: tzinfo = TARIFF_ZONE) -> str:
    """Return an instant as the local time of a zone with its offset."""
    return instant.astimezone(zone).isoformat()


def _utc(instant: datetime) -> str:
    return _iso(instant, UTC).replace("+00:00", "Z")
