"""What all entities of a subscription share."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util import dt as dt_util

from .api import SubscriptionType
from .const import DOMAIN
from .coordinator import PriceCoordinator
from .pricing import PriceTable
from .subscription_coordinator import SubscriptionCoordinator

PRICE_UNIT: Final = "EUR/kWh"
"""What the Energy dashboard multiplies kWh with: it takes the number as it is and converts no cents."""

type TableValue[T] = Callable[[PriceTable, datetime], T]
"""Reads one value out of a price table at an aware instant."""


class SubscriptionEntity[C: SubscriptionCoordinator[Any]](CoordinatorEntity[C]):
    """An entity of one subscription: it reads when its coordinator has news, and writes what changed."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: C, description: EntityDescription) -> None:
        """Belong to the subscription's device."""
        super().__init__(coordinator)
        self.entity_description = description
        subscription_id = coordinator.subscription_id
        self._attr_unique_id = f"{subscription_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, subscription_id)})
        self._read()

    @abstractmethod
    def _read(self) -> bool:
        """Take over what holds now into the attributes; return whether anything that is shown changed."""

    @property
    @override
    def available(self) -> bool:
        """Return whether there is something to show, whatever became of the last request."""
        return self._attr_available

    @override
    async def async_added_to_hass(self) -> None:
        """Read again: time may have passed since the entity was made."""
        await super().async_added_to_hass()
        self._read()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state where it changed."""
        if self._read():
            self.async_write_ha_state()


class NomosEntity(SubscriptionEntity[PriceCoordinator]):
    """An entity that reads prices or the contract.

    A price entity is available from the first interval that the table holds to the end of the last one. Where the
    current one is missing between others it says less, and what it says of the day goes on.
    """

    @abstractmethod
    def _read_value(self, now: datetime) -> bool:
        """Take the values of this instant over into the attributes; return whether one changed."""

    @property
    def _follows_table(self) -> bool:
        """Return whether the entity needs prices to be available."""
        return True

    @callback
    @override
    def _read(self) -> bool:
        """Read table and contract once."""
        now = dt_util.utcnow()
        available = not self._follows_table or self.coordinator.data.spans(now)
        was_available, self._attr_available = self._attr_available, available
        return self._read_value(now) or available != was_available


def suits(coordinator: PriceCoordinator, kinds: frozenset[SubscriptionType]) -> bool:
    """Return whether an entity for these kinds of contract belongs to a subscription.

    A kind that is not known yet is shown as consumption.
    """
    kind = coordinator.subscription.type
    return (kind if kind in _KNOWN_KINDS else SubscriptionType.CONSUMPTION) in kinds


_KNOWN_KINDS = frozenset({SubscriptionType.CONSUMPTION, SubscriptionType.FEED_IN})

CONSUMPTION = frozenset({SubscriptionType.CONSUMPTION})
FEED_IN = frozenset({SubscriptionType.FEED_IN})
BOTH = CONSUMPTION | FEED_IN
