"""The loads of an account: they come, change and go with its subentries, without a reload."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from ..codec import decode
from ..const import DOMAIN
from ..planner import Run
from ..prices.coordinator import PriceCoordinator
from ..prices.subentry import async_register_device, coordinator_of
from ..storage import StoredFile, stored_file
from .control import Control
from .load import SUBENTRY_TYPE, Load, signal_changed
from .plan import LoadMemory
from .saved import async_forget_saved
from .settings import LoadSettings, renamed

if TYPE_CHECKING:
    from .own_sun import SharedSun


class Loads:
    """Keeps one ``Load`` for each subentry.

    An entry's update listener would make Home Assistant refuse the flows that reload by themselves. So subentries are
    compared with every change of the entry, also for each token that is stored.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        prices: Mapping[str, PriceCoordinator],
    ) -> None:
        """Belong to an entry; ``prices`` is followed as contracts come and go."""
        self.all: dict[str, Load] = {}
        self.controls: dict[str, Control] = {}
        self.sun: SharedSun | None = None
        """What loads go by that use own solar power; None as long as there is none."""
        self._hass = hass
        self._entry = entry
        self._prices = prices
        self._file = load_file(hass, entry)
        self._numbers = count(1)
        self._platforms: list[Callable[[Load], None]] = []
        self._stored: dict[str, LoadMemory] = {}

    async def async_begin(self) -> None:
        """Take up the loads as they were before Home Assistant stopped."""
        self._stored = await self._file.async_load(_decode) or {}
        async_forget_saved(self._hass, self._stored.keys() - self._entry.subentries)
        self.async_update()
        for unsubscribe in (
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
            ),
            async_dispatcher_connect(
                self._hass, signal_changed(self._entry.entry_id), self._save
            ),
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self.async_replan),
            self._hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED,
                self._entity_renamed,
                event_filter=_is_renamed,
            ),
            self._stop,
        ):
            self._entry.async_on_unload(unsubscribe)
        for load in list(self.all.values()):
            await load.making.async_wait()

    @callback
    def async_each(
        self,
        async_add_entities: AddConfigEntryEntitiesCallback,
        entities: Callable[[Load], Iterable[Entity]],
    ) -> None:
        """Add a platform's entities of every load there is, and of each one that is added later."""

        def platform(load: Load) -> None:
            async_add_entities(entities(load), config_subentry_id=load.id)

        self._platforms.append(platform)
        for load in self.all.values():
            self._add_entities(load, platform)

    def _add_entities(self, load: Load, platform: Callable[[Load], None]) -> None:
        """Let a platform add the entities of a load as soon as it is planned: before that there is nothing to show."""

        async def add() -> None:
            await load.making.async_wait()
            if self.all.get(load.id) is load:
                platform(load)

        self._entry.async_create_task(self._hass, add(), f"{DOMAIN} new load")

    def planned_runs(self) -> tuple[tuple[Run, float], ...]:
        """Return the runs that go on or are planned, with the power in kW; without those of loads whose power is unknown."""
        now = dt_util.utcnow()
        return tuple(
            (run, power)
            for load in self.all.values()
            if (power := load.settings.power) is not None
            for run in load.runs
            if run.end > now
        )

    @property
    def use_own_sun(self) -> bool:
        """Return whether a load uses own solar power."""
        return any(load.settings.own_sun for load in self.all.values())

    @callback
    def async_share_sun(self, sun: SharedSun) -> None:
        """Plan those loads that use own solar power, for which they have waited."""
        self.sun = sun
        for load in self.all.values():
            self._take_sun(load)
            load.async_follow_sun()

    def _take_sun(self, load: Load) -> None:
        if self.sun is not None:
            load.making.sun = self.sun.share_of(load)
            load.meter.is_dark = self.sun.is_dark

    def energy_statistics(self) -> list[str]:
        """Return the ids of the statistics of what loads use, as far as the customer named their sensors."""
        sensors = (load.settings.energy_sensor for load in self.all.values())
        return [sensor for sensor in sensors if sensor]

    @callback
    def async_replan(self, _event: Event[Any] | None = None) -> None:
        """Plan again: the hub's clock, or its time zone, by which windows are, may have changed."""
        for load in self.all.values():
            load.async_replan()

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and change is ConfigEntryChange.UPDATED:
            self.async_update()

    @callback
    def _entity_renamed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Let loads go on with an entity of the customer's that has another id."""
        data = event.data
        if data["action"] != "update":
            return
        old, new = data["old_entity_id"], data["entity_id"]
        for load in list(self.all.values()):
            before = load.subentry.data
            if (after := renamed(before, old, new)) != before:
                load.async_rename(LoadSettings.of(after))
                self.controls[load.id].async_rename(old, new)
                self._hass.config_entries.async_update_subentry(
                    self._entry, load.subentry, data=after
                )

    @callback
    def async_update(self) -> None:
        """Let loads come, change and go with the subentries, and follow the contracts."""
        wanted = {
            key: subentry
            for key, subentry in self._entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_TYPE
        }
        for gone in self.all.keys() - wanted.keys():
            self.controls.pop(gone).async_stop()
            self.all.pop(gone).async_stop()
            async_forget_saved(self._hass, [gone])
            async_dispatcher_send(self._hass, signal_changed(self._entry.entry_id))
        for key, subentry in wanted.items():
            new, stored = key not in self.all, self._stored.get(key)
            if stored is None:
                stored = LoadMemory(since=dt_util.utcnow())
            prices = self.coordinator_of(subentry.data.get("subscription"))
            if not new and self.all[key].is_configured(subentry, prices):
                continue
            if new:
                self.all[key] = Load(
                    self._hass,
                    self._entry,
                    subentry,
                    stored,
                    number=next(self._numbers),
                )
            load = self.all[key]
            if new:
                self._take_sun(load)
            load.async_configure(subentry, prices)
            async_register_device(
                self._hass, self._entry, load.id, load.name, load.coordinator
            )
            if new:
                control = Control(self._hass, load, stored.devices, self._save)
                self.controls[key] = control
                control.async_begin()
            for platform in self._platforms if new else ():
                self._add_entities(load, platform)

    def coordinator_of(self, named: str | None) -> PriceCoordinator | None:
        """Return the prices that a load is planned with; ``named`` is the contract that it asks for."""
        return coordinator_of(self._prices, named)

    @callback
    def _save(self) -> None:
        """Store what must survive a restart if it changed: a run must neither be lost nor planned twice."""
        memory = {
            key: one
            for key, load in self.all.items()
            if (one := self._memory_of(load)) != LoadMemory()
        }
        if memory == self._stored:
            return
        if _urgent(memory) == _urgent(self._stored):
            self._file.async_save_later(memory)
        else:
            self._file.async_save_soon(memory)
        self._stored = memory

    def _memory_of(self, load: Load) -> LoadMemory:
        """Return what has to survive a restart; of the devices of a load that is new, what did."""
        control, stored = self.controls.get(load.id), self._stored.get(load.id)
        devices = control.memory if control else stored.devices if stored else {}
        return replace(load.memory, devices=devices)

    @callback
    def _stop(self) -> None:
        while self.controls:
            _, control = self.controls.popitem()
            control.async_stop()
        while self.all:
            _, load = self.all.popitem()
            load.async_stop()


@callback
def _is_renamed(data: er.EventEntityRegistryUpdatedData) -> bool:
    return "old_entity_id" in data


def _urgent(memory: Mapping[str, LoadMemory]) -> dict[str, LoadMemory]:
    """Return what a power cut must not cost."""
    return {
        key: replace(
            one,
            ledger=one.ledger.lasting,
            readings=replace(one.readings, pace=None),
        )
        for key, one in memory.items()
    }


def load_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that holds the tasks of loads."""
    return stored_file(hass, f"loads.{entry.entry_id}")


def _decode(stored: Any) -> dict[str, LoadMemory]:
    return decode(dict[str, LoadMemory], stored)


@callback
def async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete what was written of the loads of an account that is removed."""
    async_forget_saved(
        hass,
        [
            key
            for key, subentry in entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_TYPE
        ],
    )
