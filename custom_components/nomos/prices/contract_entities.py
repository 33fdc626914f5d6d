"""Facts of the contract as sensors."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory

from ..api import SubscriptionStatus, Tariff
from ..const import CURRENCY
from .coordinator import PriceCoordinator
from .entity import NomosEntity


@dataclass(frozen=True, kw_only=True)
class NomosContractDescription(SensorEntityDescription):
    """A sensor that reads the contract."""

    value_fn: Callable[[PriceCoordinator], str | float | datetime | None]


STATUSES: Final = [
    status.value
    for status in SubscriptionStatus
    if status is not SubscriptionStatus.UNKNOWN
]


def _status(coordinator: PriceCoordinator) -> str | None:
    status = coordinator.subscription.status
    return status.value if status in STATUSES else None


def _plan(coordinator: PriceCoordinator) -> Tariff | None:
    return coordinator.account.tariff_of(coordinator.subscription)


def _plan_name(coordinator: PriceCoordinator) -> str | None:
    return plan.name if (plan := _plan(coordinator)) else None


def _base_fee(coordinator: PriceCoordinator) -> float | None:
    return plan.base_fee if (plan := _plan(coordinator)) else None


CONTRACT: Final = (
    NomosContractDescription(
        key="contract_status",
        translation_key="contract_status",
        device_class=SensorDeviceClass.ENUM,
        options=STATUSES,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_status,
    ),
    *(
        NomosContractDescription(
            key=key,
            translation_key=key,
            device_class=SensorDeviceClass.TIMESTAMP,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            value_fn=value_fn,
        )
        for key, value_fn in (
            ("contract_start", lambda prices: prices.subscription.start_at),
            ("contract_end", lambda prices: prices.subscription.end_at),
            ("contract_notice", lambda prices: prices.subscription.terminated_at),
        )
    ),
    *(
        NomosContractDescription(
            key=key,
            translation_key=key,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            value_fn=value_fn,
        )
        for key, value_fn in (
            ("contract_number", lambda prices: prices.subscription.number),
            ("plan", _plan_name),
        )
    ),
    NomosContractDescription(
        key="base_fee",
        translation_key="base_fee",
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_base_fee,
    ),
)


class NomosContractSensor(NomosEntity, SensorEntity):
    """A fact of the contract."""

    entity_description: NomosContractDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the list of contracts, too."""
        await super().async_added_to_hass()
        account = self.coordinator.account
        self.async_on_remove(
            account.async_add_listener(self._handle_coordinator_update)
        )

    @override
    def _is_available(self, now: datetime) -> bool:
        return not self.coordinator.account.stale

    @override
    def _read_value(self, now: datetime) -> bool:
        value = self.entity_description.value_fn(self.coordinator)
        before, self._attr_native_value = self._attr_native_value, value
        return value != before
