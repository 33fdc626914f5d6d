"""The settings of a load, as frozen data."""

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
"""When a load has to be ready by default: its window spans the night."""

CHARGED_OF_METERED: Final = 0.9
"""The share of metered energy that reaches a car's battery: chargers and cars lose some 8 to 15 percent."""


class PresetCommand(NamedTuple):
    """How an entity's preset is set: the action, and the preset's name in its data and among the state's attributes."""

    service: str
    attribute: str


PRESETS: Final = {
    "climate": PresetCommand("set_preset_mode", "preset_mode"),
    "water_heater": PresetCommand("set_operation_mode", "operation_mode"),
}
"""The domains whose entities are not switched but set to a preset."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Days(StrEnum):
    """The days on which a load has to be ready; translation keys."""

    EVERY_DAY = "every_day"
    WORKDAYS = "workdays"
    WEEKEND = "weekend"
    CHOSEN = "chosen"


class Repeat(StrEnum):
    """When a load is planned; translation keys."""

    DAILY = "daily"
    ON_DEMAND = "on_demand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """A car battery that is charged up to a target; what it still needs is read from a sensor.

    Attributes:
        capacity: in kWh.
        power: charging power in kW, as metered.
        charge_sensor: the entity of its state of charge in percent, or of the energy in kWh or Wh that it lacks.
        target: in percent; with a ``target_entity``, it counts only while that entity's value is unknown.
        target_entity: the entity of the target in percent.
        lowest: the percent up to which it is charged at once, whatever the price.

    Raises:
        ValueError: a setting is invalid; the message is a translation key.

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
        """Refuse invalid settings."""
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
        """Return how long it takes to charge some percent of the capacity."""
        return duration_for(
            points / 100 * self.capacity, self.power * CHARGED_OF_METERED
        )

    def power_for(self, points: float, time: timedelta) -> float:
        """Return the metered power in kW that charges some percent of the capacity in a given time."""
        charged = points / 100 * self.capacity / CHARGED_OF_METERED
        return charged / (time / _HOUR)

    def points_in(self, time: timedelta) -> float:
        """Return how many percent of the capacity are charged in a given time."""
        charged = time / _HOUR * self.power * CHARGED_OF_METERED
        return 100 * charged / self.capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """The settings of a load. Times are in the hub's local time.

    Attributes:
        duration: how long it has to run, if ``energy`` is not given.
        energy: what it needs in kWh; it then runs as long as that takes at its power.
        power: in kW, what it draws while it runs; None if that is not known.
        start: the earliest start; None if the window opens when the previous one closes.
        end: when it has to be ready.
        within: how long after a request an on-demand load has to be ready, in place of ``end``.
        days: the weekdays on which it has to be ready, 0 for Monday.
        on_demand: whether it waits until it is asked for.
        price_cap: in EUR/kWh.
        own_sun: whether it uses own solar power, which requires a ``power``.
        fallback: when to start if prices are not known.
        car: the car whose charge decides what is needed, if any; ``duration`` is then that of a full charge.
        plugged_sensor: the entity that has to be on for the load to run. For an on-demand load without
            ``ask_sensor``, it also asks for the load.
        ask_sensor: the entity that asks for an on-demand load by turning on, and withdraws that by turning off.
        devices: the entities that are switched for it.
        preset_on: the preset of such devices during a run.
        preset_off: their preset otherwise; None for the one before the run.
        energy_sensor: the entity that counts the energy of the device, in kWh or the like.

    Raises:
        ValueError: the load can never be planned; the message is a translation key.

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
        """Refuse settings that can never be planned."""
        opens = self.start or self.end
        length = self.within or _between(opens, self.end) or _DAY
        if self.duration <= _ZERO:
            raise ValueError("no_duration")
        # A car is hardly ever empty, so it rarely needs a full charge.
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
    def request_sensor(self) -> str | None:
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

        If too little of it is left for a load that cannot pause, the one after it is returned. A load on demand is
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
        """Return the request to the planner for the rest of a window.

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
    """Return the time from one wall-clock time to the next occurrence of another: less than a day."""
    start, end = (datetime.combine(datetime.min, wall) for wall in (earlier, later))
    return (end - start) % _DAY


def _time(text: str | None) -> time | None:
    if not text:
        return None
    # Parsed as by Home Assistant's own check of forms, which accepts 7:00, too.
    if (wall := dt_util.parse_time(text)) is None:
        raise ValueError("not a time")
    return wall
