"""The sensors of prices, contracts, usage, loads and batteries."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .loads.entities import LOAD_SENSORS, NomosLoadSensor
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
    """Add the sensors of all contracts, loads and batteries, including those that appear later."""

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        async_add_entities(price_sensors(coordinator))
        usage = entry.runtime_data.usage[coordinator.contract_id]
        async_follow_usage(hass, usage, async_add_entities)

    entry.runtime_data.async_each_contract(add)
    entry.runtime_data.loads.async_each(
        async_add_entities,
        lambda load: [NomosLoadSensor(load, one) for one in LOAD_SENSORS],
    )
    entry.runtime_data.async_each_battery(async_add_entities)
