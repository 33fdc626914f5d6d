"""The shapes in which actions answer: prices and plans as plain JSON values.

Pure functions. Each shape of a price list is what one kind of software reads as it is (docs/recipes.md); prices that
are unknown appear only where the shape has a word for it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby
from math import fsum
from typing import Final

from homeassistant.util.json import JsonObjectType, JsonValueType

from ..planner import Plan
from ..pricing import (
    TARIFF_ZONE,
    Components,
    DayLevels,
    Interval,
    LevelThresholds,
    PriceTable,
    local_date,
)

_HOUR: Final = timedelta(hours=1)
_DIGITS: Final = 8
_MONEY_DIGITS: Final = 6
_PARTS: Final = ("electricity", "grid", "levies")


class Resolution(StrEnum):
    """How long the rows of a price list are."""

    INTERVAL = "interval"
    HOUR = "hour"


class Unit(StrEnum):
    """What prices are counted in."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """The intervals to answer with, in order, and all that their shapes need to know."""

    intervals: tuple[Interval, ...]
    levels: Mapping[datetime, str]
    unit: Unit
    now: datetime
    feed_in: bool

    @classmethod
    def of(
        cls,
        table: PriceTable,
        start: datetime,
        end: datetime,
        *,
        resolution: Resolution,
        unit: Unit,
        thresholds: LevelThresholds,
        now: datetime,
        feed_in: bool,
    ) -> PriceList:
        """Pick the intervals, or hours, that lie at least partly in ``[start, end)``.

        Levels are those within the whole tariff day, as far as the table knows it.
        """
        if resolution is Resolution.HOUR:
            table = hourly(table)
        intervals = tuple(
            interval
            for interval in table.intervals
            if interval.end > start and interval.start < end
        )
        days = {local_date(interval.start) for interval in intervals}
        levels = {
            standing.interval.start: standing.level.key
            for day in days
            for standing in DayLevels.of(table.day(day), thresholds).standings
        }
        return cls(
            intervals=intervals, levels=levels, unit=unit, now=now, feed_in=feed_in
        )

    @property
    def priced(self) -> Iterator[tuple[Interval, float]]:
        """Yield the intervals with a known price, and the price in the unit."""
        for interval in self.intervals:
            if (price := self.amount(interval.price)) is not None:
                yield interval, price

    def amount(self, euro: float | None) -> float | None:
        """Return EUR/kWh in the unit of the list."""
        if euro is None:
            return None
        return round(euro * 100, _MONEY_DIGITS) if self.unit is Unit.CENT else euro

    def response(self, shape: Format) -> JsonObjectType:
        """Return the list in a shape, with its unit and the end of the last known price."""
        until = max((interval.end for interval, _ in self.priced), default=None)
        return {
            "unit": self.unit.value,
            "until": _iso(until) if until else None,
            **_SHAPES[shape](self),
        }


def hourly(table: PriceTable) -> PriceTable:
    """Return the means over clock hours, each price weighted by its time.

    An hour that is not known to its end has no price: half of it would only mislead.
    """
    return PriceTable.of(
        _mean(start, list(group))
        for start, group in groupby(table.intervals, key=_hour_of)
    )


def _hour_of(interval: Interval) -> datetime:
    # German clocks are whole hours off UTC: an hour there is an hour here.
    return interval.start.replace(minute=0, second=0, microsecond=0)


def _mean(start: datetime, parts: list[Interval]) -> Interval:
    if len(parts) == 1 and parts[0].duration == _HOUR:
        return parts[0]
    covered = sum((part.duration for part in parts), timedelta()) == _HOUR

    def mean(value: Callable[[Interval], float | None]) -> float | None:
        values = [value(part) for part in parts]
        known = [
            one * (part.duration / _HOUR)
            for one, part in zip(values, parts, strict=True)
            if one is not None
        ]
        return (
            round(fsum(known), _DIGITS)
            if covered and len(known) == len(parts)
            else None
        )

    return Interval(
        start,
        start + _HOUR,
        mean(lambda part: part.price),
        Components(
            mean(lambda part: part.components.electricity),
            mean(lambda part: part.components.grid),
            mean(lambda part: part.components.levies),
        ),
    )


def _objects(prices: PriceList) -> JsonObjectType:
    rows: list[JsonValueType] = []
    for interval in prices.intervals:
        parts: JsonObjectType = {
            name: prices.amount(getattr(interval.components, name)) for name in _PARTS
        }
        rows.append(
            {
                "start": _iso(interval.start),
                "end": _iso(interval.end),
                "price": prices.amount(interval.price),
                **parts,
                "level": prices.levels.get(interval.start),
            }
        )
    return {"prices": rows}


def _pairs(prices: PriceList) -> JsonObjectType:
    return {
        "prices": [[_iso(interval.start), price] for interval, price in prices.priced]
    }


def _pairs_ms(prices: PriceList) -> JsonObjectType:
    return {
        "prices": [
            [round(interval.start.timestamp() * 1000), price]
            for interval, price in prices.priced
        ]
    }


def _emhass(prices: PriceList) -> JsonObjectType:
    """Return the runtime parameter of EMHASS, by time: it looks up what each of its steps costs."""
    return {
        _emhass_key(prices): {
            _iso(interval.start): price for interval, price in prices.priced
        }
    }


def _emhass_list(prices: PriceList) -> JsonObjectType:
    """Return the runtime parameter of EMHASS as a list, one for each step: it must not jump over a gap."""
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


def _evcc(prices: PriceList) -> JsonObjectType:
    """Return what evcc reads as rates: UTC, and no null, which it would take for a price of zero."""
    return {
        "prices": [
            {
                "start": _utc(interval.start),
                "end": _utc(interval.end),
                "value": price,
            }
            for interval, price in prices.priced
        ]
    }


def _evsc(prices: PriceList) -> JsonObjectType:
    """Return what EV Smart Charging reads, as the current price sensor shows it: today and tomorrow."""
    today = local_date(prices.now)
    days: dict[str, list[JsonValueType]] = {"prices_today": [], "prices_tomorrow": []}
    names = dict(zip((today, today + timedelta(days=1)), days, strict=True))
    for interval, price in prices.priced:
        if name := names.get(local_date(interval.start)):
            days[name].append({"start": _iso(interval.start), "price": price})
    return dict(days)


_SHAPES: Final[Mapping[Format, Callable[[PriceList], JsonObjectType]]] = {
    Format.OBJECTS: _objects,
    Format.PAIRS: _pairs,
    Format.PAIRS_MS: _pairs_ms,
    Format.EMHASS: _emhass,
    Format.EMHASS_LIST: _emhass_list,
    Format.EVCC: _evcc,
    Format.EVSC: _evsc,
}


def plan_response(
    plan: Plan, opens: datetime, closes: datetime, zone: tzinfo, *, slices: bool
) -> JsonObjectType:
    """Return a plan for a window as JSON: instants with the zone's offset, money in EUR, energy in kWh."""

    def at(instant: datetime | None) -> str | None:
        return instant.astimezone(zone).isoformat() if instant else None

    def stretches(
        pairs: Iterable[tuple[datetime, datetime]],
    ) -> list[JsonValueType]:
        return [{"start": at(start), "end": at(end)} for start, end in pairs]

    response: JsonObjectType = {
        "status": plan.status.value,
        "goal": plan.objective.value,
        "provisional": plan.provisional,
        "start": at(plan.start),
        "end": at(plan.end),
        "runs": stretches((run.start, run.end) for run in plan.runs),
        "asked_seconds": plan.asked.total_seconds(),
        "planned_seconds": plan.planned.total_seconds(),
        "energy": _money(plan.energy),
        "cost": _money(plan.cost),
        "average_price": _money(plan.average_price),
        "component_cost": _parts(plan.component_cost),
        "cost_if_now": _money(plan.cost_if_now),
        "cost_at_average": _money(plan.cost_at_average),
        "saving_vs_now": _money(plan.saving_vs_now),
        "saving_vs_average": _money(plan.saving_vs_average),
        "window": {"start": at(opens), "end": at(closes)},
        "unknown": stretches(plan.unknown),
    }
    if slices:
        response["slices"] = [
            {
                "start": at(one.start),
                "end": at(one.end),
                "price": one.price,
                **_parts(one.components),
                "power": one.power_kw,
                "energy": _money(one.energy_kwh),
                "cost": _money(one.cost),
            }
            for one in plan.slices
        ]
    return response


def _parts(components: Components) -> JsonObjectType:
    return {name: _money(getattr(components, name)) for name in _PARTS}


def _money(value: float | None) -> float | None:
    """Return an amount without the binary dust of sums, and zero without a sign."""
    return None if value is None else round(value, _MONEY_DIGITS) + 0.0


def _iso(instant: datetime) -> str:
    """Return an instant as the tariff's local time with its offset."""
    return instant.astimezone(TARIFF_ZONE).isoformat()


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
