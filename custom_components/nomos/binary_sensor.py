"""The binary sensors of prices and loads."""

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

from .loads.entities import RUN_NOW, NomosRunNow
from .prices.coordinator import PriceCoordinator
from .prices.entity import NomosEntity, PriceValue
from .pricing import PeriodKind, local_date
from .runtime import NomosConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class NomosBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of consumption contracts, or of both types (None)."""

    value_fn: PriceValue[bool | None]
    feeds_in: bool | None = False


def _tomorrow_available(prices: PriceCoordinator, now: datetime) -> bool:
    return prices.data.day(local_date(now) + timedelta(days=1)).complete


def _within(kind: PeriodKind) -> PriceValue[bool | None]:
    return lambda prices, now: prices.levels.within(kind, now)


def _negative(prices: PriceCoordinator, now: datetime) -> bool | None:
    interval = prices.data.at(now)
    return interval.price < 0 if interval and interval.price is not None else None


BINARY_SENSORS: Final = tuple(
    NomosBinarySensorDescription(
        key=key, translation_key=key, value_fn=value_fn, **fields
    )
    for key, value_fn, fields in (
        (
            "tomorrow_available",
            _tomorrow_available,
            {"entity_category": EntityCategory.DIAGNOSTIC, "feeds_in": None},
        ),
        ("cheap_now", _within(PeriodKind.CHEAP), {}),
        ("expensive_now", _within(PeriodKind.EXPENSIVE), {}),
        (
            "negative_price",
            _negative,
            {"entity_registry_enabled_default": False, "feeds_in": None},
        ),
    )
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of all contracts and loads, including those that appear later."""

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        async_add_entities(
            NomosBinarySensor(coordinator, description)
            for description in BINARY_SENSORS
            if description.feeds_in in {None, coordinator.contract.feeds_in}
        )

    entry.runtime_data.async_each_contract(add)
    entry.runtime_data.loads.async_each(
        async_add_entities, lambda load: [NomosRunNow(load, RUN_NOW)]
    )


class NomosBinarySensor(NomosEntity, BinarySensorEntity):
    """A yes-or-no value of the price table."""

    entity_description: NomosBinarySensorDescription

    @override
    def _read_value(self, now: datetime) -> object:
        self._attr_is_on = self.entity_description.value_fn(self.coordinator, now)
        return self._attr_is_on
