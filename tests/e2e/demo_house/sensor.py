"""The meters of the demo house, and the charge level of its battery."""

from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import PERCENTAGE, UnitOfEnergy
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities import DemoEntity
from .inverter import Inverter


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry[Inverter],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities."""
    inverter = entry.runtime_data
    meters = [Meter(inverter, key) for key in inverter.memory.meters]
    async_add_entities([*meters, Level(inverter, "level")])


class Meter(DemoEntity, SensorEntity):
    """A meter in kWh."""

    _attr_device_class = SensorDeviceClass.ENERGY
    _attr_state_class = SensorStateClass.TOTAL_INCREASING
    _attr_native_unit_of_measurement = UnitOfEnergy.KILO_WATT_HOUR

    def __init__(self, inverter: Inverter, key: str) -> None:
        """Select one of the meters."""
        super().__init__(inverter, key)
        self._key = key

    @property
    @override
    def native_value(self) -> float:
        """Return the meter's total."""
        return round(self.inverter.memory.meters[self._key], 4)


class Level(DemoEntity, SensorEntity):
    """The charge level."""

    _attr_device_class = SensorDeviceClass.BATTERY
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_native_unit_of_measurement = PERCENTAGE

    @property
    @override
    def available(self) -> bool:
        """Return whether it is reported."""
        return self.inverter.percent is not None

    @property
    @override
    def native_value(self) -> float | None:
        """Return the level in percent, rounded to a tenth as inverters do."""
        percent = self.inverter.percent
        return None if percent is None else round(percent, 1)
