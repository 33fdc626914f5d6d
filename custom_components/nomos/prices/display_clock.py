"""The display clock: wakes when another interval of a price table, or another day, begins."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..pricing import PriceTable, next_midnight

SIGNAL_LOWEST: Final = f"{DOMAIN}_lowest_price"
"""Sent with a contract's id when the lowest price of its day begins."""

_WITHOUT_PRICES: Final = timedelta(minutes=15)
"""How long to sleep if no boundary is known."""


class DisplayClock:
    """Calls back at the next boundary; ``follow`` sets it again."""

    def __init__(
        self, hass: HomeAssistant, on_boundary: Callable[[datetime], None]
    ) -> None:
        """Take what to call; the clock does not run yet."""
        self.boundary: datetime | None = None
        """When it wakes next; None if it does not run."""
        self._hass = hass
        self._on_boundary = on_boundary
        self._unsub: CALLBACK_TYPE | None = None

    @callback
    def follow(self, table: PriceTable) -> None:
        """Wake at the table's next boundary. Midnight is always one: another day is today then."""
        self.stop()
        now = dt_util.utcnow()
        self.boundary = min(
            table.next_boundary(now) or now + _WITHOUT_PRICES, next_midnight(now)
        )
        self._unsub = async_track_point_in_utc_time(
            self._hass, self._on_boundary, self.boundary
        )

    @callback
    def stop(self) -> None:
        """Do not wake any more."""
        self.boundary = None
        if self._unsub is not None:
            self._unsub()
            self._unsub = None
