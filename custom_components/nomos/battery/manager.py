"""The batteries of an account: they come, change and go with its subentries, without a reload."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from itertools import dropwhile, islice, takewhile
import logging
from typing import Any

from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from ..codec import decode
from ..const import BATTERY
from ..prices.coordinator import PriceCoordinator
from ..prices.subentry import async_register_device, coordinator_of
from .battery import HomeBattery, signal_changed
from .entities import battery_sensors
from .file import battery_file
from .model import BatteryMemory, Forecasts, PlannedRuns

_LOGGER = logging.getLogger(__name__)

type AddSensors = Callable[[Iterable[SensorEntity], str], None]
"""Adds the sensors of a battery, by the id of its subentry."""


class Batteries:
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
        """Belong to an entry; both signals may mean that other plans are better now."""
        self.all: dict[str, HomeBattery] = {}
        self._hass = hass
        self._entry = entry
        self._prices = prices
        self._forecasts = forecasts
        self._planned_runs = planned_runs
        self._forecasts_changed = forecasts_changed
        self._loads_changed = loads_changed
        self._runs: PlannedRuns = ()
        self._file = battery_file(hass, entry)
        self._stored: dict[str, BatteryMemory] = {}
        self._unusable: dict[str, Mapping[str, Any]] = {}
        """What is stored of batteries and was said to be of no use."""
        self._saved_in: datetime | None = None
        """The hour of the last write: a power cut costs no more of the ledger."""
        self._platform: AddSensors | None = None

    async def async_begin(self) -> None:
        """Take up the batteries as they were before Home Assistant stopped."""
        self._stored = await self._file.async_load(_decode) or {}
        for unsubscribe in (
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
            ),
            async_dispatcher_connect(
                self._hass, self._forecasts_changed, self._outlook_changed
            ),
            async_dispatcher_connect(
                self._hass, self._loads_changed, self._runs_changed
            ),
            self._stop,
        ):
            self._entry.async_on_unload(unsubscribe)
        self.async_update()

    @callback
    def async_each(self, platform: AddSensors) -> None:
        """Let a platform add the sensors of every battery there is, and of each one that is added later."""
        self._platform = platform
        for battery in self.all.values():
            platform(battery_sensors(battery), battery.id)

    @callback
    def async_replan(self) -> None:
        """Plan again what was made from something else than what is known now."""
        for battery in self.all.values():
            battery.async_update()

    @callback
    def _outlook_changed(self) -> None:
        for battery in self.all.values():
            battery.async_forecasts_changed()

    @callback
    def _runs_changed(self) -> None:
        """Plan again if a load has begun, ended or planned a run that no plan knew."""
        before, self._runs = self._runs, self._planned_runs()
        if self._runs != before:
            self.async_replan()

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and change is ConfigEntryChange.UPDATED:
            self.async_update()

    @callback
    def async_update(self) -> None:
        """Let batteries come, change and go with the subentries, and follow the contracts."""
        wanted = {
            key: subentry
            for key, subentry in self._entry.subentries.items()
            if subentry.subentry_type == BATTERY
        }
        for gone in self.all.keys() - wanted.keys():
            self.all.pop(gone).async_stop()
        for key, subentry in wanted.items():
            try:
                self._follow(key, subentry)
            except (TypeError, ValueError) as err:
                if self._unusable.get(key) != subentry.data:
                    _LOGGER.error(
                        "What is stored of a battery cannot be used (%s); change it, or remove and add it again",
                        type(err).__name__,
                    )
                self._unusable[key] = subentry.data
        self._save()

    @callback
    def _follow(self, key: str, subentry: ConfigSubentry) -> None:
        """Let a battery come, or change. TypeError or ValueError if what is stored of it cannot be used."""
        if new := key not in self.all:
            self.all[key] = HomeBattery(
                self._hass,
                self._entry,
                subentry,
                self._stored.get(key),
                self._forecasts,
                partial(self._runs_for, key),
            )
            self._entry.async_on_unload(
                async_dispatcher_connect(
                    self._hass, signal_changed(key), partial(self._battery_changed, key)
                )
            )
        battery = self.all[key]
        battery.async_configure(
            subentry, coordinator_of(self._prices, subentry.data.get("subscription"))
        )
        async_register_device(
            self._hass, self._entry, battery.id, battery.name, battery.coordinator
        )
        if new and self._platform is not None:
            self._platform(battery_sensors(battery), battery.id)

    def _runs_for(self, key: str) -> PlannedRuns:
        """Return what a battery has to expect besides the house: loads, and the batteries of its contract before it."""
        runs, mine = self._planned_runs(), self.all[key]
        for other in takewhile(lambda one: one is not mine, self.all.values()):
            if other.plan is not None and other.coordinator is mine.coordinator:
                runs += other.plan.runs
        return runs

    @callback
    def _battery_changed(self, key: str) -> None:
        """Plan the batteries again that come after one that may have another plan, and store what it did."""
        later = dropwhile(lambda one: one.id != key, list(self.all.values()))
        for battery in islice(later, 1, None):
            battery.async_update()
        self._save()

    @callback
    def _save(self) -> None:
        """Store what must survive a restart: every hour, else as Home Assistant stops."""
        memory = {key: battery.memory for key, battery in self.all.items()}
        hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
        if memory.keys() != self._stored.keys() or hour != self._saved_in:
            self._saved_in = hour
            self._file.async_save_soon(memory)
        elif memory != self._stored:
            self._file.async_save_later(memory)
        self._stored = memory

    @callback
    def _stop(self) -> None:
        self._save()
        while self.all:
            _, battery = self.all.popitem()
            battery.async_stop()


def _decode(stored: Any) -> dict[str, BatteryMemory]:
    return decode(dict[str, BatteryMemory], stored)
