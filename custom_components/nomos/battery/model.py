"""What a battery is given from outside: what is expected, what loads have planned, and what was known before a restart."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ..planner import Run
from ..planner.battery import BatteryMode
from ..planner.expected import Expected
from ..pricing import PriceTable
from .ledger import GainLedger

type PlannedRuns = tuple[tuple[Run, float], ...]
"""The runs that loads and other batteries have planned, with their power in kW; negative for what a battery delivers."""


class Outlook(Protocol):
    """What is expected of the house."""

    def expected(self, prices: PriceTable, runs: PlannedRuns) -> Expected:
        """Return it with prices, and with what comes on top of the need of the house."""


class Forecasts(Protocol):
    """Where a battery learns what is expected."""

    @property
    def options(self) -> object:
        """Return what the customer chose; another outlook follows if that changes."""

    async def async_outlook(self, now: datetime) -> Outlook:
        """Return what is expected now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryMemory:
    """What has to survive a restart."""

    mode: BatteryMode = BatteryMode.SELF_USE
    ledger: GainLedger = field(default_factory=GainLedger)
