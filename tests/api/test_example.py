"""Tests of the example script, in an interpreter without Home Assistant, with a simulated Nomos."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path
import re
import sys

import pytest

from simulator import Simulator

SCRIPT = Path(__file__).parents[2] / "examples" / "list_prices.py"

WITHOUT_HOME_ASSISTANT = """
import runpy, sys
sys.modules["homeassistant"] = None
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
async def nomos() -> AsyncIterator[Simulator]:
    """Start a simulated Nomos."""
    simulator = Simulator(seed=7, redirect_uris=("https://example.com",))
    await simulator.start()
    yield simulator
    await simulator.stop()


async def run(url: str, token: str) -> tuple[int | None, str, str]:
    """Run the example; return its status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WITHOUT_HOME_ASSISTANT, str(SCRIPT), "--url", url),
        env={**os.environ, "NOMOS_ACCESS_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_prices_of_today(nomos: Simulator) -> None:
    """Each interval has a line with its price."""
    token = nomos.issue_tokens("smart@example.com")["access_token"]
    status, out, err = await run(nomos.url, token)
    assert (status, err) == (0, "")
    title, *lines = out.splitlines()
    assert title == "consumption contract"
    assert len(lines) in {92, 96, 100}
    assert all(re.fullmatch(r"\d\d:\d\d -?\d+\.\d\d ct/kWh", line) for line in lines)
    assert token not in out


async def test_refused_token(nomos: Simulator) -> None:
    """The error is one line, without the token."""
    status, out, err = await run(nomos.url, "no-such-token")
    assert (status, out) == (1, "")
    assert err == "NomosAuthenticationError: Nomos answered with status 401\n"
