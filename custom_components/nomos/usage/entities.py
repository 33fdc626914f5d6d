"""The sensors of usage and its cost."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, UnitOfEnergy
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..account.contract import ContractEntity
from ..api import GridFeeModule, GridFeeReduction, GridFeeStatus, MeterType
from ..const import DOMAIN
from ..prices.entity import MONEY, PRICE_UNIT
from ..pricing import local_date
from .coordinator import UsageCoordinator
from .metering import PeriodUsage, period
from .months import month_start
from .record import INVOICES, UsageRecord

type UsageValue = tuple[float | str | datetime | None, dict[str, Any]]
"""A state with its attributes."""

type UsageReader = Callable[[UsageRecord, date], UsageValue]
"""Reads a state from a usage record, on a tariff day."""

_NOTHING: Final[UsageValue] = (None, {})

_MODULES: Final = {
    frozenset[GridFeeModule](): "none",
    frozenset({GridFeeModule.FLAT}): "module_1",
    frozenset({GridFeeModule.WORKING_PRICE}): "module_2",
    frozenset({GridFeeModule.TIME_OF_USE}): "module_3",
    frozenset({GridFeeModule.FLAT, GridFeeModule.TIME_OF_USE}): "modules_1_and_3",
}


@dataclass(frozen=True, kw_only=True)
class NomosUsageDescription(SensorEntityDescription):
    """A sensor that reads a contract's usage record, on a tariff day.

    It exists for contracts that buy or sell, with or without an analog meter (both if None), once the record offers
    it. ``endpoint`` is requested only while the sensor is enabled.

    Sums have no state class: what arrives a day late belongs in the statistics of the hours in which it was metered.
    """

    value_fn: UsageReader
    analog: bool | None = False
    selling: bool | None = None
    offered: Callable[[UsageRecord], bool] = lambda _: True
    endpoint: str | None = None


def _latest_day(record: UsageRecord, _today: date) -> PeriodUsage | None:
    """Return the latest day that was metered: yesterday, from about 16:00 on."""
    return period(list(record.days.values())[-1:])


def _this_month(record: UsageRecord, today: date) -> PeriodUsage | None:
    """Return the days of the current month that were metered so far."""
    first = month_start(today)
    return period(one for day, one in record.days.items() if day >= first)


def _sum(
    days: Callable[[UsageRecord, date], PeriodUsage | None], field: str
) -> UsageReader:
    """Return a reader of one sum over some days, with what is missing from it."""

    def value(record: UsageRecord, today: date) -> UsageValue:
        if (found := days(record, today)) is None:
            return _NOTHING
        lacks: dict[str, Any] = {
            "date": found.last.isoformat(),
            "missing_intervals": found.missing,
        }
        if field != "kwh":
            lacks["unpriced_kwh"] = found.unpriced
        return getattr(found, field), lacks

    return value


def _latest_month(record: UsageRecord, _today: date) -> UsageValue:
    if not record.analog_months:
        return _NOTHING
    latest = record.analog_months[-1]
    return latest.kwh, {
        "month": f"{latest.month:%Y-%m}",
        "final": latest.final,
        "months": {f"{one.month:%Y-%m}": one.kwh for one in record.analog_months},
    }


def _invoice(record: UsageRecord, _today: date) -> UsageValue:
    if (invoice := record.invoice) is None:
        return _NOTHING
    return invoice.total, {
        "type": invoice.type.value,
        "status": invoice.status.value,
        "period_start": _day(invoice.period_start),
        "period_end": _day(invoice.period_end),
    }


def _holds(reduction: GridFeeReduction, today: date) -> bool:
    """Return whether a reduction is in force on a day."""
    begin, end = reduction.valid_from, reduction.valid_until
    return (
        reduction.status is GridFeeStatus.ACTIVATED
        and (begin is None or local_date(begin) <= today)
        and (end is None or today < local_date(end))
    )


def _reduction(record: UsageRecord, today: date) -> UsageValue:
    if record.reductions is None:
        return _NOTHING
    active = frozenset(one.module for one in record.reductions if _holds(one, today))
    return _MODULES.get(active), {
        "reductions": [
            {
                "module": one.module.value,
                "status": one.status.value,
                "valid_from": _day(one.valid_from),
                "valid_until": _day(one.valid_until),
            }
            for one in record.reductions
        ]
    }


def _day(instant: datetime | None) -> str | None:
    return local_date(instant).isoformat() if instant else None


_KWH: Final[Mapping[str, Any]] = {
    "device_class": SensorDeviceClass.ENERGY,
    "native_unit_of_measurement": UnitOfEnergy.KILO_WATT_HOUR,
    "suggested_display_precision": 2,
}
_EUR_PER_KWH: Final[Mapping[str, Any]] = {
    "native_unit_of_measurement": PRICE_UNIT,
    "suggested_display_precision": 4,
    "entity_registry_enabled_default": False,
}
_DISABLED: Final[Mapping[str, Any]] = {"entity_registry_enabled_default": False}
_DIAGNOSTIC: Final[Mapping[str, Any]] = {"entity_category": EntityCategory.DIAGNOSTIC}

_BUYS, _SELLS, _BOTH = False, True, None
"""Which contracts have a sensor."""

# Contracts, name, value and settings of each sensor.
_SENSORS: Final[Iterable[tuple[bool | None, str, UsageReader, Mapping[str, Any]]]] = (
    (_BUYS, "usage_latest_day", _sum(_latest_day, "kwh"), _KWH),
    (_BUYS, "cost_latest_day", _sum(_latest_day, "cost"), MONEY),
    (_BUYS, "average_paid_latest_day", _sum(_latest_day, "paid"), _EUR_PER_KWH),
    (_BUYS, "usage_this_month", _sum(_this_month, "kwh"), {**_KWH, **_DISABLED}),
    (_BUYS, "cost_this_month", _sum(_this_month, "cost"), MONEY),
    (_BUYS, "average_paid_this_month", _sum(_this_month, "paid"), _EUR_PER_KWH),
    (_SELLS, "returned_latest_day", _sum(_latest_day, "kwh"), _KWH),
    (_SELLS, "compensation_latest_day", _sum(_latest_day, "cost"), MONEY),
    (_SELLS, "average_payout_latest_day", _sum(_latest_day, "paid"), _EUR_PER_KWH),
    (_SELLS, "returned_this_month", _sum(_this_month, "kwh"), {**_KWH, **_DISABLED}),
    (_SELLS, "compensation_this_month", _sum(_this_month, "cost"), MONEY),
    (_SELLS, "average_payout_this_month", _sum(_this_month, "paid"), _EUR_PER_KWH),
    (_BUYS, "usage_latest_month", _latest_month, {**_KWH, "analog": True}),
    (_SELLS, "returned_latest_month", _latest_month, {**_KWH, "analog": True}),
    (
        _BOTH,
        "metered_to",
        lambda record, _: (record.metered_to, {}),
        {**_DIAGNOSTIC, "device_class": SensorDeviceClass.TIMESTAMP},
    ),
    (
        _BOTH,
        "latest_invoice",
        _invoice,
        {
            **MONEY,
            **_DISABLED,
            "analog": None,
            "offered": lambda record: INVOICES not in record.refused,
            "endpoint": INVOICES,
        },
    ),
    (
        _BUYS,
        "grid_fee_reduction",
        _reduction,
        {
            **_DIAGNOSTIC,
            **_DISABLED,
            "device_class": SensorDeviceClass.ENUM,
            "options": list(_MODULES.values()),
            "analog": None,
            "offered": lambda record: record.reductions is not None,
        },
    ),
)

USAGE_SENSORS: Final = tuple(
    NomosUsageDescription(
        key=key, translation_key=key, selling=selling, value_fn=value_fn, **settings
    )
    for selling, key, value_fn, settings in _SENSORS
)


@callback
def async_follow_usage(
    hass: HomeAssistant,
    usage: UsageCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a contract once the kind of its meter is known."""
    added: set[str] = set()
    registry = er.async_get(hass)

    @callback
    def follow() -> None:
        record, fresh = usage.data, []
        if record.meter is None:
            return
        for description in USAGE_SENSORS:
            if description.analog not in {None, record.meter is MeterType.ANALOG}:
                # The meter was exchanged for one of another kind.
                unique_id = f"{usage.contract_id}_{description.key}"
                if gone := registry.async_get_entity_id(SENSOR, DOMAIN, unique_id):
                    registry.async_remove(gone)
                added.discard(description.key)
            elif (
                description.key not in added
                and description.selling in {None, usage.prices.contract.feeds_in}
                and description.offered(record)
            ):
                fresh.append(description)
        if not fresh:
            return
        added.update(one.key for one in fresh)
        async_add_entities(NomosUsageSensor(usage, one) for one in fresh)

    follow()
    usage.config_entry.async_on_unload(usage.async_add_listener(follow))


class NomosUsageSensor(ContractEntity[UsageCoordinator], SensorEntity):
    """A value of a contract's usage record."""

    # Each answer has the complete lists, so that old ones need not be recorded.
    _unrecorded_attributes = frozenset({"months", "reductions"})

    entity_description: NomosUsageDescription

    def __init__(
        self, coordinator: UsageCoordinator, description: NomosUsageDescription
    ) -> None:
        """Have the sensor's endpoint requested while the sensor exists."""
        super().__init__(coordinator, description)
        self.coordinator_context = description.endpoint

    @override
    def _is_available(self, now: datetime) -> bool:
        return not self.coordinator.stale

    @override
    def _read_value(self, now: datetime) -> object:
        value, attributes = self.entity_description.value_fn(
            self.coordinator.data, local_date(now)
        )
        if isinstance(value, float):
            value = round(value, 6)
        self._attr_native_value, self._attr_extra_state_attributes = value, attributes
        return value, attributes
