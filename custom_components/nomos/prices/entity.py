"""The base of entities that read prices or the contract."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass

from ..account.contract import ContractEntity
from ..api import SubscriptionStatus
from ..const import CURRENCY
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

    @override
    def _is_available(self, now: datetime) -> bool:
        pending = self.coordinator.contract.status is SubscriptionStatus.PENDING
        return pending or self.coordinator.data.spans(now)
