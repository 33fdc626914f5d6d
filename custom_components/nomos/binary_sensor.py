"""What is there, yes or no."""

from collections.abc import Callable
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

from .api import SubscriptionType
from .loads.entities import RUN_NOW, NomosRunNow
from .loads.load import FlexibleLoad
from .prices.coordinator import PriceCoordinator
from .prices.entity import BOTH, CONSUMPTION, NomosEntity, suits
from .pricing import local_date
from .runtime import NomosConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class NomosBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor that reads what a coordinator knows at an aware instant."""

    value_fn: Callable[[PriceCoordinator, datetime], bool | None]
    kinds: frozenset[SubscriptionType] = CONSUMPTION


def _tomorrow_available(coordinator: PriceCoordinator, now: datetime) -> bool:
    return coordinator.data.day(local_date(now) + timedelta(days=1)).complete


def _cheap(coordinator: PriceCoordinator, now: datetime) -> bool | None:
    return standing.cheap if (standing := coordinator.standing(now)) else None


def _expensive(coordinator: PriceCoordinator, now: datetime) -> bool | None:
    return standing.expensive if (standing := coordinator.standing(now)) else None


def _negative(coordinator: PriceCoordinator, now: datetime) -> bool | None:
    interval = coordinator.data.at(now)
    return interval.price < 0 if interval and interval.price is not None else None


BINARY_SENSORS: Final = (
    NomosBinarySensorDescription(
        key="tomorrow_available",
        translation_key="tomorrow_available",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_tomorrow_available,
        kinds=BOTH,
    ),
    NomosBinarySensorDescription(
        key="cheap_now", translation_key="cheap_now", value_fn=_cheap
    ),
    NomosBinarySensorDescription(
        key="expensive_now", translation_key="expensive_now", value_fn=_expensive
    ),
    NomosBinarySensorDescription(
        key="negative_price",
        translation_key="negative_price",
        entity_registry_enabled_default=False,
        value_fn=_negative,
        kinds=BOTH,
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
            if suits(coordinator, description.kinds)
        )

    @callback
    def add_load(load: FlexibleLoad) -> None:
        async_add_entities([NomosRunNow(load, RUN_NOW)], config_subentry_id=load.id)

    entry.runtime_data.async_each_subscription(add)
    entry.runtime_data.loads.async_each(add_load)


class NomosBinarySensor(NomosEntity, BinarySensorEntity):
    """A fact about the price table."""

    entity_description: NomosBinarySensorDescription

    @override
    def _read_value(self, now: datetime) -> bool:
        value = self.entity_description.value_fn(self.coordinator, now)
        before, self._attr_is_on = self._attr_is_on, value
        return value != before
