"""A clock that jumps from one timer to the next, without slowing down the measured code.

Libraries that freeze time replace ``datetime`` with a Python class, which makes all arithmetic with times slow. Here,
only the functions that return the current time are replaced.
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
"""Real seconds to wait for a response."""


class FakeTime:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime, *followers: Callable[[datetime], None]) -> None:
        """Start at an aware instant; followers are called with each new time."""
        self._now = now
        self._followers = followers

    def move_to(self, now: datetime) -> None:
        """Move to another instant."""
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
    def replace_real(self) -> Iterator[None]:
        """Make every loaded module read this time until the block ends."""
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
            # The event loop and threads wait in real time.
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
    """A clock that moves on once all pending responses have arrived."""

    def __init__(self, hass: HomeAssistant, fake: FakeTime) -> None:
        """Start at the fake time."""
        super().__init__(hass, fake, fake.utcnow())
        session: aiohttp.ClientSession = async_get_clientsession(hass)
        self._connector = cast("Any", session.connector)

    @override
    async def settle(self, task: Any = None) -> None:
        """Run everything that takes no fake time, including responses of other processes."""
        await super().settle(task)
        patience = time.monotonic() + _PATIENCE
        while self._connector._acquired:  # noqa: SLF001 - there is no other way
            if time.monotonic() > patience:
                raise TimeoutError("no answer came")
            await super().settle(task)
