"""Time that leaps from one timer to the next, for code that runs as fast as ever.

Freezing libraries replace ``datetime`` by a class written in Python, which makes everything that counts with time
slow: nothing can be measured there. Here only those functions are replaced that tell the time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
import sys
import time
from typing import Any, cast, override

import aiohttp

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
from tests.integration.soak.clock import SoakClock

_PATIENCE = 30.0
"""Seconds, real ones, that an answer may take."""


class Moment:
    """An instant that others move."""

    def __init__(self, now: datetime, *followers: Callable[[datetime], None]) -> None:
        """Stand at an aware instant; followers are told of every move."""
        self._now = now
        self._followers = followers

    def move_to(self, now: datetime) -> None:
        """Stand at another instant."""
        self._now = now
        for follow in self._followers:
            follow(now)

    def utcnow(self) -> datetime:
        """Return the instant in UTC."""
        return self._now

    def now(self, time_zone: tzinfo | None = None) -> datetime:
        """Return the instant in a zone, or in the hub's own."""
        return self._now.astimezone(time_zone or dt_util.get_default_time_zone())

    def timestamp(self) -> float:
        """Return the instant in seconds since 1970."""
        return self._now.timestamp()

    @contextmanager
    def governing(self) -> Iterator[None]:
        """Let every module that is loaded read the time here, until the block ends."""
        replaced: dict[int, tuple[Any, Any]] = {
            id(one): (one, other)
            for one, other in (
                (dt_util.utcnow, self.utcnow),
                (dt_util.now, self.now),
                (time.time, self.timestamp),
            )
        }
        changed = []
        for module in list(sys.modules.values()):
            # The event loop and the machinery of threads wait in real time.
            for name, value in list(getattr(module, "__dict__", {}).items()):
                if id(value) in replaced and replaced[id(value)][0] is value:
                    changed.append((module, name, value))
                    setattr(module, name, replaced[id(value)][1])
        try:
            yield
        finally:
            for module, name, value in changed:
                setattr(module, name, value)


class LeapingClock(SoakClock):
    """A clock that moves on when every answer that is on its way has come."""

    def __init__(self, hass: HomeAssistant, moment: Moment) -> None:
        """Begin where the moment stands."""
        super().__init__(hass, moment, moment.utcnow())
        session: aiohttp.ClientSession = async_get_clientsession(hass)
        self._connector = cast("Any", session.connector)

    @override
    async def settle(self, task: Any = None) -> None:
        """Let everything happen that needs no time; an answer of another process needs none."""
        await super().settle(task)
        patience = time.monotonic() + _PATIENCE
        while self._connector._acquired:  # noqa: SLF001 - the only place that knows
            if time.monotonic() > patience:
                raise TimeoutError("no answer came")
            await super().settle(task)
