"""Tests of scripts/develop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
import re
import signal
import sys

import pytest

from scripts.develop import MARK, Environment, parse_arguments
from scripts.hub import PROJECT
from scripts.hub_client import HubClient
from scripts.processes import (
    Child,
    ChildError,
    clean_environment,
    free_port,
    port_is_free,
)
from scripts.sign_in import CLIENT_ID, CLIENT_SECRET, CUSTOMER

READY = re.compile(
    r"READY (?P<url>http://127\.0\.0\.1:\d+) user=(?P<user>\S+) "
    r"password=(?P<password>\S+) entity=(?P<entity>\S+) price=(?P<price>\S+)"
)


class Command:
    """A running scripts/develop."""

    def __init__(self, process: asyncio.subprocess.Process, ports: list[int]) -> None:
        """Wrap a process."""
        self.process = process
        self.ports = ports
        self.lines: list[str] = []

    async def ready(self) -> dict[str, str]:
        """Read up to the READY line; return its fields."""
        assert self.process.stdout
        async with asyncio.timeout(120):
            async for line in self.process.stdout:
                self.lines.append(line.decode().rstrip())
                if match := READY.fullmatch(self.lines[-1]):
                    return match.groupdict()
        pytest.fail("\n".join(self.lines))

    async def interrupt(self) -> list[str]:
        """Press Ctrl-C; return the remaining output once the command has ended."""
        assert self.process.stdout
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            rest = (await self.process.stdout.read()).decode().splitlines()
            assert await self.process.wait() == 0
        return rest


@asynccontextmanager
async def develop(folder: Path, *arguments: str) -> AsyncIterator[Command]:
    """Run the command on free ports."""
    ports = [free_port(), free_port()]
    process = await asyncio.create_subprocess_exec(
        str(PROJECT / "scripts" / "develop"),
        *("--ha-port", str(ports[0]), "--nomos-port", str(ports[1])),
        *("--config", str(folder), *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=clean_environment({}),
        cwd=folder.parent,
    )
    try:
        yield Command(process, ports)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def shown_price(ready: dict[str, str]) -> float:
    """Log in with the data of the READY line; return the price that Home Assistant shows."""
    async with HubClient(ready["url"]) as client:
        await client.log_in(user=ready["user"], password=ready["password"])
        state = await client.state(ready["entity"])
    assert state is not None
    return float(state["state"])


async def refusal(folder: Path, *arguments: str) -> str:
    """Return the sentence with which the command refuses to start."""
    async with develop(folder, *arguments) as command:
        assert command.process.stdout
        said = (await command.process.stdout.read()).decode()
        assert await command.process.wait() == 1
    assert "Traceback" not in said
    return said


async def test_price_at_every_start(config_folder: Path) -> None:
    """A current price is shown after the first start and after a second one with the same folder."""
    for arguments in ([], ["--language", "de"]):
        async with develop(config_folder, *arguments) as command:
            ready = await command.ready()
            assert await shown_price(ready) == pytest.approx(float(ready["price"]))
            rest = await command.interrupt()
        said = "\n".join(command.lines + rest)
        assert "Traceback" not in said
        log = (config_folder / "hass.log").read_text()
        assert not re.findall(r"^.* ERROR .*(?:\n(?!20).*)*", log, re.MULTILINE)
        assert sum("READY" in line for line in command.lines + rest) == 1
        assert all(port_is_free(port) for port in command.ports)


async def test_fresh(config_folder: Path) -> None:
    """Without a link, the command prints everything that is needed to link the account."""
    async with develop(config_folder, "--fresh") as command:
        ready = await command.ready()
        assert (ready["entity"], ready["price"]) == ("-", "-")
        text = "\n".join(command.lines)
        assert all(word in text for word in (CLIENT_ID, CLIENT_SECRET, CUSTOMER))
        async with HubClient(ready["url"]) as client:
            await client.log_in(user=ready["user"], password=ready["password"])
            assert await client.entries("nomos") == []
        await command.interrupt()


async def test_fresh_is_fresh(config_folder: Path) -> None:
    """An account that was linked before, and leftovers of a partly removed folder, are gone."""
    async with develop(config_folder) as command:
        await command.ready()
        # Nobody else may use or delete the folder while it is in use.
        said = await refusal(config_folder, "--fresh")
        assert re.search(r"a Home Assistant, process \d+, is running in", said)
        await command.interrupt()
    (config_folder / ".storage" / "core.config_entries").write_text("{")
    (config_folder / ".storage" / "auth").unlink()
    (config_folder / "secrets.yaml").write_text("left: over")
    async with develop(config_folder, "--fresh") as command:
        ready = await command.ready()
        assert not (config_folder / "secrets.yaml").exists()
        async with HubClient(ready["url"]) as client:
            await client.log_in(user=ready["user"], password=ready["password"])
            assert await client.entries("nomos") == []
            assert await client.credentials("nomos") == []
        await command.interrupt()


@pytest.mark.parametrize("option", ["--ha-port", "--nomos-port"])
async def test_taken_port(config_folder: Path, option: str) -> None:
    """A port that is in use is reported at once, in a sentence."""
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        said = await refusal(config_folder, "--fresh", option, str(port))
    assert f"port {port}, meant for " in said
    assert not config_folder.exists()


@pytest.mark.parametrize("arguments", [[], ["--fresh"]])
async def test_folder_of_somebody_else(
    config_folder: Path, arguments: list[str]
) -> None:
    """A folder that the command did not create is left unchanged."""
    config_folder.mkdir()
    (config_folder / "configuration.yaml").write_text("mine:")
    assert "was not created by this command" in await refusal(config_folder, *arguments)
    [left] = config_folder.iterdir()
    assert left.read_text() == "mine:"


async def test_no_folder(config_folder: Path) -> None:
    """A file in place of the folder is named."""
    config_folder.write_text("a file")
    said = await refusal(config_folder, "--fresh")
    assert f"{config_folder} cannot be replaced (Not a directory)" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may delete everything")
async def test_undeletable_files(config_folder: Path) -> None:
    """Files that cannot be deleted are named."""
    (config_folder / "deps").mkdir(parents=True)
    (config_folder / MARK).touch()
    (config_folder / "deps" / "kept").touch()
    (config_folder / "deps").chmod(0o500)
    said = await refusal(config_folder, "--fresh")
    (config_folder / "deps").chmod(0o700)
    assert "cannot be replaced (Permission denied)" in said


async def test_crash_ends_everything(config_folder: Path) -> None:
    """The error names the child that ended, with the last lines of its output."""
    options = parse_arguments(["--config", str(config_folder)])
    environment = Environment(options)
    environment.simulator = Child(
        "the stand-in Nomos",
        [sys.executable, "-c", "print('out of coffee'); raise SystemExit(3)"],
        log=config_folder / "simulator.log",
        cwd=PROJECT,
        env={},
    )
    async with asyncio.timeout(10):
        with pytest.raises(ChildError, match=r"exit code 3.*\n.*out of coffee"):
            await environment.watch()
