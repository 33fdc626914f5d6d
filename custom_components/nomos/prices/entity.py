"""The base of entities that read prices or the contract."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..account.contract import ContractEntity
from ..api import SubscriptionStatus
from ..const import CURRENCY
from ..pricing import PriceRating
from .coordinator import PriceCoordinator

PRICE_UNIT: Final = "EUR/kWh"
"""What the Energy dashboard multiplies kWh with: it takes the number as it is and converts no cents."""

MONEY: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.MONETARY,
    "native_unit_of_measurement": CURRENCY,
    "suggested_display_precision": 2,
}
"""What all sensors of amounts of money have."""

type PriceValue[T] = Callable[[PriceCoordinator, datetime], T]
"""Reads one value at an aware instant."""


class NomosEntity(ContractEntity[PriceCoordinator]):
    """An entity that reads prices or the contract.

    A price entity is available from the first interval of the table to the end of the last one. If the current one is
    missing in between, what is known of the day is still shown. Before supply begins nothing is wrong: it is available,
    and its value is unknown.
    """

    @abstractmethod
    def _read_value(self, now: datetime) -> object:
        """Set the attributes to the values of this instant, and return them."""

    def _is_available(self, now: datetime) -> bool:
        """Return whether there is something to show at an instant."""
        pending = self.coordinator.contract.status is SubscriptionStatus.PENDING
        return pending or self.coordinator.data.spans(now)

    @callback
    @override
    def _read(self) -> object:
        now = dt_util.utcnow()
        self._attr_available = self._is_available(now)
        return self._attr_available, self._read_value(now)


def suits(coordinator: PriceCoordinator, feeds_in: bool | None) -> bool:
    """Return whether an entity belongs to a contract: one for feed-in, for consumption, or for both (None).

    A kind of contract that is not known yet counts as consumption.
    """
    return feeds_in in {None, coordinator.contract.feeds_in}


def of_rating[T](read: Callable[[PriceRating], T]) -> PriceValue[T | None]:
    """Return a reader of how the current price compares with those of its day."""

    def value(prices: PriceCoordinator, now: datetime) -> T | None:
        return read(rating) if (rating := prices.levels.at(now)) else None

    return value
