"""What was metered, and what it cost, as sensors."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, UnitOfEnergy, UnitOfRatio
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from ..account.contract_entity import ContractEntity
from ..api import GridFeeModule, GridFeeReduction, GridFeeStatus, MeterType
from ..const import CURRENCY, DOMAIN
from ..prices.entity import PRICE_UNIT
from ..pricing import local_date
from .coordinator import UsageCoordinator, metered_to
from .metering import PeriodUsage, month_start, period, share_of_optimum
from .record import INVOICES, UsageRecord

type UsageValue = tuple[float | str | datetime | None, Mapping[str, Any] | None]
"""A state with its attributes."""

type UsageReader = Callable[[UsageRecord, date], UsageValue]
"""Reads a state out of what is known of a meter, on a tariff day."""

_NOTHING: Final[UsageValue] = (None, None)

ANALOG: Final = frozenset({MeterType.ANALOG})
ANY: Final = frozenset(MeterType)
SMART: Final = ANY - ANALOG


@dataclass(frozen=True, kw_only=True)
class NomosUsageDescription(SensorEntityDescription):
    """A sensor that reads what is known of a contract's meter, on a tariff day.

    It is there for contracts that buy or sell, or for both where ``selling`` is None, with a meter of these kinds, as
    soon as the record offers it.
    """

    value_fn: UsageReader
    meters: frozenset[MeterType] = SMART
    selling: bool | None = None
    offered: Callable[[UsageRecord], bool] = lambda _: True
    reads_invoices: bool = False


def _facts(sums: PeriodUsage, *, money: bool) -> dict[str, Any]:
    """Return up to which day a sum goes, and what it lacks."""
    facts = {"date": sums.last.isoformat(), "missing_intervals": sums.missing}
    return {**facts, "unpriced_kwh": sums.unpriced} if money else facts


def _latest(pick: Callable[[PeriodUsage], float | None], *, money: bool) -> UsageReader:
    """Return a reader of the latest day that was metered: yesterday, from about 16:00 on."""

    def value(record: UsageRecord, _today: date) -> UsageValue:
        if (latest := record.latest) is None or (found := period([latest])) is None:
            return _NOTHING
        return pick(found), _facts(found, money=money)

    return value


def _this_month(
    pick: Callable[[PeriodUsage], float | None], *, money: bool
) -> UsageReader:
    """Return a reader of the days of the current month that were metered so far."""

    def value(record: UsageRecord, today: date) -> UsageValue:
        first = month_start(today)
        found = period(one for day, one in record.days.items() if day >= first)
        if found is None:
            return _NOTHING
        return pick(found), _facts(found, money=money)

    return value


def _share(selling: bool) -> UsageReader:
    def value(record: UsageRecord, _today: date) -> UsageValue:
        if (day := record.latest) is None:
            return _NOTHING
        best = day.highest if selling else day.lowest
        return share_of_optimum(day, selling=selling), {
            "date": day.day.isoformat(),
            "at_best_price": None if best is None else round(day.priced_kwh * best, 4),
            "at_average_price": None
            if day.mean is None
            else round(day.priced_kwh * day.mean, 4),
        }

    return value


def _latest_month(record: UsageRecord, _today: date) -> UsageValue:
    if not record.months:
        return _NOTHING
    latest = record.months[-1]
    return latest.kwh, {
        "month": latest.month.strftime("%Y-%m"),
        "final": latest.final,
        "months": {one.month.strftime("%Y-%m"): one.kwh for one in record.months},
    }


def _invoice(record: UsageRecord, _today: date) -> UsageValue:
    if (invoice := record.invoice) is None:
        return _NOTHING
    return invoice.total, {
        "type": invoice.type.value,
        "status": invoice.status.value,
        "period_start": local_date(invoice.period_start).isoformat(),
        "period_end": local_date(invoice.period_end).isoformat(),
    }


NO_REDUCTION: Final = "none"

_MODULES: Final = {
    frozenset({GridFeeModule.FLAT}): "module_1",
    frozenset({GridFeeModule.WORKING_PRICE}): "module_2",
    frozenset({GridFeeModule.TIME_OF_USE}): "module_3",
    frozenset({GridFeeModule.FLAT, GridFeeModule.TIME_OF_USE}): "modules_1_and_3",
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
    active = {one.module for one in record.reductions if _holds(one, today)}
    state = _MODULES.get(frozenset(active)) if active else NO_REDUCTION
    return state, {
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


@dataclass(frozen=True, slots=True)
class _Quantity:
    """What a number is of, and how it is shown."""

    unit: str
    precision: int
    device_class: SensorDeviceClass | None = None


_ENERGY: Final = _Quantity(UnitOfEnergy.KILO_WATT_HOUR, 2, SensorDeviceClass.ENERGY)
_MONEY: Final = _Quantity(CURRENCY, 2, SensorDeviceClass.MONETARY)
_MEAN_PRICE: Final = _Quantity(PRICE_UNIT, 4)
_SHARE: Final = _Quantity(UnitOfRatio.PERCENTAGE, 0)


def _number(
    key: str,
    quantity: _Quantity,
    value_fn: UsageReader,
    *,
    selling: bool | None,
    meters: frozenset[MeterType] = SMART,
    enabled: bool = True,
) -> NomosUsageDescription:
    """Describe a number that was metered or follows from it.

    It has no state class: what is learned a day late belongs into the statistics of the hours it was metered in.
    """
    return NomosUsageDescription(
        key=key,
        translation_key=key,
        device_class=quantity.device_class,
        native_unit_of_measurement=quantity.unit,
        suggested_display_precision=quantity.precision,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        meters=meters,
        selling=selling,
    )


def _period_sensors(selling: bool) -> Iterator[NomosUsageDescription]:
    """Describe the sums of the latest day and of this month for usage or for feed-in."""
    energy, money, paid = (
        ("returned", "compensation", "average_payout")
        if selling
        else ("usage", "cost", "average_paid")
    )
    for name, reader in (("latest_day", _latest), ("this_month", _this_month)):
        yield _number(
            f"{energy}_{name}",
            _ENERGY,
            reader(lambda sums: sums.kwh, money=False),
            selling=selling,
            enabled=name == "latest_day",
        )
        yield _number(
            f"{money}_{name}",
            _MONEY,
            reader(lambda sums: sums.cost, money=True),
            selling=selling,
        )
        yield _number(
            f"{paid}_{name}",
            _MEAN_PRICE,
            reader(lambda sums: sums.paid, money=True),
            selling=selling,
            enabled=False,
        )
    yield _number(
        "share_of_optimum", _SHARE, _share(selling), selling=selling, enabled=False
    )


USAGE_SENSORS: Final = (
    *_period_sensors(selling=False),
    *_period_sensors(selling=True),
    _number("usage_latest_month", _ENERGY, _latest_month, selling=False, meters=ANALOG),
    _number(
        "returned_latest_month", _ENERGY, _latest_month, selling=True, meters=ANALOG
    ),
    NomosUsageDescription(
        key="metered_to",
        translation_key="metered_to",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda record, _: (metered_to(record), None),
    ),
    NomosUsageDescription(
        key="latest_invoice",
        translation_key="latest_invoice",
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        entity_registry_enabled_default=False,
        value_fn=_invoice,
        meters=ANY,
        offered=lambda record: INVOICES not in record.refused,
        reads_invoices=True,
    ),
    NomosUsageDescription(
        key="grid_fee_reduction",
        translation_key="grid_fee_reduction",
        device_class=SensorDeviceClass.ENUM,
        options=[NO_REDUCTION, *_MODULES.values()],
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_reduction,
        meters=ANY,
        selling=False,
        offered=lambda record: record.reductions is not None,
    ),
)


def _suits(usage: UsageCoordinator, description: NomosUsageDescription) -> bool:
    """Return whether a sensor belongs to a contract, as far as its meter is known."""
    return (
        description.selling in {None, usage.selling}
        and usage.data.meter in description.meters
        and description.offered(usage.data)
    )


@callback
def async_follow_usage(
    hass: HomeAssistant,
    usage: UsageCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a contract as soon as it is known what its meter can tell."""
    added: set[str] = set()
    registry = er.async_get(hass)

    @callback
    def follow() -> None:
        if usage.data.meter is None:
            return
        fresh = []
        for description in USAGE_SENSORS:
            if usage.data.meter not in description.meters:
                # The meter was exchanged for one of another kind.
                unique_id = f"{usage.subscription_id}_{description.key}"
                if gone := registry.async_get_entity_id(SENSOR, DOMAIN, unique_id):
                    registry.async_remove(gone)
                added.discard(description.key)
            elif description.key not in added and _suits(usage, description):
                fresh.append(description)
        if fresh:
            added.update(one.key for one in fresh)
            async_add_entities(NomosUsageSensor(usage, one) for one in fresh)

    follow()
    usage.config_entry.async_on_unload(usage.async_add_listener(follow))


class NomosUsageSensor(ContractEntity[UsageCoordinator], SensorEntity):
    """A value out of what is known of a contract's meter."""

    _attr_extra_state_attributes: dict[str, Any] = {}
    # What an analog meter counted is told by the sensor, not by its history.
    _unrecorded_attributes = frozenset({"months", "reductions"})

    entity_description: NomosUsageDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Have invoices asked for where this is one: only while somebody wants to see it."""
        await super().async_added_to_hass()
        if self.entity_description.reads_invoices:
            self.async_on_remove(self.coordinator.async_read_invoices())

    @callback
    @override
    def _read(self) -> bool:
        """Read the record once."""
        today = local_date(dt_util.utcnow())
        value, attributes = self.entity_description.value_fn(
            self.coordinator.data, today
        )
        if isinstance(value, float):
            value = round(value, 6)
        before = (
            self._attr_native_value,
            self._attr_extra_state_attributes,
            self._attr_available,
        )
        after = value, dict(attributes or {}), not self.coordinator.stale
        if after == before:
            return False
        (
            self._attr_native_value,
            self._attr_extra_state_attributes,
            self._attr_available,
        ) = after
        return True
