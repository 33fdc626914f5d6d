"""What a battery shows: what to tell its inverter now, why, until when, and what that earns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import PERCENTAGE, UnitOfPower

from ..const import CURRENCY
from ..entity import SubentryEntity
from ..planner.battery import BatteryMode
from ..pricing import TARIFF_ZONE
from .battery import HomeBattery, signal_changed

type _Value = str | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class NomosBatteryDescription(SensorEntityDescription):
    """A sensor that reads a battery at an instant."""

    value_fn: Callable[[HomeBattery, datetime], _Value]


def _target_level(battery: HomeBattery, now: datetime) -> float | None:
    """Return the level that is to be reached with the mode of now, in percent."""
    if battery.plan is None or (told := battery.step(now)) is None:
        return None
    level = told.level
    for _, step in battery.plan.rest(now):
        if step.mode is not told.mode:
            break
        level = step.level
    return round(battery.settings.percent(level), 1)


def _power(battery: HomeBattery, now: datetime) -> float | None:
    """Return the power to charge with in kW, negative to feed in; zero if the inverter decides."""
    if (told := battery.step(now)) is None:
        return None
    sign = -1 if told.mode is BatteryMode.FEED_IN else 1
    return round(sign * told.power, 3) + 0.0


BATTERY_SENSORS: Final = (
    NomosBatteryDescription(
        key="mode",
        translation_key="battery_mode",
        device_class=SensorDeviceClass.ENUM,
        options=[mode.value for mode in BatteryMode],
        value_fn=lambda battery, now: battery.mode(now),
    ),
    NomosBatteryDescription(
        key="target_level",
        translation_key="battery_target_level",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=_target_level,
    ),
    NomosBatteryDescription(
        key="charging_power",
        translation_key="battery_charging_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=2,
        value_fn=_power,
    ),
    NomosBatteryDescription(
        key="next_change",
        translation_key="battery_next_change",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda battery, now: (
            battery.plan.next_change(now) if battery.plan else None
        ),
    ),
    NomosBatteryDescription(
        key="expected_gain",
        translation_key="battery_expected_gain",
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        value_fn=lambda battery, _: (
            round(battery.plan.plan.gain, 4) if battery.plan else None
        ),
    ),
    NomosBatteryDescription(
        key="gain_this_month",
        translation_key="battery_gain_this_month",
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY,
        suggested_display_precision=2,
        value_fn=lambda battery, now: round(battery.ledger.month(now), 4),
    ),
)


class NomosBatterySensor(SubentryEntity, SensorEntity):
    """A value of a battery or of its plan."""

    entity_description: NomosBatteryDescription

    def __init__(
        self, battery: HomeBattery, description: NomosBatteryDescription
    ) -> None:
        """Belong to the battery's device."""
        self._battery = battery
        super().__init__(battery.id, description, signal_changed(battery.id))

    @override
    def _read_value(self, now: datetime) -> object:
        self._attr_native_value = self.entity_description.value_fn(self._battery, now)
        return self._attr_native_value


class NomosBatteryMode(NomosBatterySensor):
    """All that the inverter is told now, with the reason, and the schedule for dashboards."""

    _unrecorded_attributes = frozenset({"power", "reason", "schedule", "target_level"})

    @override
    def _read_value(self, now: datetime) -> object:
        reason, plan = self._battery.reason(now), self._battery.plan
        if plan is not getattr(self, "_scheduled", self):
            self._scheduled = plan
            self._schedule = _schedule(self._battery)
        told = {
            "reason": reason,
            "power": _power(self._battery, now),
            "target_level": _target_level(self._battery, now),
        }
        self._attr_extra_state_attributes = told | {"schedule": self._schedule}
        return told, plan, super()._read_value(now)


def battery_sensors(battery: HomeBattery) -> Iterator[NomosBatterySensor]:
    """Make the sensors of a battery."""
    for description in BATTERY_SENSORS:
        kind = NomosBatteryMode if description.key == "mode" else NomosBatterySensor
        yield kind(battery, description)


def _schedule(battery: HomeBattery) -> list[dict[str, Any]]:
    """Return the plan by quarter-hours as other software reads it: local times with their offset, kW and percent."""
    if battery.plan is None:
        return []
    rows: list[dict[str, Any]] = []
    plan = battery.plan.plan
    for quarter, step in zip(plan.quarters, plan.steps, strict=True):
        rows.append(
            {
                "start": quarter.start.astimezone(TARIFF_ZONE).isoformat(),
                "mode": step.mode.value,
                "power": round(step.power, 2),
                "level": round(battery.settings.percent(step.level), 1),
            }
        )
    return rows
