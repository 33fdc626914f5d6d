"""Prices, day statistics and contract facts as sensors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfRatio
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import SubscriptionType
from .loads.entities import LOAD_SENSORS, NomosLoadSensor
from .loads.load import FlexibleLoad
from .prices.contract_entities import CONTRACT, NomosContractSensor
from .prices.coordinator import PriceCoordinator
from .prices.entity import (
    BOTH,
    CONSUMPTION,
    FEED_IN,
    PRICE_UNIT,
    NomosEntity,
    TableValue,
    suits,
)
from .pricing import (
    TARIFF_ZONE,
    DayPrices,
    Interval,
    Level,
    PriceRating,
    PriceTable,
    local_date,
)
from .runtime import NomosConfigEntry
from .usage.entities import async_follow_usage

PARALLEL_UPDATES = 0

_TODAY: Final = timedelta()
_TOMORROW: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class NomosSensorDescription(SensorEntityDescription):
    """A sensor that reads the price table."""

    value_fn: TableValue[float | datetime | None]
    kinds: frozenset[SubscriptionType] = CONSUMPTION


@dataclass(frozen=True, kw_only=True)
class NomosStandingDescription(SensorEntityDescription):
    """A sensor that tells how the current price stands within its day."""

    value_fn: Callable[[PriceRating], str | float]


def _current(table: PriceTable, now: datetime) -> float | None:
    return interval.price if (interval := table.at(now)) else None


def _next(table: PriceTable, now: datetime) -> float | None:
    return interval.price if (interval := table.after(now)) else None


def _component(name: str) -> TableValue[float | None]:
    """Return a reader of one part of the current price."""

    def value(table: PriceTable, now: datetime) -> float | None:
        interval = table.at(now)
        part: float | None = getattr(interval.components, name) if interval else None
        return part

    return value


def _day(table: PriceTable, now: datetime, offset: timedelta) -> DayPrices | None:
    """Return what is known of today, or of tomorrow once it is complete: half of it would only mislead."""
    day = table.day(local_date(now) + offset)
    return day if offset == _TODAY or day.complete else None


def _average(offset: timedelta) -> TableValue[float | None]:
    def value(table: PriceTable, now: datetime) -> float | None:
        return day.average if (day := _day(table, now, offset)) else None

    return value


def _extreme(
    offset: timedelta, pick: Callable[[DayPrices], Interval | None]
) -> tuple[TableValue[float | None], TableValue[datetime | None]]:
    """Return readers of the price and of the start of a day's cheapest or dearest interval."""

    def interval(table: PriceTable, now: datetime) -> Interval | None:
        return pick(day) if (day := _day(table, now, offset)) else None

    def price(table: PriceTable, now: datetime) -> float | None:
        return found.price if (found := interval(table, now)) else None

    def start(table: PriceTable, now: datetime) -> datetime | None:
        return found.start if (found := interval(table, now)) else None

    return price, start


def _price_sensor(
    key: str,
    value_fn: TableValue[float | None],
    kinds: frozenset[SubscriptionType],
    *,
    measured: bool = False,
    enabled: bool = True,
) -> NomosSensorDescription:
    """Describe a price per kWh.

    It has no device class: `monetary` is an amount of money and allows no measurement. Only what holds now is
    measured; statistics over a forecast would mean nothing.
    """
    return NomosSensorDescription(
        key=key,
        translation_key=key,
        native_unit_of_measurement=PRICE_UNIT,
        suggested_display_precision=4,
        state_class=SensorStateClass.MEASUREMENT if measured else None,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        kinds=kinds,
    )


def _time_sensor(
    key: str,
    value_fn: TableValue[datetime | None],
    kinds: frozenset[SubscriptionType],
    *,
    enabled: bool = True,
) -> NomosSensorDescription:
    """Describe a point in time."""
    return NomosSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        kinds=kinds,
    )


def _day_sensors(
    noun: str, kinds: frozenset[SubscriptionType]
) -> Iterator[NomosSensorDescription]:
    """Describe the statistics of today and of tomorrow for prices or payouts."""
    for offset, name in ((_TODAY, "today"), (_TOMORROW, "tomorrow")):
        enabled = offset == _TODAY
        low, low_time = _extreme(offset, lambda day: day.lowest)
        high, high_time = _extreme(offset, lambda day: day.highest)
        yield _price_sensor(f"lowest_{noun}_{name}", low, kinds, enabled=enabled)
        yield _time_sensor(
            f"lowest_{noun}_{name}_time",
            low_time,
            kinds,
            enabled=enabled and kinds == CONSUMPTION,
        )
        yield _price_sensor(
            f"average_{noun}_{name}", _average(offset), kinds, enabled=enabled
        )
        yield _price_sensor(f"highest_{noun}_{name}", high, kinds, enabled=enabled)
        yield _time_sensor(
            f"highest_{noun}_{name}_time",
            high_time,
            kinds,
            # The time that people plan by: when it is best.
            enabled=enabled and kinds == FEED_IN,
        )


CURRENT_PRICES: Final = (
    _price_sensor("price", _current, CONSUMPTION, measured=True),
    _price_sensor("payout", _current, FEED_IN, measured=True),
)
"""The sensors that also carry the list of prices."""

PRICES: Final = (
    _price_sensor("next_price", _next, CONSUMPTION, enabled=False),
    _price_sensor("next_payout", _next, FEED_IN, enabled=False),
    *(
        _price_sensor(
            f"{part}_price",
            _component(part),
            CONSUMPTION,
            measured=True,
            enabled=False,
        )
        for part in ("electricity", "grid", "levies")
    ),
    *_day_sensors("price", CONSUMPTION),
    *_day_sensors("payout", FEED_IN),
)

STANDINGS: Final = (
    NomosStandingDescription(
        key="price_level",
        translation_key="price_level",
        device_class=SensorDeviceClass.ENUM,
        options=[level.key for level in Level],
        value_fn=lambda standing: standing.level.key,
    ),
    NomosStandingDescription(
        key="price_rank",
        translation_key="price_rank",
        entity_registry_enabled_default=False,
        value_fn=lambda standing: standing.rank,
    ),
    NomosStandingDescription(
        key="price_percentile",
        translation_key="price_percentile",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=lambda standing: round(standing.percentile, 2),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of every subscription, also of those that appear later."""

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        async_add_entities(
            [
                *(
                    NomosCurrentPriceSensor(coordinator, description)
                    for description in CURRENT_PRICES
                    if suits(coordinator, description.kinds)
                ),
                *(
                    NomosPriceSensor(coordinator, description)
                    for description in PRICES
                    if suits(coordinator, description.kinds)
                ),
                *(
                    NomosStandingSensor(coordinator, description)
                    for description in STANDINGS
                    if suits(coordinator, CONSUMPTION)
                ),
                *(
                    NomosContractSensor(coordinator, description)
                    for description in CONTRACT
                    if suits(coordinator, BOTH)
                ),
            ]
        )
        usage = entry.runtime_data.usage[coordinator.subscription_id]
        async_follow_usage(hass, usage, async_add_entities)

    @callback
    def add_load(load: FlexibleLoad) -> None:
        async_add_entities(
            [NomosLoadSensor(load, description) for description in LOAD_SENSORS],
            config_subentry_id=load.id,
        )

    entry.runtime_data.async_each_subscription(add)
    entry.runtime_data.loads.async_each(add_load)


class NomosPriceSensor(NomosEntity, SensorEntity):
    """A value out of the price table."""

    entity_description: NomosSensorDescription

    @override
    def _read_value(self, now: datetime) -> bool:
        value = self.entity_description.value_fn(self.coordinator.data, now)
        before, self._attr_native_value = self._attr_native_value, value
        return value != before


class NomosCurrentPriceSensor(NomosPriceSensor):
    """The current price, with the prices of today and tomorrow for dashboards and other energy software."""

    # Two days of quarter-hours are more than the recorder takes, and a forecast is no history.
    _unrecorded_attributes = frozenset({"prices_today", "prices_tomorrow"})

    _days: tuple[DayPrices, DayPrices] | None = None

    @override
    def _read_value(self, now: datetime) -> bool:
        table, today = self.coordinator.data, local_date(now)
        days = table.day(today), table.day(today + _TOMORROW)
        changed = super()._read_value(now)
        before, self._days = self._days, days
        if days == before:
            # The same lists as before: whoever compares old and new state sees at once that nothing changed.
            return changed
        self._attr_extra_state_attributes = {
            "prices_today": _listing(days[0]),
            "prices_tomorrow": _listing(days[1]),
        }
        return True


class NomosStandingSensor(NomosEntity, SensorEntity):
    """How the current price stands within its day."""

    entity_description: NomosStandingDescription

    @override
    def _read_value(self, now: datetime) -> bool:
        standing = self.coordinator.standing(now)
        value = self.entity_description.value_fn(standing) if standing else None
        before, self._attr_native_value = self._attr_native_value, value
        return value != before


def _listing(day: DayPrices) -> list[dict[str, Any]]:
    """Return a day's known prices as other software reads them: local start with its offset, EUR/kWh."""
    return [
        {
            "start": interval.start.astimezone(TARIFF_ZONE).isoformat(),
            "price": interval.price,
        }
        for interval in day.intervals
        if interval.price is not None
    ]
