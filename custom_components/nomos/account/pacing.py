"""How fast one account may send requests."""

import asyncio
from asyncio import sleep
from typing import Final

INTERVAL: Final = 0.2
"""Seconds between the beginnings of two requests of an account.

Nomos takes ten a second (Nomos API, Rate limiting). Eight are never exceeded: not on a slow line, which brings requests
closer together, nor with the few that linking sends by itself."""


class Pace:
    """Lets the requests of one account out one after the other, in the order in which they came.

    Each waits for the one before, not for a time that was set for it, so that a hub that hangs for a second does not
    send a bunch afterwards. A request that is cancelled while it waits leaves no gap and no timer.
    """

    def __init__(self) -> None:
        """Let the first one out at once."""
        self._lock = asyncio.Lock()
        self._free_at = 0.0

    async def async_turn(self) -> None:
        """Wait for the turn to send a request."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if (wait := self._free_at - loop.time()) > 0:
                await sleep(wait)
            self._free_at = loop.time() + INTERVAL
