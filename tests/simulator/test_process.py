"""Tests of the simulator as a program."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import logging
from pathlib import Path
import signal
import sys

import aiohttp
import pytest

from simulator import Simulator
from tests.simulator.helpers import Nomos

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def _program(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_program_prints_ready_and_ends_on_a_signal(
    number: signal.Signals,
) -> None:
    """It exits with 0, its clock starts as requested, and it prints nothing but READY."""
    arguments = (
        "--port",
        "0",
        "--now",
        "2026-10-25T12:00:00+01:00",
        "--client-secret",
        "quite-secret",
        "--seed",
        "5",
    )
    async with _program(*arguments) as process, aiohttp.ClientSession() as session:
        assert process.stdout is not None
        ready = (await process.stdout.readline()).decode().split()
        assert ready[0] == "READY"
        async with session.get(f"{ready[1]}/control/state") as response:
            state = json.loads(await response.text())
        assert state["clock"]["now"].startswith("2026-10-25T11:0")
        # A request that would last an hour does not delay the exit.
        faults = f"{ready[1]}/control/faults"
        fault = {"kind": "delay", "match": "token", "times": 1, "seconds": 3600}
        async with session.post(faults, json=fault) as response:
            assert response.status == 200
        hanging = asyncio.create_task(session.post(f"{ready[1]}/oauth/token"))
        acting = False
        while not acting:
            async with session.get(faults) as response:
                acting = (await response.json())["faults"] == []
        process.send_signal(number)
        rest, complaints = await process.communicate()
        assert process.returncode == 0
        assert (rest, complaints) == (b"", b"")
        with pytest.raises(aiohttp.ClientError):
            await hanging


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--port", "0", "--host", "0.0.0.0"), 1),
        (("--port", "0", "--market", "none.csv"), 1),
        ((), 2),
    ],
)
async def test_program_refuses_to_start_wrongly(
    arguments: tuple[str, ...], code: int
) -> None:
    """It prints a sentence, not a traceback."""
    async with _program(*arguments) as process:
        output, complaints = await process.communicate()
        assert process.returncode == code
        assert output == b""
        assert complaints
        assert b"Traceback" not in complaints


async def test_nothing_secret_is_logged_or_printed(
    sim: Simulator,
    nomos: Nomos,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """This holds even at debug level, for sign-in, requests, refusals and faults."""
    caplog.set_level(logging.DEBUG)
    tokens = (await nomos.exchange(await nomos.code())).json
    await nomos.refresh(tokens["refresh_token"])
    await nomos.refresh(tokens["refresh_token"])
    await nomos.token(
        {"Authorization": "Basic bmFtZTpzZWNyZXQ="},
        grant_type="refresh_token",
        refresh_token="r" * 20,
    )
    for kind in ("reset", "truncate", "html"):
        sim.faults.add(kind, "token", times=1)
        try:
            await nomos.refresh("s" * 20)
        except aiohttp.ClientError:
            pass
        except json.JSONDecodeError:
            pass
    detail = await nomos.get(f"/subscriptions/{nomos.subscription('smart').id}")
    captured = capfd.readouterr()
    output = caplog.text + captured.out + captured.err
    assert len(sim.secrets) > 10
    assert {"bmFtZTpzZWNyZXQ=", "secret", "r" * 20} <= sim.secrets
    assert not [secret for secret in sim.secrets - {"secret"} if secret in output]
    for personal in (
        "smart@example.com",
        detail.json["customer"]["last_name"],
        detail.json["meter"]["number"],
    ):
        assert personal not in output
