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
"""The unit that the Energy dashboard expects: it does not convert from cents."""

MONEY: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.MONETARY,
    "native_unit_of_measurement": CURRENCY,
    "suggested_display_precision": 2,
}
"""The fields of all sensors of amounts of money."""

type PriceValue[T] = Callable[[PriceCoordinator, datetime], T]
"""Reads one value at an aware instant."""


class NomosEntity(ContractEntity[PriceCoordinator]):
    """An entity that reads prices or the contract.

    A price entity is available from the first interval of the table to the end of the last one, even in a gap, since
    the rest of the day is known. Before supply begins, it is available with an unknown value, since nothing is
    wrong.
    """

    @override
    def _is_available(self, now: datetime) -> bool:
        pending = self.coordinator.contract.status is SubscriptionStatus.PENDING
        return pending or self.coordinator.data.spans(now)
