"""The sensors of prices and of the contract."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfRatio

from ..api import SubscriptionStatus
from ..pricing import TARIFF_ZONE, DayPrices, Level, local_date
from .coordinator import PriceCoordinator
from .entity import MONEY, PRICE_UNIT, NomosEntity, PriceValue

_STATUSES: Final = [
    status.value
    for status in SubscriptionStatus
    if status is not SubscriptionStatus.UNKNOWN
]


@dataclass(frozen=True, kw_only=True)
class NomosSensorDescription(SensorEntityDescription):
    """A sensor of contracts that feed in, of those that do not, or of both (None)."""

    value_fn: PriceValue[str | float | datetime | None]
    feeds_in: bool | None = False


_NOUNS: Final = (("price", False), ("payout", True))
"""The noun for a price, and whether it is for feed-in contracts."""


def _read(found: Any, *names: str) -> Any:
    """Return a nested attribute; None if any on the path is None."""
    for name in names:
        found = None if found is None else getattr(found, name)
    return found


def _at(*names: str) -> PriceValue[Any]:
    """Return a reader of the current interval."""
    return lambda prices, now: _read(prices.data.at(now), *names)


def _of_rating(*names: str) -> PriceValue[Any]:
    """Return a reader of the current price's rating within its day."""
    return lambda prices, now: _read(prices.levels.at(now), *names)


def _percentile(prices: PriceCoordinator, now: datetime) -> float | None:
    rating = prices.levels.at(now)
    return round(rating.percentile, 2) if rating else None


def _of_day(offset: int, *names: str) -> PriceValue[Any]:
    """Return a reader of today, or of tomorrow once it is complete: half a day would mislead."""

    def value(prices: PriceCoordinator, now: datetime) -> Any:
        day = prices.data.day(local_date(now) + timedelta(days=offset))
        return _read(day, *names) if offset == 0 or day.complete else None

    return value


def _of_tariff(name: str) -> PriceValue[Any]:
    return lambda prices, _: _read(prices.account.tariff_of(prices.contract), name)


def _status(prices: PriceCoordinator, _now: datetime) -> str | None:
    status = prices.contract.status.value
    return status if status in _STATUSES else None


def _sensor(
    key: str,
    value_fn: PriceValue[str | float | datetime | None],
    *,
    enabled: bool = True,
    feeds_in: bool | None = False,
    **fields: Any,
) -> NomosSensorDescription:
    return NomosSensorDescription(
        key=key,
        translation_key=key,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        feeds_in=feeds_in,
        **fields,
    )


# A price has no device class: `monetary` is for amounts of money and allows no measurement. Only current prices are
# measured; statistics of future ones would mean nothing.
_PRICE: Final[dict[str, Any]] = {
    "native_unit_of_measurement": PRICE_UNIT,
    "suggested_display_precision": 4,
}
_MEASURED: Final[dict[str, Any]] = {
    **_PRICE,
    "state_class": SensorStateClass.MEASUREMENT,
}
_TIME: Final[dict[str, Any]] = {"device_class": SensorDeviceClass.TIMESTAMP}


def _day_sensors(noun: str, feeds_in: bool) -> Iterator[NomosSensorDescription]:
    """Describe the statistics of today and of tomorrow, for prices or payouts."""
    best = "highest" if feeds_in else "lowest"  # Its time is what people plan by.
    for offset, day in enumerate(("today", "tomorrow")):
        kind: dict[str, Any] = {"feeds_in": feeds_in, "enabled": offset == 0, **_PRICE}
        yield _sensor(f"average_{noun}_{day}", _of_day(offset, "average"), **kind)
        for name in ("lowest", "highest"):
            key = f"{name}_{noun}_{day}"
            yield _sensor(key, _of_day(offset, name, "price"), **kind)
            yield _sensor(
                f"{key}_time",
                _of_day(offset, name, "start"),
                feeds_in=feeds_in,
                enabled=offset == 0 and name == best,
                **_TIME,
            )


CURRENT_PRICES: Final = tuple(
    _sensor(noun, _at("price"), feeds_in=feeds_in, **_MEASURED)
    for noun, feeds_in in _NOUNS
)
"""The sensors that also carry the list of prices."""

PRICES: Final = (
    *(
        _sensor(
            f"next_{noun}",
            lambda prices, now: _read(prices.data.after(now), "price"),
            feeds_in=feeds_in,
            enabled=False,
            **_PRICE,
        )
        for noun, feeds_in in _NOUNS
    ),
    *(
        _sensor(f"{part}_price", _at("components", part), enabled=False, **_MEASURED)
        for part in ("electricity", "grid", "levies")
    ),
    *(one for noun, feeds_in in _NOUNS for one in _day_sensors(noun, feeds_in)),
    _sensor(
        "price_level",
        _of_rating("level", "key"),
        device_class=SensorDeviceClass.ENUM,
        options=[level.key for level in Level],
    ),
    _sensor("price_rank", _of_rating("rank"), enabled=False),
    _sensor(
        "price_percentile",
        _percentile,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        enabled=False,
    ),
)

CONTRACT: Final = tuple(
    _sensor(
        key,
        value_fn,
        enabled=key == "contract_status",
        feeds_in=None,
        entity_category=EntityCategory.DIAGNOSTIC,
        **fields,
    )
    for key, value_fn, fields in (
        (
            "contract_status",
            _status,
            {"device_class": SensorDeviceClass.ENUM, "options": _STATUSES},
        ),
        ("contract_start", lambda prices, _: prices.contract.start_at, _TIME),
        ("contract_end", lambda prices, _: prices.contract.end_at, _TIME),
        ("contract_notice", lambda prices, _: prices.contract.terminated_at, _TIME),
        ("contract_number", lambda prices, _: prices.contract.number, {}),
        ("plan", _of_tariff("name"), {}),
        ("base_fee", _of_tariff("base_fee"), MONEY),
    )
)


class NomosPriceSensor(NomosEntity, SensorEntity):
    """A value of the price table."""

    entity_description: NomosSensorDescription

    @override
    def _read_value(self, now: datetime) -> object:
        self._attr_native_value = self.entity_description.value_fn(
            self.coordinator, now
        )
        return self._attr_native_value


class NomosCurrentPriceSensor(NomosPriceSensor):
    """The current price, with the prices of today and tomorrow for dashboards and other energy software."""

    # Two days of quarter-hours exceed the recorder's limit, and a forecast is not history.
    _unrecorded_attributes = frozenset({"prices_today", "prices_tomorrow"})

    _days: tuple[DayPrices, DayPrices] | None = None

    @override
    def _read_value(self, now: datetime) -> object:
        table, today = self.coordinator.data, local_date(now)
        days = table.day(today), table.day(today + timedelta(days=1))
        before, self._days = self._days, days
        # Otherwise the list objects stay the same, which makes comparing the old and the new state fast.
        if days != before:
            self._attr_extra_state_attributes = {
                "prices_today": _listing(days[0]),
                "prices_tomorrow": _listing(days[1]),
            }
        return super()._read_value(now), days


class NomosContractSensor(NomosPriceSensor):
    """A property of the contract."""

    @property
    @override
    def entity_registry_enabled_default(self) -> bool:
        """Return whether it is enabled by default; the contract's start is before supply begins."""
        waits = self.coordinator.contract.status is SubscriptionStatus.PENDING
        awaited = waits and self.entity_description.key == "contract_start"
        return awaited or super().entity_registry_enabled_default

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


def price_sensors(coordinator: PriceCoordinator) -> Iterator[NomosPriceSensor]:
    """Make the sensors of a contract."""
    for sensor, descriptions in (
        (NomosCurrentPriceSensor, CURRENT_PRICES),
        (NomosPriceSensor, PRICES),
        (NomosContractSensor, CONTRACT),
    ):
        for description in descriptions:
            if description.feeds_in in {None, coordinator.contract.feeds_in}:
                yield sensor(coordinator, description)


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
