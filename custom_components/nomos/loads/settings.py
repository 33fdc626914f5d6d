"""What a customer wants of a load, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from math import inf
from typing import Any, Final, NamedTuple, Self

from homeassistant.util import dt as dt_util

from ..planner import PlanRequest, Prefer, duration_for
from ..pricing import window

_ZERO: Final = timedelta()
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)

READY_BY: Final = "07:00"
"""When a load is to be ready if nothing else is chosen: its window spans the night."""

CHARGED_OF_METERED: Final = 0.9
"""How much of what is metered gets into a car's battery: chargers and cars lose some 8 to 15 percent."""


class PresetCommand(NamedTuple):
    """How the preset of an entity is set: the service, and the name of the preset in its data and in the state."""

    service: str
    attribute: str


PRESETS: Final = {
    "climate": PresetCommand("set_preset_mode", "preset_mode"),
    "water_heater": PresetCommand("set_operation_mode", "operation_mode"),
}
"""The domains whose entities are not switched but set to a preset."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Days(StrEnum):
    """The days on which a load is to be ready; keys of the translations."""

    EVERY_DAY = "every_day"
    WORKDAYS = "workdays"
    WEEKEND = "weekend"
    CHOSEN = "chosen"


class Repeat(StrEnum):
    """When a load is planned; keys of the translations."""

    DAILY = "daily"
    ON_DEMAND = "on_demand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """A battery that is charged up to a target: what it still needs is read of a sensor.

    Attributes:
        capacity: in kWh.
        power: of charging in kW, as it is metered.
        charge_sensor: the entity of its state of charge in percent, or of the energy in kWh or Wh that it lacks.
        target: in percent; what counts while nothing is known of ``target_entity`` if that is given, too.
        target_entity: the entity of the target in percent.
        lowest: the percent that are charged at once whatever the price.

    Raises:
        ValueError: with the translation key of what cannot be meant.

    """

    capacity: float
    power: float
    charge_sensor: str
    target: float | None
    target_entity: str | None
    lowest: float | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self | None:
        """Read the data of a subentry; None if the load is no car. ValueError as above."""
        capacity, charge_sensor = data.get("capacity"), data.get("charge_sensor")
        if not capacity and not charge_sensor:
            return None
        if not charge_sensor:
            raise ValueError("no_charge_sensor")
        return cls(
            capacity=capacity or 0.0,
            power=data.get("power") or 0.0,
            charge_sensor=charge_sensor,
            target=data.get("target"),
            target_entity=data.get("target_entity"),
            lowest=data.get("lowest_charge"),
        )

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 < self.capacity <= 10_000:
            raise ValueError("no_capacity")
        if not 0 < self.power < inf:
            raise ValueError("no_power")
        if self.target is None and self.target_entity is None:
            raise ValueError("no_target")
        if self.target is not None and not 0 < self.target <= 100:
            raise ValueError("target_out_of_range")
        if self.lowest is not None and not 0 <= self.lowest <= (self.target or 100):
            raise ValueError("lowest_above_target")

    def time_for(self, points: float) -> timedelta:
        """Return how long charging takes for some percent of the capacity."""
        return duration_for(
            points / 100 * self.capacity, self.power * CHARGED_OF_METERED
        )

    def power_for(self, points: float, time: timedelta) -> float:
        """Return the power in kW, as it is metered, that charges some percent of the capacity in a time."""
        charged = points / 100 * self.capacity / CHARGED_OF_METERED
        return charged / (time / _HOUR)

    def points_in(self, time: timedelta) -> float:
        """Return how many percent of the capacity are charged in a time."""
        charged = time / _HOUR * self.power * CHARGED_OF_METERED
        return 100 * charged / self.capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """What the customer wants of a load. Times are wall-clock times of the hub.

    Attributes:
        duration: how long it has to run, if ``energy`` is not given.
        energy: what it needs in kWh; it then runs as long as its power takes for that.
        power: in kW, what it draws while it runs; None if that is not known.
        start: the earliest start; None if it may run from one time to be ready to the next.
        end: when it is to be ready.
        within: the hours after a request in which an on-demand load is to be ready, in place of ``end``.
        days: the weekdays on which it is to be ready, 0 for Monday.
        on_demand: whether it waits until it is asked for.
        price_cap: in EUR/kWh.
        own_sun: whether it is planned with own solar power; it then has a power.
        fallback: when to start if prices are not known.
        car: what is charged, if what is needed goes by that; ``duration`` is then that of a full charge.
        plugged_sensor: the entity without whose "on" the load does not run. If it is on demand and has no
            ``ask_sensor``, this one asks for it, too.
        ask_sensor: the entity that asks for an on-demand load by turning on, and no longer by turning off.
        devices: the entities that are switched for it.
        preset_on: of those with presets, the one while it runs.
        preset_off: the one otherwise; None for the one that was set before the run.
        energy_sensor: the entity that counts the energy of the device, in kWh or the like.

    Raises:
        ValueError: with the translation key of what can never be planned.

    """

    duration: timedelta
    energy: float | None
    power: float | None
    start: time | None
    end: time
    within: timedelta | None
    days: frozenset[int]
    on_demand: bool
    contiguous: bool
    min_run: timedelta
    min_pause: timedelta
    max_runs: int | None
    price_cap: float | None
    prefer: Prefer
    fallback: time | None
    contract_id: str | None
    car: Car | None = None
    plugged_sensor: str | None = None
    ask_sensor: str | None = None
    devices: tuple[str, ...] = ()
    preset_on: str | None = None
    preset_off: str | None = None
    energy_sensor: str | None = None
    own_sun: bool = False

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read the data of a subentry, or of the form; ValueError as above."""
        cap, max_runs, energy, power, within = map(
            data.get, ("price_cap", "max_runs", "energy", "power", "within")
        )
        car = Car.of(data)
        if car is not None:
            duration = car.time_for(100)
        elif energy is None:
            duration = timedelta(**data.get("duration", {}))
        elif power:
            duration = duration_for(energy, power)
        else:
            raise ValueError("no_power")
        on_demand = data.get("repeat") == Repeat.ON_DEMAND
        return cls(
            duration=duration,
            energy=None if car else energy,
            power=power,
            start=_time(data.get("start")),
            end=_time(data.get("end")) or time.fromisoformat(READY_BY),
            within=timedelta(hours=within) if within and on_demand else None,
            days=_days(data),
            on_demand=on_demand,
            contiguous=data.get("contiguous", car is None),
            min_run=timedelta(minutes=data.get("min_run", 0)),
            min_pause=timedelta(minutes=data.get("min_pause", 0)),
            max_runs=int(max_runs) if max_runs else None,
            price_cap=None if cap is None else cap / 100,
            prefer=Prefer(data.get("prefer", Prefer.EARLY)),
            fallback=_time(data.get("fallback")),
            contract_id=data.get("subscription"),
            car=car,
            plugged_sensor=data.get("plugged_sensor") or None,
            ask_sensor=data.get("ask_sensor") or None,
            devices=tuple(dict.fromkeys(data.get("devices") or ())),
            preset_on=data.get("preset_on") or None,
            preset_off=data.get("preset_off") or None,
            energy_sensor=data.get("energy_sensor") or None,
            own_sun=data.get("own_sun", False),
        )

    def __post_init__(self) -> None:
        """Refuse what can never be planned."""
        opens = self.start or self.end
        length = self.within or _between(opens, self.end) or _DAY
        if self.duration <= _ZERO:
            raise ValueError("no_duration")
        # A car is hardly ever empty.
        if self.duration > length and self.car is None:
            raise ValueError("within_too_short" if self.within else "window_too_short")
        if self.min_run > self.duration:
            raise ValueError("min_run_too_long")
        domains = {device.partition(".")[0] for device in self.devices}
        if not self.preset_on and not domains.isdisjoint(PRESETS):
            raise ValueError("no_preset")
        if self.own_sun and not self.power:
            raise ValueError("no_power_for_sun")
        if not self.days:
            raise ValueError("no_days")
        outside = self.fallback is not None and _between(opens, self.fallback) >= length
        if outside and self.within is None:
            raise ValueError("fallback_outside")

    @property
    def asking_sensor(self) -> str | None:
        """Return the entity that asks for the load."""
        return (self.ask_sensor or self.plugged_sensor) if self.on_demand else None

    def window(self, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return the window that is open at an aware instant, or else the next one, in UTC."""
        opens, closes = window(now, self.start or self.end, self.end, zone)
        while (closes.astimezone(zone) - _INSTANT).weekday() not in self.days:
            opens, closes = window(closes, self.start or self.end, self.end, zone)
        return opens, closes

    def next_window(
        self, after: datetime, zone: tzinfo, left: timedelta
    ) -> tuple[datetime, datetime]:
        """Return the window of the next task after an aware instant, in UTC.

        If too little is left of the coming one for a load that cannot pause, it is the one after it. A load on demand is
        asked for at that instant, and may begin then unless it has an earliest start.
        """
        if self.within is not None:
            return after, after + self.within
        opens, closes = self.window(after, zone)
        if self.contiguous and closes - max(after, opens) < left:
            opens, closes = self.window(closes, zone)
        if self.on_demand:
            opens = max(after, opens) if self.start else after
        return opens, closes

    def request(
        self,
        opens: datetime,
        closes: datetime,
        duration: timedelta,
        *,
        runs: int = 0,
        running_since: datetime | None = None,
    ) -> PlanRequest:
        """Return what the planner is asked for the rest of a window.

        ``duration`` is what the load still needs, ``runs`` how often it has run, the current run not included.
        """
        return PlanRequest(
            opens,
            closes,
            duration,
            contiguous=self.contiguous,
            power_kw=self.power or 1.0,
            min_run=_ZERO if self.contiguous else min(self.min_run, duration),
            min_pause=self.min_pause,
            max_runs=None if self.max_runs is None else self.max_runs - runs,
            price_cap=self.price_cap,
            prefer=self.prefer,
            running_since=running_since,
        )


_ENTITIES: Final = (
    "charge_sensor",
    "target_entity",
    "plugged_sensor",
    "ask_sensor",
    "energy_sensor",
)
"""What of the data of a subentry is the id of an entity, besides the devices."""


def renamed(data: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return the data of a subentry with another id of an entity."""
    changes: dict[str, Any] = {key: new for key in _ENTITIES if data.get(key) == old}
    if old in (devices := data.get("devices") or ()):
        changes["devices"] = [new if one == old else one for one in devices]
    return dict(data) | changes


def _days(data: Mapping[str, Any]) -> frozenset[int]:
    match data.get("days", Days.EVERY_DAY):
        case Days.WORKDAYS:
            return frozenset(range(5))
        case Days.WEEKEND:
            return frozenset({5, 6})
        case Days.CHOSEN:
            return frozenset(map(WEEKDAYS.index, data.get("weekdays", ())))
        case _:
            return frozenset(range(7))


def _between(earlier: time, later: time) -> timedelta:
    """Return how long after one wall-clock time the next other one comes: less than a day."""
    start, end = (datetime.combine(datetime.min, wall) for wall in (earlier, later))
    return (end - start) % _DAY


def _time(text: str | None) -> time | None:
    if not text:
        return None
    # As Home Assistant's own check of forms reads it, which takes 7:00, too.
    if (wall := dt_util.parse_time(text)) is None:
        raise ValueError("not a time")
    return wall
