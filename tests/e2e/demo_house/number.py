"""The limits of a forced charge of the demo house's inverter."""

from typing import override

from homeassistant.components.number import NumberEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import PERCENTAGE, UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities import DemoEntity
from .inverter import Inverter
from .physics import POWER


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry[Inverter],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities."""
    inverter = entry.runtime_data
    async_add_entities(
        [
            Limit(inverter, "power", POWER, UnitOfPower.KILO_WATT),
            Limit(inverter, "until", 100, PERCENTAGE),
        ]
    )


class Limit(DemoEntity, NumberEntity):
    """The power or the target level of a forced charge."""

    _attr_native_min_value = 0
    _attr_native_step = 0.01

    def __init__(self, inverter: Inverter, key: str, most: float, unit: str) -> None:
        """Accept numbers up to a maximum."""
        super().__init__(inverter, key)
        self._key = key
        self._attr_native_max_value = most
        self._attr_native_unit_of_measurement = unit

    @property
    @override
    def native_value(self) -> float:
        """Return the number."""
        value: float = getattr(self.inverter.memory, self._key)
        return value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the number."""
        self.inverter.set(self._key, value)
