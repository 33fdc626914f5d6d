"""The numbers of loads."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .loads.controls import NomosLoadNeed
from .loads.load import Load
from .runtime import NomosConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of every load, also of those that are added later."""

    @callback
    def add(load: Load) -> None:
        async_add_entities([NomosLoadNeed(load)], config_subentry_id=load.id)

    entry.runtime_data.loads.async_each(add)
