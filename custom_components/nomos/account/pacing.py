"""The pace of one account's requests, and the wait if Nomos asks for one."""

import asyncio
from asyncio import sleep
from datetime import datetime, timedelta
import logging
from typing import Final

from homeassistant.core import callback
from homeassistant.exceptions import OAuth2TokenRequestError
from homeassistant.util import dt as dt_util

from ..api import NomosError, NomosRateLimitError, parse_error
from ..schedule import LONGEST_PAUSE, after_pause, pause_until
from ..scheduled_coordinator import log_time

_LOGGER = logging.getLogger(__name__)

INTERVAL: Final = 0.2
"""Seconds between the starts of two requests of an account.

Nomos accepts ten a second (Nomos API, Rate limiting). This keeps below eight, even on a slow line, which brings
requests closer together, and with the few that linking sends by itself."""


class Pace:
    """Sends the requests of one account one at a time, in order of arrival.

    Each waits for the one before, not for a fixed time, so that a hub that hangs for a second does not send a burst
    afterwards. A request that is cancelled while it waits leaves no gap and no timer.
    """

    def __init__(self, phase: float) -> None:
        """Allow the first request at once; ``phase`` spreads installations after a wait."""
        self._phase = phase
        self._lock = asyncio.Lock()
        self._free_at = 0.0
        self._until: datetime | None = None
        """The end of the last wait that Nomos asked for; it may be past."""

    async def async_turn(self) -> None:
        """Wait until the next request may be sent."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if (wait := self._free_at - loop.time()) > 0:
                await sleep(wait)
            self._free_at = loop.time() + INTERVAL

    @property
    def _paused_until(self) -> datetime | None:
        if self._until is None:
            return None
        # More time left than the longest pause means that the clock was set back.
        left = self._until - dt_util.utcnow()
        return self._until if timedelta() < left <= LONGEST_PAUSE else None

    def check_rate_limit(self) -> None:
        """Raise NomosRateLimitError during a wait that Nomos asked for."""
        if (until := self._paused_until) is not None:
            raise NomosRateLimitError(
                "Waiting as Nomos asked",
                status=429,
                retry_after=until - dt_util.utcnow(),
            )

    def after_rate_limit(self, at: datetime) -> datetime:
        """Return the time of a scheduled request, postponed until after any wait that Nomos asked for."""
        if (until := self._paused_until) is None:
            return at
        return after_pause(dt_util.utcnow(), at, until, self._phase)

    def note_rate_limit(self, err: NomosError | OAuth2TokenRequestError) -> None:
        """Remember a wait that an error asks for."""
        if isinstance(err, OAuth2TokenRequestError):
            err = parse_error(err.status, err.headers or {}, b"")
        wait = getattr(err, "retry_after", None)
        if wait is None or self._paused_until is not None:
            return
        self._until = pause_until(dt_util.utcnow(), wait)
        _LOGGER.debug("Nomos wants to be asked nothing until %s", log_time(self._until))

    @callback
    def async_clock_was_set(self, step: timedelta) -> None:
        """Move the end of the wait with the clock, so that it keeps its length."""
        if self._until is not None:
            self._until += step
