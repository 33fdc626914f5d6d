"""The targets of triggers and conditions: the chosen entities, levels and prices.

A user may choose an entity, a device, an area, a floor or a label. Of all entities in it, a trigger or condition
uses its own kind, so that choosing the Nomos device is enough. For a trigger or condition about prices, a load
stands for the contract that it is planned with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import eq, ge, le
from typing import ClassVar, Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.automation import DomainSpec

from .const import DOMAIN
from .prices.coordinator import PriceCoordinator
from .pricing import Level
from .runtime import NomosConfigEntry

CONF_COMPARISON: Final = "comparison"
CONF_LEVEL: Final = "level"


@dataclass(frozen=True, slots=True)
class EntityKind:
    """Nomos entities of the same meaning, by translation keys.

    A chosen entity with the key ``beside`` stands for those of its contract.
    """

    platform: Platform
    keys: frozenset[str]
    beside: str | None = None

    def among(self, hass: HomeAssistant, entity_ids: set[str]) -> set[str]:
        """Return the given entities of this kind, and those that given ones stand for."""
        registry, found, contracts = er.async_get(hass), set[str](), set[str]()
        for entity_id in entity_ids:
            entry = registry.async_get(entity_id)
            if entry is None or entry.platform != DOMAIN:
                continue
            if entry.domain == self.platform and entry.translation_key in self.keys:
                found.add(entity_id)
            if entry.translation_key == self.beside:
                contracts.add(_contract(entry))
            if entry.config_subentry_id is not None and entry.device_id is not None:
                contracts |= _contracts_of_load(hass, entry.device_id)
        return found.union(*(self.of_contract(hass, one) for one in contracts))

    def of_contract(self, hass: HomeAssistant, contract_id: str) -> set[str]:
        """Return the entities of this kind that a contract has."""
        find = er.async_get(hass).async_get_entity_id
        unique_ids = (f"{contract_id}_{key}" for key in self.keys)
        found = (find(self.platform, DOMAIN, unique_id) for unique_id in unique_ids)
        return {entity_id for entity_id in found if entity_id}


def _contracts_of_load(hass: HomeAssistant, device_id: str) -> set[str]:
    """Return the id of the contract that the load of a device is planned with, if there is one."""
    registry = dr.async_get(hass)
    load = registry.async_get(device_id)
    if not isinstance(load, dr.DeviceEntry) or load.via_device_id is None:
        return set()
    contract = registry.async_get(load.via_device_id)
    return {key for _, key in contract.identifiers} if contract else set()


PRICE: Final = EntityKind(Platform.SENSOR, frozenset({"price", "payout"}))
PRICE_LEVEL: Final = EntityKind(Platform.SENSOR, frozenset({"price_level"}))
RUN_NOW: Final = EntityKind(Platform.BINARY_SENSOR, frozenset({"run_now"}))
TOMORROW_AVAILABLE: Final = EntityKind(
    Platform.BINARY_SENSOR, frozenset({"tomorrow_available"})
)

# The editor offers triggers of periods for price levels, which have a device class and exist for consumption only. So
# a chosen price level stands for the periods of its contract.
CHEAP_NOW: Final = EntityKind(
    Platform.BINARY_SENSOR, frozenset({"cheap_now"}), beside="price_level"
)
EXPENSIVE_NOW: Final = EntityKind(
    Platform.BINARY_SENSOR, frozenset({"expensive_now"}), beside="price_level"
)


class OfKind:
    """The common part of triggers and conditions on one kind of entity."""

    _hass: HomeAssistant
    _kind: ClassVar[EntityKind]
    _domain_specs: Mapping[str, DomainSpec] = {
        Platform.SENSOR: DomainSpec(),
        Platform.BINARY_SENSOR: DomainSpec(),
    }

    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep the entities of this kind."""
        return self._kind.among(self._hass, entities)


LEVELS: Final = tuple(level.key for level in Level)
"""The states of a price level, from very cheap to very expensive."""


class Comparison(StrEnum):
    """How a level is compared with a chosen one; more expensive counts as more."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACTLY = "exactly"

    def levels(self, key: str) -> set[str]:
        """Return the levels that meet the comparison with a chosen one."""
        chosen = Level[key.upper()]
        compares = {
            Comparison.AT_LEAST: ge,
            Comparison.AT_MOST: le,
            Comparison.EXACTLY: eq,
        }[self]
        return {level.key for level in Level if compares(level, chosen)}


def price_coordinator(hass: HomeAssistant, entity_id: str) -> PriceCoordinator | None:
    """Return the prices that a price sensor shows; None while its account is not loaded."""
    entity = er.async_get(hass).async_get(entity_id)
    entries: list[NomosConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        if entity is not None and entity.config_entry_id == entry.entry_id:
            return entry.runtime_data.prices.get(_contract(entity))
    return None


def _contract(entity: er.RegistryEntry) -> str:
    """Return the id of the contract that a price entity belongs to."""
    return entity.unique_id.removesuffix(f"_{entity.translation_key}")
