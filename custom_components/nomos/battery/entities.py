"""What a battery shows: what to tell its inverter now, why, until when, and what that earns."""

from datetime import datetime
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import PERCENTAGE, UnitOfPower

from ..entity import SubentryEntityDescription, SubentrySensor
from ..planner.battery import BatteryMode
from ..prices.entity import MONEY
from ..pricing import TARIFF_ZONE
from .battery import HomeBattery


def _target_level(battery: HomeBattery, now: datetime) -> float | None:
    """Return the level at which the current mode ends, in percent."""
    same = battery.plan.ahead(now)[0] if battery.plan else None
    return round(battery.settings.percent(same[-1][1].level), 1) if same else None


def _power(battery: HomeBattery, now: datetime) -> float | None:
    """Return the power to charge with in kW, negative to feed in; zero if the inverter decides."""
    if (told := battery.step(now)) is None:
        return None
    sign = -1 if told.mode is BatteryMode.FEED_IN else 1
    return round(sign * told.power, 3) + 0.0


def _told(battery: HomeBattery, now: datetime) -> dict[str, Any]:
    """Return the current mode's power, target level and reason, and the schedule for dashboards.

    The schedule is the plan by quarter-hour: local times with UTC offset, kW and percent.
    """
    plan = battery.plan.plan if battery.plan else None
    steps = zip(plan.quarters, plan.steps, strict=True) if plan else ()
    return {
        "reason": battery.reason(now),
        "power": _power(battery, now),
        "target_level": _target_level(battery, now),
        "schedule": [
            {
                "start": quarter.start.astimezone(TARIFF_ZONE).isoformat(),
                "mode": step.mode.value,
                "power": round(step.power, 2),
                "level": round(battery.settings.percent(step.level), 1),
            }
            for quarter, step in steps
        ],
    }


BATTERY_SENSORS: Final[tuple[SubentryEntityDescription[HomeBattery], ...]] = (
    SubentryEntityDescription(
        key="mode",
        translation_key="battery_mode",
        device_class=SensorDeviceClass.ENUM,
        options=[mode.value for mode in BatteryMode],
        value_fn=lambda battery, now: battery.mode(now),
        attributes_fn=_told,
    ),
    SubentryEntityDescription(
        key="target_level",
        translation_key="battery_target_level",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=_target_level,
    ),
    SubentryEntityDescription(
        key="charging_power",
        translation_key="battery_charging_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=2,
        value_fn=_power,
    ),
    SubentryEntityDescription(
        key="next_change",
        translation_key="battery_next_change",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda battery, now: (
            battery.plan.next_change(now) if battery.plan else None
        ),
    ),
    SubentryEntityDescription(
        key="expected_gain",
        translation_key="battery_expected_gain",
        value_fn=lambda battery, _: (
            round(battery.plan.plan.gain, 4) if battery.plan else None
        ),
        **MONEY,
    ),
    SubentryEntityDescription(
        key="gain_this_month",
        translation_key="battery_gain_this_month",
        value_fn=lambda battery, now: round(battery.ledger.month(now), 4),
        **MONEY,
    ),
)


class NomosBatterySensor(SubentrySensor[HomeBattery]):
    """A value of a battery or of its plan."""

    _unrecorded_attributes = frozenset({"power", "reason", "schedule", "target_level"})
