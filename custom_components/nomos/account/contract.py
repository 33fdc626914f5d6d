"""What the coordinators and the entities of one contract share."""

from collections.abc import Awaitable, Callable
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..api import NomosClient
from ..const import DOMAIN
from ..entity import ValueEntity
from ..scheduled_coordinator import ScheduledCoordinator
from .contracts import NomosAccount


class ContractCoordinator[T](ScheduledCoordinator[T]):
    """Requests one kind of data of one contract, on its own schedule."""

    def __init__(
        self, account: NomosAccount, contract_id: str, kind: str, known: T
    ) -> None:
        """Begin with known data, and without a scheduled request."""
        entry, put_off = account.config_entry, account.after_rate_limit
        super().__init__(account.hass, entry, kind, put_off)
        self.account = account
        self.contract_id = contract_id
        self.data = known
        self._kind = kind.capitalize()

    @property
    def log_name(self) -> str:
        """Return the contract's name for log and diagnostics, which must not contain its number."""
        return self.account.log_name_of(self.contract_id)

    @property
    @override
    def subject(self) -> str:
        return f"{self._kind} of {self.log_name}"

    async def async_ask[*Ts, R](
        self,
        request: Callable[[NomosClient, str, *Ts], Awaitable[R]],
        *args: *Ts,
        optional: bool = False,
    ) -> R:
        """Send a request about the contract; raises as ``Connection.async_ask`` does."""
        return await self.account.async_ask(
            lambda client: request(client, self.contract_id, *args),
            optional=optional,
        )


class ContractEntity[C: ContractCoordinator[Any]](ValueEntity, CoordinatorEntity[C]):
    """An entity of one contract, which reads its values again when its coordinator updates."""

    def __init__(self, coordinator: C, description: EntityDescription) -> None:
        """Belong to the contract's device."""
        super().__init__(coordinator)
        self.entity_description = description
        contract_id = coordinator.contract_id
        self._attr_unique_id = f"{contract_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, contract_id)})
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
