"""The settings of a home battery, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from math import sqrt
from typing import Any, Final, Self

from homeassistant.util import dt as dt_util

from ..planner.battery import Battery, Target
from ..pricing import window

DEFAULT_EFFICIENCY: Final = 90
DEFAULT_RESERVE: Final = 10
DEFAULT_WEAR: Final = 5
"""ct per kWh discharged."""

_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySettings:
    """A home battery and what it is allowed to do.

    Attributes:
        battery: what it can do; levels in kWh.
        level_sensor: the entity of its charge level in percent.
        target_level: in percent, to be reached each day by ``target_time``, in the hub's local time.
        subscription_id: the contract that it is planned with; None for the default one.

    Raises:
        ValueError: with the translation key of what cannot be meant, as far as the form does not limit it.

    """

    battery: Battery
    level_sensor: str
    target_level: float | None
    target_time: time | None
    subscription_id: str | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read the data of a subentry. ValueError as above."""
        for key in ("level_sensor", "capacity", "charge_power"):
            if not data.get(key):
                raise ValueError(f"no_{key}")
        capacity = data["capacity"]
        efficiency = sqrt(data.get("efficiency", DEFAULT_EFFICIENCY) / 100)
        battery = Battery(
            capacity=capacity,
            charge_power=data["charge_power"],
            discharge_power=data.get("discharge_power") or 0.0,
            charge_efficiency=efficiency,
            discharge_efficiency=efficiency,
            standby=data.get("standby", 0) / 1000,
            reserve=data.get("reserve", DEFAULT_RESERVE) / 100 * capacity,
            wear=data.get("wear", DEFAULT_WEAR) / 100,
            from_grid=data.get("from_grid", True),
            to_grid=data.get("to_grid", False),
        )
        level, by = data.get("target_level"), data.get("target_time")
        target_time = dt_util.parse_time(by) if by else None
        if not (level is None) == (by is None) == (target_time is None):
            raise ValueError("target_incomplete")
        return cls(
            battery=battery,
            level_sensor=data["level_sensor"],
            target_level=level,
            target_time=target_time,
            subscription_id=data.get("subscription"),
        )

    def target(self, now: datetime, zone: tzinfo) -> Target | None:
        """Return the next level to reach, in kWh, and by when; None if there is none."""
        if self.target_level is None or self.target_time is None:
            return None
        at = window(now + _INSTANT, None, self.target_time, zone)[1]
        return Target(at, self.kwh(self.target_level))

    def kwh(self, percent: float) -> float:
        """Convert a charge level from percent to kWh."""
        return percent / 100 * self.battery.capacity

    def percent(self, kwh: float) -> float:
        """Convert a charge level from kWh to percent."""
        return 100 * kwh / self.battery.capacity
