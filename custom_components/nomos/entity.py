"""What all entities share, and those of a subscription."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.event import async_track_point_in_utc_time
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


_PAST: Final = timedelta(seconds=5)
"""How long after a moment no timer waits for it any more."""


class ReadingEntity(Entity):
    """An entity that reads what holds now when there is news, and writes what changed.

    A timestamp stays until the moment that it names is safely past: Home Assistant's time trigger follows the state,
    and would be lost if that changed at the very moment.
    """

    _attr_has_entity_name = True
    _unsub_past: CALLBACK_TYPE | None = None

    @abstractmethod
    def _read(self) -> bool:
        """Take over what holds now into the attributes; return whether anything that is shown changed."""

    @override
    async def async_added_to_hass(self) -> None:
        """Read again: time may have passed since the entity was made."""
        await super().async_added_to_hass()
        self.async_on_remove(self._stop_waiting)
        self._read()

    @callback
    def _async_show(self, _now: datetime | None = None) -> None:
        """Write the state if it changed."""
        self._stop_waiting()
        now, shown = dt_util.utcnow(), getattr(self, "_attr_native_value", None)
        if isinstance(shown, datetime) and shown <= now < shown + _PAST:
            self._unsub_past = async_track_point_in_utc_time(
                self.hass, self._async_show, shown + _PAST
            )
        elif self._read():
            self.async_write_ha_state()

    @callback
    def _stop_waiting(self) -> None:
        if self._unsub_past is not None:
            self._unsub_past()
            self._unsub_past = None


class SubscriptionEntity[C: SubscriptionCoordinator[Any]](
    ReadingEntity, CoordinatorEntity[C]
):
    """An entity of one subscription: it reads when its coordinator has news."""

    def __init__(self, coordinator: C, description: EntityDescription) -> None:
        """Belong to the subscription's device."""
        super().__init__(coordinator)
        self.entity_description = description
        subscription_id = coordinator.subscription_id
        self._attr_unique_id = f"{subscription_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, subscription_id)})
        self._read()

    @property
    @override
    def available(self) -> bool:
        """Return whether there is something to show, whatever became of the last request."""
        return self._attr_available

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._async_show()


class NomosEntity(SubscriptionEntity[PriceCoordinator]):
    """An entity that reads prices or the contract.

    A price entity is available from the first interval that the table holds to the end of the last one. Where the
    current one is missing between others it says less, and what it says of the day goes on.
    """

    @abstractmethod
    def _read_value(self, now: datetime) -> bool:
        """Take the values of this instant over into the attributes; return whether one changed."""

    def _is_available(self, now: datetime) -> bool:
        """Return whether there is something to show at an instant."""
        return self.coordinator.data.spans(now)

    @callback
    @override
    def _read(self) -> bool:
        """Read table and contract once."""
        now = dt_util.utcnow()
        available = self._is_available(now)
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
