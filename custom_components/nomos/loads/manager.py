"""The flexible loads of an account: they come, change and go with its subentries, without a reload."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigSubentry,
)
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..account.ranking import rank_contracts
from ..const import DOMAIN
from ..prices.coordinator import PriceCoordinator
from ..storage import StoredFile, stored_file
from .load import SUBENTRY_TYPE, FlexibleLoad, call_all
from .model import LoadPlan


class Loads:
    """Keeps one ``FlexibleLoad`` for each subentry.

    A config entry's update listener would do to hear of subentries, but it makes Home Assistant refuse the flows
    that reload by themselves, and it also fires for every token that is stored. The signal that the frontend's list
    of entries lives on fires then, too, but it is only a look at whether the subentries are still the same.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        prices: Mapping[str, PriceCoordinator],
    ) -> None:
        """Belong to an entry; ``prices`` is followed as subscriptions come and go."""
        self.all: dict[str, FlexibleLoad] = {}
        self._hass = hass
        self._entry = entry
        self._prices = prices
        self._file = load_file(hass, entry)
        self._numbers = count(1)
        self._platforms: list[Callable[[FlexibleLoad], None]] = []
        self._is_running = False
        self._planned: set[str] = set()
        """The loads whose first plan is made: before that there is nothing to show."""
        self._begun: dict[str, LoadPlan] = {}
        self._listeners: list[Callable[[], None]] = []

    async def async_begin(self) -> None:
        """Take up the loads, with the plans that had begun before Home Assistant stopped."""
        self._begun = await self._file.async_load(_decode) or {}
        self._follow_subentries()
        self._is_running = True
        self._entry.async_on_unload(
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
            )
        )
        self._entry.async_on_unload(
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self.async_replan)
        )
        self._entry.async_on_unload(self._stop)
        for load in list(self.all.values()):
            await self._async_show(load)

    @callback
    def async_each(self, platform: Callable[[FlexibleLoad], None]) -> None:
        """Call a platform for every load there is, and for each one that is added later."""
        self._platforms.append(platform)
        for load in self.all.values():
            if load.id in self._planned:
                platform(load)

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a listener whenever any plan may have changed; return how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_prices_changed(self) -> None:
        """Let every load follow the subscription that it belongs to: it may have come or gone."""
        for load in self.all.values():
            self._settle(load)

    @callback
    def async_replan(self, _event: Event[Any] | None = None) -> None:
        """Plan again: the hub's clock, or its time zone, by which windows are, may be another."""
        for load in self.all.values():
            load.async_replan()

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and change is ConfigEntryChange.UPDATED:
            self._follow_subentries()

    @callback
    def _follow_subentries(self) -> None:
        """Let loads come, change and go with the subentries."""
        wanted = {
            key: subentry
            for key, subentry in self._entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_TYPE
        }
        for gone in self.all.keys() - wanted.keys():
            self.all.pop(gone).async_stop()
            self._planned.discard(gone)
            self._save()
            self._plan_changed()
        for key, subentry in wanted.items():
            load = self.all.get(key)
            if load is None:
                self._add(subentry)
            # A subentry keeps its identity when it is edited: what counts is what it says.
            elif load.shown_as != (subentry.title, subentry.data):
                load.async_change(subentry)
                self._settle(load)

    def _add(self, subentry: ConfigSubentry) -> None:
        load = FlexibleLoad(
            self._hass,
            subentry,
            self._begun.get(subentry.subentry_id),
            self._save,
            number=next(self._numbers),
        )
        self.all[load.id] = load
        load.async_listen(self._plan_changed)
        self._settle(load)
        if self._is_running:
            self._entry.async_create_task(
                self._hass, self._async_show(load), f"{DOMAIN} new load"
            )

    async def _async_show(self, load: FlexibleLoad) -> None:
        """Give a load its entities as soon as it is planned."""
        await load.async_planned()
        if self.all.get(load.id) is load:
            self._planned.add(load.id)
            for platform in self._platforms:
                platform(load)

    def _coordinator_of(self, load: FlexibleLoad) -> PriceCoordinator | None:
        """Return the prices that a load is planned with: of the contract it names, or else of the usual one.

        Also of the usual one where the named one is gone: another has followed on it, and the load shall run.
        """
        named = load.settings.subscription_id
        if named is not None and named in self._prices:
            return self._prices[named]
        usual = rank_contracts(one.subscription for one in self._prices.values())
        return self._prices[usual[0].id] if usual else None

    def _settle(self, load: FlexibleLoad) -> None:
        """Let a load follow its contract, and hang its device from the contract's."""
        load.async_follow(self._coordinator_of(load))
        registry, contract = dr.async_get(self._hass), None
        if load.coordinator is not None:
            contract = registry.async_get_device_by_identifier(
                (DOMAIN, load.coordinator.subscription_id), self._entry.entry_id
            )
        registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            config_subentry_id=load.id,
            identifiers={(DOMAIN, load.id)},
            entry_type=dr.DeviceEntryType.SERVICE,
            name=load.name,
            # The dashboard shows a load with the contract that it is planned with.
            via_device_id=contract.id if contract else None,
        )

    @callback
    def _save(self) -> None:
        """Store the plans that have begun: a restart in the middle of a run must not plan another."""
        self._begun = {
            key: load.begun for key, load in self.all.items() if load.begun is not None
        }
        self._file.async_save_soon(
            {key: plan.to_json() for key, plan in self._begun.items()}
        )

    @callback
    def _plan_changed(self) -> None:
        call_all(self._listeners)

    @callback
    def _stop(self) -> None:
        for load in self.all.values():
            load.async_stop()


def load_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that holds the plans that have begun."""
    return stored_file(hass, f"loads.{entry.entry_id}")


def _decode(stored: Any) -> dict[str, LoadPlan]:
    return {key: LoadPlan.from_json(value) for key, value in stored.items()}
