"""The customer's sensors that a load follows: its car's charge and target, whether it is plugged in or asked for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, State, callback
from homeassistant.helpers.event import (
    async_track_point_in_utc_time,
    async_track_state_change_event,
)
from homeassistant.util import dt as dt_util

from ..prices.subentry import nothing
from . import need
from .need import REPORT_VALID_FOR, Charge, Readings, RunTime
from .settings import Car, LoadSettings
from .tasks import SensorEvent

if TYPE_CHECKING:
    from .load import Load

_ZERO: Final = timedelta()

DEBOUNCE_TIME: Final = timedelta(seconds=30)
"""How long a switch must be off to count: contacts bounce, and must not interrupt a run."""

MIN_READ_INTERVAL: Final = timedelta(minutes=1)
"""The shortest time between two readings of a number, however often it is reported."""


class LoadSensors:
    """Reads the sensors of one load, wakes it when they change, and works out what it still needs."""

    def __init__(
        self,
        hass: HomeAssistant,
        load: Load,
        readings: Readings,
        wake: Callable[[], None],
    ) -> None:
        """Start from what was read before a restart; ``wake`` is called when sensors have changed."""
        self.settings = load.settings
        self.readings = readings
        self._hass = hass
        self._load = load
        self._wake = wake
        self._planned_need = _ZERO, False
        self._read_at: datetime | None = None
        self._wake_at: datetime | None = None
        self._unsub_states: CALLBACK_TYPE | None = None
        self._cancel_wake = nothing

    @property
    def unplugged(self) -> bool:
        """Return whether the load cannot run because its plug sensor is off."""
        return bool(self.settings.plugged_sensor) and self.readings.plugged is False

    def _ran(self, now: datetime) -> RunTime:
        """Return a function for how long the load has run: since an instant, or for its task."""

        def ran(since: datetime | None) -> timedelta:
            task, last = self._load.task, self._load.previous_task
            tasks = (task,) if since is None else (task, last)
            return sum((one.time_run(now, since) for one in tasks if one), _ZERO)

        return ran

    def left(self, now: datetime) -> timedelta:
        """Return how long the load still has to run; zero if that is too little to begin a run."""
        left = need.left(self.settings, self.readings, self._ran(now))
        worth_it = self._load.running(now) or left > need.tolerance(self.settings)
        return left if worth_it else _ZERO

    @property
    def target(self) -> float | None:
        """Return the target percentage of a car; None if the load is no car."""
        car = self.settings.car
        return need.target(car, self.readings) if car else None

    @property
    def note(self) -> str:
        """Return a note for the log if the need is only assumed."""
        guessed = self.settings.car is not None and self.readings.charge is None
        return " (its charge is not known: it is taken to be empty)" if guessed else ""

    def is_full(self, now: datetime) -> bool:
        """Return whether a car is plugged in and has what it needs."""
        known = self.readings.charge is not None and self.readings.plugged is True
        return known and not self.left(now)

    def urgent(self, now: datetime) -> timedelta:
        """Return how long it has to run at once, whatever the price."""
        return need.urgent(self.settings, self.readings, self._ran(now))

    def asks_again(self, now: datetime) -> bool:
        """Return whether a car that stays plugged in is low enough to be asked for again."""
        by_plug = self.settings.request_sensor == self.settings.plugged_sensor
        return (
            by_plug
            and self.readings.asked is True
            and need.needs_recharge(self.settings, self.readings, self._ran(now))
        )

    def note_planned_need(self, now: datetime) -> None:
        """Remember the need that is being planned."""
        self._planned_need = self._total_need(now), self.urgent(now) > _ZERO

    def is_need_unchanged(self, now: datetime) -> bool:
        """Return whether the need is still the planned one."""
        if self.settings.car is None:
            return True
        total, urgent = self._planned_need
        if self.urgent(now) and not (urgent and self._load.running(now)):
            return False
        return abs(self._total_need(now) - total) <= need.tolerance(self.settings)

    def _total_need(self, now: datetime) -> timedelta:
        ran = self._ran(now)
        return ran(None) + need.left(self.settings, self.readings, ran)

    def add_charged(self, now: datetime) -> None:
        """Add what the ending task has charged to the last reading."""
        if (car := self.settings.car) is not None:
            self.readings = need.extrapolated(car, self.readings, now, self._ran(now))

    @callback
    def async_follow(self, settings: LoadSettings, *, renamed: bool = False) -> None:
        """Follow the sensors in the settings; readings of other ones are dropped, unless they were only renamed."""
        before, now = _named(self.settings), _named(settings)
        self.settings = settings
        if self._unsub_states is not None and now == before:
            return
        self.async_stop()
        if not renamed:
            kept = {
                key: getattr(self.readings, key)
                for key, entity_id in now.items()
                if entity_id == before[key]
            }
            if kept.get("charge"):
                kept["pace"] = self.readings.pace
            self.readings = Readings(**kept)
        self._unsub_states = async_track_state_change_event(
            self._hass, sorted({one for one in now.values() if one}), self._changed
        )

    @callback
    def async_stop(self) -> None:
        """Stop following sensors."""
        self._cancel_wake()
        self._wake_at = None
        if self._unsub_states is not None:
            self._unsub_states()
            self._unsub_states = None

    def read(self, now: datetime) -> list[SensorEvent]:
        """Read all sensors; return the changes that the load must act on.

        A state that is neither on, off nor a number changes nothing.
        """
        before, found = self.readings, list[SensorEvent]()
        plugged = self._read_switch(self.settings.plugged_sensor, before.plugged, now)
        asked = self._read_switch(self.settings.request_sensor, before.asked, now)
        if before.plugged is not False and plugged is False:
            found.append(SensorEvent.STOPPED)
        if asked and not before.asked:
            found.append(SensorEvent.REQUESTED)
        if before.asked and asked is False:
            found.append(SensorEvent.WITHDRAWN)
        self.readings = replace(before, plugged=plugged, asked=asked)
        news = (plugged, asked) != (before.plugged, before.asked)
        car = self.settings.car
        if car is not None and (news or not self._has_just_read(now)):
            charge, target = _read_car(self._hass, car, now)
            self._read_at = now if charge else None
            readings = self.readings
            if target is not None:
                readings = replace(readings, target=target)
            readings = need.with_charge_rate(car, readings, charge, self._ran(now))
            self.readings = need.with_charge(car, readings, charge, now, self._ran(now))
        if car is not None and self._load.running(now) and not self.left(now):
            found.append(SensorEvent.STOPPED)
        return found

    def _has_just_read(self, now: datetime) -> bool:
        last = self._read_at
        return last is not None and last <= now < last + MIN_READ_INTERVAL

    def _read_switch(
        self, entity_id: str | None, before: bool | None, now: datetime
    ) -> bool | None:
        """Return whether a sensor is on; the previous value if that is unknown, or it has been off only briefly."""
        state = _state(self._hass, entity_id)
        match state and state.state:
            case "on":
                return True
            case "off":
                assert state is not None
                settles = state.last_changed + DEBOUNCE_TIME
                if before and settles - DEBOUNCE_TIME <= now < settles:
                    self._schedule_wake(settles)
                    return before
                return False
            case _:
                return before

    @callback
    def _changed(self, event: Event[Any]) -> None:
        """Wake the load, but not for every change of a number."""
        switches = self.settings.plugged_sensor, self.settings.request_sensor
        number = event.data["entity_id"] not in switches
        if number and self._read_at and self._has_just_read(dt_util.utcnow()):
            self._schedule_wake(self._read_at + MIN_READ_INTERVAL)
        else:
            self._wake()

    def _schedule_wake(self, at: datetime) -> None:
        """Wake the load at an instant at the latest."""
        if self._wake_at is None or at < self._wake_at:
            self._cancel_wake()
            self._wake_at = at
            self._cancel_wake = async_track_point_in_utc_time(
                self._hass, self._wake_now, at
            )

    @callback
    def _wake_now(self, _now: datetime) -> None:
        self._wake_at = None
        self._wake()


def _named(settings: LoadSettings) -> dict[str, str | None]:
    """Return the entities to follow, by the field of ``Readings`` that each fills."""
    car = settings.car
    return {
        "charge": car.charge_sensor if car else None,
        "target": car.target_entity if car else None,
        "plugged": settings.plugged_sensor,
        "asked": settings.request_sensor,
    }


def initial_need(
    hass: HomeAssistant, settings: LoadSettings, now: datetime
) -> timedelta:
    """Return how long a load that does not exist yet has to run."""
    charge, target = None, None
    if settings.car is not None:
        charge, target = _read_car(hass, settings.car, now)
    readings = Readings(charge=charge, target=target)
    left = need.left(settings, readings, lambda _: _ZERO)
    return left if left > need.tolerance(settings) else _ZERO


def _read_car(
    hass: HomeAssistant, car: Car, now: datetime
) -> tuple[Charge | None, float | None]:
    """Return the charge and the target of a car; None for what is unknown."""
    charge, state = None, _state(hass, car.charge_sensor)
    if state is not None:
        # An unchanged report counts as no older than REPORT_VALID_FOR.
        at = min(max(state.last_reported, now - REPORT_VALID_FOR), now)
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        charge = need.read_charge(car, state.state, unit, at)
    target = _state(hass, car.target_entity)
    return charge, None if target is None else need.read_target(target.state)


def _state(hass: HomeAssistant, entity_id: str | None) -> State | None:
    return None if entity_id is None else hass.states.get(entity_id)
