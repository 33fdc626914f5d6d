"""What is there, yes or no."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import PriceCoordinator
from .entity import NomosEntity, TableValue
from .pricing import PriceTable, local_date
from .runtime import NomosConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class NomosBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor that reads the price table."""

    value_fn: TableValue[bool]


def _tomorrow_available(table: PriceTable, now: datetime) -> bool:
    return table.day(local_date(now) + timedelta(days=1)).complete


BINARY_SENSORS: Final = (
    NomosBinarySensorDescription(
        key="tomorrow_available",
        translation_key="tomorrow_available",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_tomorrow_available,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of every subscription, also of those that appear later."""

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        async_add_entities(
            NomosBinarySensor(coordinator, description)
            for description in BINARY_SENSORS
        )

    entry.runtime_data.async_each_subscription(add)


class NomosBinarySensor(NomosEntity, BinarySensorEntity):
    """A fact about the price table."""

    entity_description: NomosBinarySensorDescription

    @override
    def _read_value(self, now: datetime) -> bool:
        value = self.entity_description.value_fn(self.coordinator.data, now)
        before, self._attr_is_on = self._attr_is_on, value
        return value != before
