"""The base of the coordinators of one contract."""

from datetime import datetime
import logging
from typing import override

from homeassistant.core import HomeAssistant

from ..const import DOMAIN
from ..scheduled_coordinator import ScheduledCoordinator
from .contracts import NomosAccount


class ContractCoordinator[T](ScheduledCoordinator[T]):
    """Asks an account for one kind of data of one contract, at times that it plans itself."""

    def __init__(
        self,
        hass: HomeAssistant,
        account: NomosAccount,
        subscription_id: str,
        *,
        kind: str,
        nothing: T,
        logger: logging.Logger,
    ) -> None:
        """Begin with nothing known and no request planned."""
        super().__init__(hass, account.config_entry, logger, f"{DOMAIN} {kind}")
        self.account = account
        self.subscription_id = subscription_id
        self.data = nothing
        self._kind = kind.capitalize()

    @property
    def place(self) -> str:
        """Return the name of the contract in log and diagnostics, which must not hold its number."""
        return self.account.place_of(self.subscription_id)

    @property
    @override
    def subject(self) -> str:
        return f"{self._kind} of {self.place}"

    def _plan(self, at: datetime) -> None:
        """Ask at an aware instant, or when the wait that Nomos asked for is over."""
        self._schedule_at(self.account.after_rate_limit(at))
