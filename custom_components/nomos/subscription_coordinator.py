"""What the coordinators of one subscription share: whom they ask, how it went, and when they ask next."""

from datetime import datetime
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .account import NomosAccount, timer_until
from .const import DOMAIN


class SubscriptionCoordinator[T](DataUpdateCoordinator[T]):
    """Asks an account for one kind of data of one subscription, at times that it plans itself."""

    config_entry: ConfigEntry

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
        super().__init__(
            hass,
            logger,
            config_entry=account.config_entry,
            name=f"{DOMAIN} {kind}",
            always_update=False,
        )
        self.account = account
        self.subscription_id = subscription_id
        self.data = nothing
        self.last_answer: datetime | None = None
        self.last_error: Exception | None = None
        self.next_request: datetime | None = None
        self._misses = 0

    def _plan(self, at: datetime) -> None:
        """Ask at an aware instant, or when the silence that Nomos asked for is over."""
        at = self.account.not_in_silence(at)
        self.next_request = at
        self.update_interval = timer_until(at)
