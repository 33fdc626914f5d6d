"""What a battery really earned: its actual charge levels compared with self-use at the same need."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from typing import Final

from ..planner.battery import Battery, BatteryMode, Quarter, self_use
from ..pricing import local_date

_MAX_BETWEEN_READINGS: Final = timedelta(minutes=20)
"""If two readings are further apart, what happened in between is unknown."""
_MONTHS: Final = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class GainLedger:
    """Gains by month (YYYY-MM) in EUR after wear, and how full the battery would be under self-use.

    Attributes:
        at: when the level was last read;
        level: the level at that time, in kWh;
        own_level: the level under self-use, in kWh;
        pending: EUR earned (negative: paid) for charge that differs from ``own_level``. It is booked
            as that charge is used, so that a night of charging is no loss.
    """

    at: datetime | None = None
    level: float = 0.0
    own_level: float = 0.0
    pending: float = 0.0
    months: dict[str, float] = field(default_factory=dict)

    def month(self, now: datetime) -> float:
        """Return the gain of the month of an instant."""
        return self.months.get(_month(now), 0.0)

    def resized(self, share: float) -> GainLedger:
        """Return the ledger after the configured capacity was multiplied by ``share``.

        The sensor reports percent, so all levels scale with it. What is pending was really paid, and stays.
        """
        return replace(self, level=self.level * share, own_level=self.own_level * share)

    def with_reading(self, battery: Battery, at: datetime, level: float) -> GainLedger:
        """Return the ledger after a reading that cannot be booked: actual and own level are assumed to move alike.

        Charge that was used in the meantime is assumed to have earned what it cost.
        """
        if self.at is None:
            return replace(self, at=at, level=level, own_level=level)
        least = min(self.own_level, battery.reserve)
        own_level = max(self.own_level + level - self.level, least)
        own_level = min(own_level, battery.capacity)
        surplus, before = level - own_level, self.level - self.own_level
        kept = min(max(surplus / before, 0.0), 1.0) if before else 1.0
        return replace(
            self, at=at, level=level, own_level=own_level, pending=kept * self.pending
        )

    def with_quarter(
        self, battery: Battery, quarter: Quarter, mode: BatteryMode, level: float
    ) -> GainLedger:
        """Return the ledger after a quarter-hour; ``mode`` was told in it, ``level`` (kWh) is that at its end."""
        if (
            self.at is None
            or not timedelta() < quarter.end - self.at <= _MAX_BETWEEN_READINGS
        ):
            return self.with_reading(battery, quarter.end, level)
        moved = level - self.level + battery.standby * quarter.hours
        charged = max(moved, 0.0) / battery.charge_efficiency
        discharged = max(-moved, 0.0) * battery.discharge_efficiency
        low, high = _bounds(battery, mode, level, charged, discharged)
        need = min(max(quarter.need, low), high)
        quarter = quarter._replace(need=need)
        grid = need + charged - discharged
        price = quarter.price if grid > 0 else quarter.payout
        cost = grid * price + battery.wear * discharged
        own = self_use(battery, self.own_level, quarter)
        surplus, before = level - own.level, self.level - self.own_level
        gain, pending = own.cost - cost, self.pending
        if surplus * before < 0:
            gain, pending = gain + pending, 0.0
        elif abs(surplus) > abs(before):
            gain, pending = 0.0, pending + gain
        elif before:
            used = 1 - surplus / before
            gain, pending = gain + used * pending, (1 - used) * pending
        months = dict(sorted(self.months.items())[-_MONTHS:])
        month = _month(quarter.start)
        months[month] = months.get(month, 0.0) + gain
        return replace(
            self,
            at=quarter.end,
            level=level,
            own_level=own.level,
            pending=pending,
            months=months,
        )


def _bounds(
    battery: Battery,
    mode: BatteryMode,
    level: float,
    charged: float,
    discharged: float,
) -> tuple[float, float]:
    """Return bounds of the real need (kWh), from what the battery charged and discharged (kWh) by itself.

    A battery that covers the need and is not empty delivers all of it; one that stores the surplus and is not full
    takes all of it. Neither moves more, unless it is told to.
    """
    covers = level > battery.reserve and mode in (
        BatteryMode.SELF_USE,
        BatteryMode.DELAY_CHARGE,
    )
    stores = level < battery.capacity and mode in (
        BatteryMode.SELF_USE,
        BatteryMode.HOLD,
    )
    low = -charged if stores else -inf
    high = discharged if covers else inf
    if discharged and mode is not BatteryMode.FEED_IN:
        low = discharged
    if charged and mode is not BatteryMode.CHARGE:
        high = -charged
    return low, high


def _month(instant: datetime) -> str:
    return f"{local_date(instant):%Y-%m}"
