"""What a battery is given: the outlook, and its state before a restart."""

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
    """Where a battery gets its outlook from."""

    @property
    def options(self) -> object:
        """Return the customer's options; if they change, so does the outlook."""

    async def async_outlook(self, now: datetime) -> HouseOutlook:
        """Return the outlook as of an aware instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryMemory:
    """State to restore after a restart."""

    mode: BatteryMode = BatteryMode.SELF_USE
    ledger: GainLedger = field(default_factory=GainLedger)
