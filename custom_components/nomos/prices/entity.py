"""An entity that reads prices, and which contracts have it."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Final, override

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..account.contract_entity import ContractEntity
from ..api import SubscriptionType
from ..pricing import PriceTable
from .coordinator import PriceCoordinator

PRICE_UNIT: Final = "EUR/kWh"
"""What the Energy dashboard multiplies kWh with: it takes the number as it is and converts no cents."""

type TableValue[T] = Callable[[PriceTable, datetime], T]
"""Reads one value out of a price table at an aware instant."""


class NomosEntity(ContractEntity[PriceCoordinator]):
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
