"""The loads of an account: added, changed and removed with its subentries, without a reload."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util

from ..codec import decode
from ..const import DOMAIN
from ..entity import signal_changed
from ..planner import PlannedRuns
from ..prices.coordinator import PriceCoordinator
from ..prices.subentry import Subentries
from ..storage import StoredFile, stored_file
from .load import SUBENTRY_TYPE, Load
from .plan import LoadMemory
from .saved import async_forget_saved

if TYPE_CHECKING:
    from .own_sun import SharedSun


class Loads(Subentries[Load]):
    """Keeps one ``Load`` for each subentry."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        prices: Mapping[str, PriceCoordinator],
    ) -> None:
        """Set up an entry's loads; ``prices`` changes as contracts come and go."""
        super().__init__(hass, entry, prices, SUBENTRY_TYPE)
        self.sun: SharedSun | None = None
        """Shares own solar power among the loads that use it; None until one does."""
        self._file = load_file(hass, entry)
        self._numbers = count(1)
        self._stored: dict[str, LoadMemory] = {}

    async def async_begin(self) -> None:
        """Restore the loads as they were before Home Assistant stopped."""
        read = partial(decode, dict[str, LoadMemory])
        self._stored = await self._file.async_load(read) or {}
        async_forget_saved(self._hass, self._stored.keys() - self._entry.subentries)
        self._connect(signal_changed(self._entry.entry_id), self._save)
        self._begin()
        self._entry.async_on_unload(
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self.async_replan)
        )
        for load in list(self.all.values()):
            await load.plan_maker.async_wait()

    @override
    def _add_entities(self, one: Load, platform: Callable[[Load], None]) -> None:
        """Let a platform add the entities of a load once it is planned: before that there is nothing to show."""

        async def add() -> None:
            await one.plan_maker.async_wait()
            if self.all.get(one.id) is one:
                platform(one)

        self._entry.async_create_task(self._hass, add(), f"{DOMAIN} new load")

    def planned_runs(self) -> PlannedRuns:
        """Return the runs of all loads that go on or are planned, with their power in kW as far as it is known."""
        now = dt_util.utcnow()
        return tuple(
            run for load in self.all.values() for run in load.planned_runs(now)
        )

    @property
    def use_own_sun(self) -> bool:
        """Return whether a load uses own solar power."""
        return any(load.settings.own_sun for load in self.all.values())

    @callback
    def async_share_sun(self, sun: SharedSun) -> None:
        """Plan the loads that use own solar power and have waited for it."""
        self.sun = sun
        for load in self.all.values():
            self._take_sun(load)
            load.async_plan_if_due()

    def _take_sun(self, load: Load) -> None:
        if self.sun is not None:
            load.plan_maker.sun = self.sun
            load.meter.is_dark = self.sun.is_dark

    def energy_statistics(self) -> list[str]:
        """Return the statistic ids of the loads' energy sensors."""
        sensors = (load.settings.energy_sensor for load in self.all.values())
        return [sensor for sensor in sensors if sensor]

    @callback
    def async_replan(self, _event: Event[Any] | None = None) -> None:
        """Plan again: the hub's clock or time zone may have changed, and windows depend on both."""
        for load in self.all.values():
            load.async_replan()

    @override
    def _make(self, subentry: ConfigSubentry) -> Load:
        stored = self._stored.get(subentry.subentry_id)
        if stored is None:
            stored = LoadMemory(since=dt_util.utcnow())
        number = next(self._numbers)
        load = Load(self._hass, self._entry, subentry, stored, number=number)
        self._take_sun(load)
        return load

    @override
    def _forget(self, key: str) -> None:
        super()._forget(key)
        async_forget_saved(self._hass, [key])
        async_dispatcher_send(self._hass, signal_changed(self._entry.entry_id))

    @callback
    def _save(self) -> None:
        """Store the loads' state if it changed: a run must neither be lost nor planned twice."""
        known = self._stored | {key: one.memory for key, one in self.all.items()}
        memory = {
            key: known[key]
            for key in self._entry.subentries
            if known.get(key, LoadMemory()) != LoadMemory()
        }
        if memory == self._stored:
            return
        if _without_recoverable(memory) == _without_recoverable(self._stored):
            self._file.async_save_later(memory)
        else:
            self._file.async_save_soon(memory)
        self._stored = memory


def _without_recoverable(memory: Mapping[str, LoadMemory]) -> dict[str, LoadMemory]:
    """Return the part that must not be lost in a power cut."""
    return {
        key: replace(
            one,
            ledger=one.ledger.durable,
            readings=replace(one.readings, pace=None),
        )
        for key, one in memory.items()
    }


def load_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that stores the state of an account's loads."""
    return stored_file(hass, f"loads.{entry.entry_id}")
