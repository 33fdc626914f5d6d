"""An entity of one contract."""

from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..const import DOMAIN
from ..entity import ReadingEntity
from .contract_coordinator import ContractCoordinator


class ContractEntity[C: ContractCoordinator[Any]](ReadingEntity, CoordinatorEntity[C]):
    """An entity of one contract: it reads when its coordinator has news."""

    def __init__(self, coordinator: C, description: EntityDescription) -> None:
        """Belong to the contract's device."""
        super().__init__(coordinator)
        self.entity_description = description
        subscription_id = coordinator.subscription_id
        self._attr_unique_id = f"{subscription_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, subscription_id)})
        self._read()

    @property
    @override
    def available(self) -> bool:
        """Return whether there is something to show, even if the last request failed."""
        return self._attr_available

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._async_show()
