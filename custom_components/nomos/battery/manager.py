"""The batteries of an account: added, changed and removed with its subentries, without a reload."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from itertools import dropwhile, islice, takewhile
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from ..codec import decode
from ..const import BATTERY
from ..entity import signal_changed
from ..planner import PlannedRuns
from ..prices.coordinator import PriceCoordinator
from ..prices.subentry import Subentries
from .battery import HomeBattery
from .entities import BATTERY_SENSORS, NomosBatterySensor
from .model import BatteryMemory, Forecasts, battery_file

_LOGGER = logging.getLogger(__name__)


class Batteries(Subentries[HomeBattery]):
    """Keeps one ``HomeBattery`` for each subentry."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        prices: Mapping[str, PriceCoordinator],
        forecasts: Forecasts,
        planned_runs: Callable[[], PlannedRuns],
        *,
        forecasts_changed: str,
        loads_changed: str,
    ) -> None:
        """Set up an entry's batteries; either signal may call for new plans."""
        super().__init__(hass, entry, prices, BATTERY)
        self._forecasts = forecasts
        self._planned_runs = planned_runs
        self._forecasts_changed = forecasts_changed
        self._loads_changed = loads_changed
        self._runs: PlannedRuns = ()
        self._file = battery_file(hass, entry)
        self._stored: dict[str, BatteryMemory] = {}
        self._unusable: dict[str, Mapping[str, Any]] = {}
        """Stored settings that were already logged as unusable."""
        self._saved_in: datetime | None = None
        """The hour of the last write: a power cut loses at most an hour of the ledger."""

    async def async_begin(self) -> None:
        """Restore the batteries as they were before Home Assistant stopped."""
        read = partial(decode, dict[str, BatteryMemory])
        self._stored = await self._file.async_load(read) or {}
        self._connect(self._forecasts_changed, self._outlook_changed)
        self._connect(self._loads_changed, self._runs_changed)
        self._begin()

    @callback
    def async_add_sensors(self, add: AddConfigEntryEntitiesCallback) -> None:
        """Add the sensors of every battery, including those added later."""
        self.async_each(
            add,
            lambda battery: (
                NomosBatterySensor(battery, one) for one in BATTERY_SENSORS
            ),
        )

    @callback
    def async_replan(self) -> None:
        """Plan batteries again if their plans are outdated."""
        for battery in self.all.values():
            battery.async_update()

    @callback
    def _outlook_changed(self) -> None:
        for battery in self.all.values():
            battery.async_forecasts_changed()

    @callback
    def _runs_changed(self) -> None:
        """Plan again if the runs of loads have changed."""
        before, self._runs = self._runs, self._planned_runs()
        if self._runs != before:
            self.async_replan()

    @override
    def async_update(self) -> None:
        super().async_update()
        self._save()

    @override
    def _forget(self, key: str) -> None:
        """Plan the other batteries again, too: they had left this one its share."""
        super()._forget(key)
        self.async_replan()

    @override
    def _follow(self, key: str, subentry: ConfigSubentry) -> None:
        try:
            super()._follow(key, subentry)
        except (TypeError, ValueError) as err:
            if self._unusable.get(key) != subentry.data:
                _LOGGER.error(
                    "What is stored of a battery cannot be used (%s); change it, or remove and add it again",
                    type(err).__name__,
                )
            self._unusable[key] = subentry.data

    @override
    def _make(self, subentry: ConfigSubentry) -> HomeBattery:
        key = subentry.subentry_id
        battery = HomeBattery(
            self._hass,
            self._entry,
            subentry,
            self._stored.get(key),
            self._forecasts,
            partial(self._runs_for, key),
        )
        self._connect(signal_changed(key), partial(self._battery_changed, key))
        return battery

    def _runs_for(self, key: str) -> PlannedRuns:
        """Return the runs to plan a battery around: those of loads, and of earlier batteries of its contract."""
        runs, mine = self._planned_runs(), self.all[key]
        for other in takewhile(lambda one: one is not mine, self.all.values()):
            if other.plan is not None and other.coordinator is mine.coordinator:
                runs += other.plan.runs
        return runs

    @callback
    def _battery_changed(self, key: str) -> None:
        """Plan the batteries again that come after a changed one, and store its state."""
        later = dropwhile(lambda one: one.id != key, list(self.all.values()))
        for battery in islice(later, 1, None):
            battery.async_update()
        self._save()

    @callback
    def _save(self) -> None:
        """Store the batteries' state: every hour, and as Home Assistant stops."""
        known = self._stored | {key: one.memory for key, one in self.all.items()}
        memory = {key: known[key] for key in self._entry.subentries if key in known}
        hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
        if memory.keys() != self._stored.keys() or hour != self._saved_in:
            self._saved_in = hour
            self._file.async_save_soon(memory)
        elif memory != self._stored:
            self._file.async_save_later(memory)
        self._stored = memory

    @callback
    @override
    def _stop(self) -> None:
        self._save()
        super()._stop()
