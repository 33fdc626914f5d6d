"""The sensors of prices, contracts, usage, loads and batteries."""

from collections.abc import Iterable

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .loads.entities import load_sensors
from .prices.coordinator import PriceCoordinator
from .prices.sensors import price_sensors
from .runtime import NomosConfigEntry
from .usage.entities import async_follow_usage

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of every contract, load and battery, also of those that appear later."""

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        async_add_entities(price_sensors(coordinator))
        usage = entry.runtime_data.usage[coordinator.contract_id]
        async_follow_usage(hass, usage, async_add_entities)

    @callback
    def add_battery(sensors: Iterable[SensorEntity], battery_id: str) -> None:
        async_add_entities(sensors, config_subentry_id=battery_id)

    entry.runtime_data.async_each_contract(add)
    entry.runtime_data.loads.async_each(async_add_entities, load_sensors)
    entry.runtime_data.async_each_battery(add_battery)
