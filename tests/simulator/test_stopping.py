"""Tests of a simulator that is stopped while a request is kept waiting."""

import asyncio

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest

from simulator import Simulator


@pytest.mark.parametrize("kind", ["delay", "drip"])
async def test_stops_at_once_in_a_frozen_time(
    socket_enabled: None, freezer: FrozenDateTimeFactory, kind: str
) -> None:
    """A waiting fault does not delay the end of a test with a frozen clock."""
    sim = Simulator(seed=1)
    await sim.start()
    fault = sim.faults.add(kind=kind, seconds=30, times=1)
    async with aiohttp.ClientSession() as session:
        asked = asyncio.create_task(session.get(f"{sim.url}/health"))
        while fault in sim.faults.pending:
            await asyncio.sleep(0)
        await sim.stop()
        asked.cancel()
