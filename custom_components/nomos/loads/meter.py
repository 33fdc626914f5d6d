"""Follows the energy sensor of a load's device, and keeps the load's ledger."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite
from typing import Final

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, UnitOfEnergy
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util.unit_conversion import EnergyConverter

from ..planner import Run
from ..pricing import EMPTY_TABLE, PriceTable, quarter_of
from .ledger import Ledger, Month, Reading, SavedHour, Source, month_start, next_month
from .plan import Task
from .planning import average_price
from .settings import LoadSettings

_MAX_ENERGY: Final = 1e8
"""In kWh: no counter of a device shows more."""

_METER_DELAY: Final = timedelta(minutes=15)
"""How long after a run a meter may take to show all of it."""

_METER_TIMEOUT: Final = timedelta(days=1)
"""How long to wait for a meter that is unavailable as a run ends, but not beyond the next run."""


class Meter:
    """Keeps the ledger of one load, and wakes the load when something was booked."""

    def __init__(
        self,
        hass: HomeAssistant,
        settings: LoadSettings,
        ledger: Ledger,
        task: Task | None,
        wake: Callable[[], None],
    ) -> None:
        """Start from the stored ledger and task."""
        self.settings = settings
        self.stored_ledger = ledger
        """The ledger to store: as of the last booking, change of a run, or quarter-hour of one."""
        self._ledger = ledger
        self.is_dark: Callable[[datetime, datetime], bool] | None = None
        """Returns whether no sun is expected for certain between two instants; None without solar forecasts."""
        self._hass = hass
        self._wake = wake
        self._table: PriceTable = EMPTY_TABLE
        self._task = task
        self._unsub: CALLBACK_TYPE | None = None

    @property
    def source(self) -> Source:
        """Return where the load's energy figure comes from, according to its settings."""
        if self.settings.energy_sensor is not None:
            return Source.METERED
        return Source.UNKNOWN if self.settings.power is None else Source.POWER

    def month(self, now: datetime) -> Month | None:
        """Return this month's totals; None if nothing can be booked without a meter or a known power."""
        found = self.stored_ledger.month(now)
        if found is None and self.source is not Source.UNKNOWN:
            return Month(start=month_start(now))
        return found

    def source_of(self, now: datetime) -> Source:
        """Return the source of this month's bookings; before the first one, the source it will have."""
        if (month := self.stored_ledger.month(now)) is None:
            return self.source
        return Source.METERED if month.metered else Source.POWER

    def next_change(self, now: datetime) -> datetime:
        """Return when something is booked next, or a new month begins."""
        unbooked, month = self.stored_ledger.unbooked, next_month(now)
        return min(unbooked.until, month) if unbooked else month

    @callback
    def async_follow(self, settings: LoadSettings, *, renamed: bool = False) -> None:
        """Follow the energy sensor in the settings. Readings of different sensors are not compared."""
        before, sensor = self.settings.energy_sensor, settings.energy_sensor
        self.settings = settings
        if sensor == before and self._unsub is not None:
            return
        if not renamed and before not in {None, sensor}:
            self._ledger = replace(self._ledger, reading=None)
        self.async_stop()
        if sensor is not None:
            self._unsub = async_track_state_change_event(
                self._hass, sensor, self._changed
            )
            self._read(self._hass.states.get(sensor))

    @callback
    def async_stop(self) -> None:
        """Stop following the sensor."""
        if self._unsub is not None:
            self._unsub()
            self._unsub = None

    @callback
    def update(
        self, now: datetime, task: Task | None, table: PriceTable | None
    ) -> None:
        """Note the current task and the known prices; book what is due."""
        self._table = table or EMPTY_TABLE
        before, self._task = self._task, task
        unbooked = self._ledger.unbooked
        if unbooked is not None:
            begins = task is not None and task.run_at(now) is not None
            if begins or now >= unbooked.until:
                self._book()
        if _runs(before) != _runs(task):
            self._store_ledger()

    @callback
    def finish(self, now: datetime, task: Task) -> None:
        """Note that a task is over; it is booked once its meter has shown all of it."""
        unbooked = self._ledger.unbooked
        if unbooked is not None and unbooked.runs[:1] != task.runs[:1]:
            self._book()
        wait = timedelta()
        if self.settings.energy_sensor is not None:
            wait = _METER_DELAY if self._reading() else _METER_TIMEOUT
        self._task = None
        self._ledger = self._ledger.with_finished(
            task.opens, task.runs, now + wait, by_hand=task.by_hand
        )
        self._store_ledger()

    @callback
    def set_idle(self, now: datetime, *, idle: bool) -> None:
        """Note whether a device is idle during a run: without a meter, it then counts as using nothing."""
        before, self._ledger = self._ledger, self._ledger.with_idle(now, idle=idle)
        if self._ledger != before:
            self._store_ledger()

    @callback
    def async_recorded(self, hours: Collection[SavedHour]) -> None:
        """Note that some hours are in the long-term statistic."""
        self._ledger = self._ledger.with_recorded(hours)
        self._store_ledger()
        self._wake()

    def _book(self) -> None:
        if (task := self._ledger.unbooked) is None:
            return
        length = sum((run.duration for run in task.runs), timedelta())
        at_opening = Run(start=task.opens, end=task.opens + length)
        # The solar power really used is unknown: a saving is booked only if there cannot have been any.
        known = not self.settings.own_sun or self._all_dark((at_opening, *task.runs))
        self._ledger = self._ledger.book(
            self._table,
            average_price(self._table, (at_opening,)) if known else None,
            power=self.settings.power,
            metered=self._reading() is not None,
        )
        self._store_ledger()

    def _all_dark(self, runs: Iterable[Run]) -> bool:
        is_dark = self.is_dark
        return is_dark is not None and all(is_dark(run.start, run.end) for run in runs)

    def _store_ledger(self) -> None:
        self.stored_ledger = self._ledger

    def _reading(self) -> Reading | None:
        """Return the sensor's current reading; None if it is unusable."""
        sensor = self.settings.energy_sensor
        state = self._hass.states.get(sensor) if sensor else None
        return None if state is None else read(state)

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        self._read(event.data["new_state"])

    def _read(self, state: State | None) -> None:
        if state is None or (reading := read(state)) is None:
            return
        before, unbooked = self._ledger.reading, self._ledger.unbooked
        runs = unbooked.runs if unbooked else _runs(self._task)
        self._ledger = self._ledger.with_reading(reading, runs)
        if unbooked is not None and reading.at >= unbooked.runs[-1].end:
            self._book()
            self._wake()
        elif (
            self._ledger.used != self.stored_ledger.used
            and before is not None
            and quarter_of(before.at) != quarter_of(reading.at)
        ):
            self._store_ledger()
            self._wake()


def read(state: State) -> Reading | None:
    """Return the reading in the state of an energy sensor; None if it is missing or impossible."""
    try:
        energy = EnergyConverter.convert(
            float(state.state),
            state.attributes.get(ATTR_UNIT_OF_MEASUREMENT),
            UnitOfEnergy.KILO_WATT_HOUR,
        )
    except ValueError, HomeAssistantError:
        return None
    if not isfinite(energy) or not 0 <= energy <= _MAX_ENERGY:
        return None
    return Reading(state.last_changed, energy)


def _runs(task: Task | None) -> tuple[Run, ...]:
    return task.runs if task else ()
