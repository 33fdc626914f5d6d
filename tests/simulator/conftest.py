"""Fixtures: a running simulator with a frozen clock, and a client of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from simulator import Simulator
from tests.simulator.helpers import Nomos

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Allow sockets, which the test plugin blocks: tests use the simulator over real ones."""


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A running simulator whose clock is frozen at 11:00 local time on a Wednesday in June."""
    simulator = Simulator(now=NOW)
    simulator.clock.freeze()
    simulator.configure(rate_limit=None)
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def nomos(sim: Simulator) -> AsyncIterator[Nomos]:
    """A client of the simulator."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Nomos(sim, session)
