"""What a battery is given from outside: what is expected, and what was known before a restart."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..planner.battery import BatteryMode
from ..planner.expected import HouseOutlook
from ..storage import StoredFile, stored_file
from .ledger import GainLedger


def battery_file(hass: HomeAssistant, entry: ConfigEntry) -> StoredFile:
    """Return the file that holds what is remembered of an account's batteries."""
    return stored_file(hass, f"batteries.{entry.entry_id}")


class Forecasts(Protocol):
    """Where a battery learns what is expected."""

    @property
    def options(self) -> object:
        """Return what the customer chose; another outlook follows if that changes."""

    async def async_outlook(self, now: datetime) -> HouseOutlook:
        """Return what is expected now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryMemory:
    """What has to survive a restart."""

    mode: BatteryMode = BatteryMode.SELF_USE
    ledger: GainLedger = field(default_factory=GainLedger)
