"""What loads and batteries share as subentries: the contract they are planned with, their device, and their dialog."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import probatio

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.selector import SelectOptionDict, SelectSelector
from homeassistant.util.signal_type import SignalType

from ..account.ranking import default_contract, rank_contracts
from ..const import DOMAIN
from ..form_fields import Fields, Mistake, SectionedForm
from .coordinator import PriceCoordinator


class PlannedSubentry:
    """A load or a battery, which is planned with the prices of a contract."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry
    ) -> None:
        """Begin without prices."""
        self.id = subentry.subentry_id
        self.entry, self.subentry = entry, subentry
        self.coordinator: PriceCoordinator | None = None
        """The prices that it is planned with; None if there is no contract."""
        self._hass = hass
        self._unsub_prices = self._cancel_timer = nothing

    @property
    def name(self) -> str:
        """Return its name for the customer."""
        return self.subentry.title

    @abstractmethod
    def async_configure(
        self, subentry: ConfigSubentry, coordinator: PriceCoordinator | None
    ) -> None:
        """Use new settings, a new name or new prices."""

    @callback
    def async_rename(self, data: Mapping[str, Any], old: str, new: str) -> None:
        """Prepare for settings in which only an entity id is different; ``async_configure`` follows."""

    def _follow_prices(
        self, coordinator: PriceCoordinator | None, listener: Callable[[], None]
    ) -> None:
        self._unsub_prices()
        self._unsub_prices = nothing
        self.coordinator = coordinator
        if coordinator is not None:
            self._unsub_prices = coordinator.async_add_listener(listener)

    @callback
    def async_stop(self) -> None:
        """Stop all listeners and timers."""
        self._cancel_timer()
        self._unsub_prices()
        self._unsub_prices = nothing


def nothing() -> None:
    """Do nothing; stands for a listener or timer that is not set."""


class Subentries[T: PlannedSubentry]:
    """Keeps an object for each subentry of a type; they are added, changed and removed without a reload.

    With an update listener of the entry, Home Assistant would refuse flows that reload by themselves. So subentries
    are compared whenever the entry changes, also for each token that is stored; unchanged ones are left alone.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        prices: Mapping[str, PriceCoordinator],
        kind: str,
    ) -> None:
        """Belong to an entry; ``prices`` changes as contracts are added and removed."""
        self.all: dict[str, T] = {}
        self._hass, self._entry, self._prices, self._kind = hass, entry, prices, kind
        self._platforms: list[Callable[[T], None]] = []
        self._applied: dict[str, tuple[Any, ...]] = {}
        """What each object was configured with."""

    @abstractmethod
    def _make(self, subentry: ConfigSubentry) -> T:
        """Create the object of a new subentry."""

    def _begin(self) -> None:
        """Follow the entry from now on."""
        self._connect(SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed)
        self._entry.async_on_unload(
            self._hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED,
                self._entity_renamed,
                event_filter=_is_renamed,
            )
        )
        self._entry.async_on_unload(self._stop)
        self.async_update()

    def _connect(
        self, signal: str | SignalType[*tuple[Any, ...]], target: Callable[..., None]
    ) -> None:
        self._entry.async_on_unload(
            async_dispatcher_connect(self._hass, signal, target)
        )

    @callback
    def async_each(
        self,
        add: AddConfigEntryEntitiesCallback,
        entities: Callable[[T], Iterable[Entity]],
    ) -> None:
        """Let a platform add the entities of all objects, including those added later."""

        @callback
        def platform(one: T) -> None:
            add(entities(one), config_subentry_id=one.id)

        self._platforms.append(platform)
        for one in self.all.values():
            self._add_entities(one, platform)

    def _add_entities(self, one: T, platform: Callable[[T], None]) -> None:
        platform(one)

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and change is ConfigEntryChange.UPDATED:
            self.async_update()

    @callback
    def _entity_renamed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Update the settings that name an entity whose id was changed."""
        data = event.data
        if data["action"] != "update":
            return
        old, new = data["old_entity_id"], data["entity_id"]
        for one in list(self.all.values()):
            before = one.subentry.data
            if (after := renamed(before, old, new)) != before:
                one.async_rename(after, old, new)
                self._hass.config_entries.async_update_subentry(
                    self._entry, one.subentry, data=after
                )

    @callback
    def async_update(self) -> None:
        """Add, update and remove objects as the subentries and contracts are now."""
        wanted = {
            key: subentry
            for key, subentry in self._entry.subentries.items()
            if subentry.subentry_type == self._kind
        }
        for gone in self.all.keys() - wanted.keys():
            self._forget(gone)
        for key, subentry in wanted.items():
            self._follow(key, subentry)

    def _forget(self, key: str) -> None:
        del self._applied[key]
        self.all.pop(key).async_stop()

    def _follow(self, key: str, subentry: ConfigSubentry) -> None:
        coordinator = self.coordinator_of(subentry.data.get("subscription"))
        wanted = (coordinator, subentry.title, subentry.data, self._entry.options)
        if new := key not in self.all:
            self.all[key] = self._make(subentry)
        elif wanted == self._applied[key]:
            return
        one, self._applied[key] = self.all[key], wanted
        one.async_configure(subentry, coordinator)
        self._register_device(one)
        for platform in self._platforms if new else ():
            self._add_entities(one, platform)

    def coordinator_of(self, named: str | None) -> PriceCoordinator | None:
        """Return the prices of the named contract, or else of the default one.

        The default one also replaces a named one that is gone, so that plans continue with its successor.
        """
        if named is not None and named in self._prices:
            return self._prices[named]
        usual = default_contract(one.contract for one in self._prices.values())
        return self._prices[usual.id] if usual else None

    def _register_device(self, one: T) -> None:
        """Create or update the device of a subentry, below the contract that it is planned with."""
        registry, contract = dr.async_get(self._hass), None
        if one.coordinator is not None:
            contract = registry.async_get_device_by_identifier(
                (DOMAIN, one.coordinator.contract_id), self._entry.entry_id
            )
        registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            config_subentry_id=one.id,
            identifiers={(DOMAIN, one.id)},
            entry_type=dr.DeviceEntryType.SERVICE,
            name=one.name,
            via_device_id=contract.id if contract else None,
        )

    @callback
    def _stop(self) -> None:
        """Stop all objects."""
        for one in self.all.values():
            one.async_stop()
        self.all.clear()


@callback
def _is_renamed(data: er.EventEntityRegistryUpdatedData) -> bool:
    return "old_entity_id" in data


def renamed(data: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return the data of a subentry with an entity id replaced, also in lists."""

    def replaced(value: Any) -> Any:
        if isinstance(value, list | tuple) and old in value:
            return [new if one == old else one for one in value]
        return new if value == old else value

    return {key: replaced(value) for key, value in data.items()}


class PlannedFlow(ConfigSubentryFlow):
    """The dialog for something that is planned with a consumption contract."""

    def contracts(self) -> list[SelectOptionDict]:
        """Return the contracts to plan with, the default one first."""
        entry: ConfigEntry[Any] = self._get_entry()
        return [
            SelectOptionDict(value=one.id, label=one.number or one.id)
            for one in rank_contracts(entry.runtime_data.account.shown.values())
            if not one.feeds_in
        ]

    def contract_field(self) -> Fields:
        """Return the field for choosing a contract, if there are several."""
        if len(contracts := self.contracts()) < 2:
            return {}
        usual = probatio.Required("subscription", default=contracts[0]["value"])
        return {usual: SelectSelector({"options": contracts})}

    def check_ready(self) -> None:
        """Abort if the account is not loaded or has no consumption contract."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            raise AbortFlow(reason="entry_not_loaded")
        if not self.contracts():
            raise AbortFlow(reason="no_consumption")

    def stored(self) -> dict[str, Any]:
        """Return the stored data without a contract that is gone, so that its successor is shown."""
        subentry = self._get_reconfigure_subentry()
        data = {CONF_NAME: subentry.title, **subentry.data}
        if data.get("subscription") not in {one["value"] for one in self.contracts()}:
            data.pop("subscription", None)
        return data

    def show(
        self,
        step: str,
        form: SectionedForm,
        data: Mapping[str, Any],
        mistake: Mistake | None = None,
    ) -> SubentryFlowResult:
        """Show a form filled in with data, and the mistake in it, if any."""
        place = mistake.place if mistake else None
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                form.schema(place), form.nested(data)
            ),
            errors={mistake.place: mistake.error} if mistake else None,
            description_placeholders=mistake.placeholders if mistake else None,
        )
