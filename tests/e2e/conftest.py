"""The two processes, and a customer between them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
import sys

import pytest
import pytest_asyncio
import pytest_socket

from scripts.children import Child, free_port
from scripts.hub import PROJECT, Hub, HubSettings, wait_until_running
from scripts.hub_client import HubClient
from scripts.linking import CLIENT_SECRET, DOMAIN, Customer

from .line import Line

FIGURES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the kill test run longer, or elsewhere; only known where this folder is named on the command line."""
    group = parser.getgroup("kill test")
    group.addoption("--kill-rounds", type=int, default=30, help="how many kills")
    group.addoption("--kill-seed", type=int, default=1, help="draws their moments")


@pytest.fixture
def tell_figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what prints a line below the test results, whatever became of the test."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Let these tests talk to the processes; the test plugin forbids sockets."""


@dataclass(kw_only=True)
class Town:
    """Both processes, and the secrets that passed between them."""

    hub: Hub
    simulator: Child
    simulator_url: str
    token: str
    secrets: set[str] = field(default_factory=lambda: {CLIENT_SECRET})

    def stored_entries(self) -> list[dict[str, object]]:
        """Return the integration's entries as they are on disk."""
        path = self.hub.settings.folder / ".storage" / "core.config_entries"
        if not path.exists():
            return []
        entries = json.loads(path.read_text())["data"]["entries"]
        return [entry for entry in entries if entry["domain"] == DOMAIN]

    def remember_tokens(self) -> set[str]:
        """Add the tokens that are on disk to the known secrets; return them."""
        tokens = set()
        for entry in self.stored_entries():
            data = entry["data"]
            assert isinstance(data, dict)
            tokens |= {data["token"]["access_token"], data["token"]["refresh_token"]}
        self.secrets |= tokens
        return tokens


@asynccontextmanager
async def open_town(folder: Path, line: Line | None = None) -> AsyncIterator[Town]:
    """Start both processes; with a line, the hub knows Nomos by the line's address only."""
    hub_port, simulator_port = free_port(), free_port()
    simulator_url = f"http://127.0.0.1:{simulator_port}"
    nomos_url = simulator_url if line is None else await line.open(simulator_port)
    hub = Hub(HubSettings(folder=folder, port=hub_port, api_url=nomos_url))
    command = [sys.executable, "-m", "simulator", "--port", str(simulator_port)]
    command += ["--redirect-uri", f"{hub.url}/auth/external/callback"]
    log = folder / "simulator.log"
    with Child("simulator", command, log=log, cwd=PROJECT, env={}) as simulator:
        hub.spawn()
        try:
            await simulator.wait_for_output("READY", timeout=30)
            await hub.wait_until_serving()
            async with hub.client() as client:
                await client.onboard(user="owner", password="owner-password")
                await wait_until_running(client)
                token = await client.long_lived_token("tests")
            yield Town(
                hub=hub, simulator=simulator, simulator_url=nomos_url, token=token
            )
        finally:
            hub.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Start both processes once for all tests of a module."""
    pytest_socket.enable_socket()  # the fixture that does this serves single tests
    async with open_town(tmp_path_factory.mktemp("hub")) as town:
        yield town


@pytest.fixture
async def client(town: Town) -> AsyncIterator[HubClient]:
    """Return a client for Home Assistant; leave nothing of the integration behind."""
    async with town.hub.client(town.token) as client:
        yield client
        town.remember_tokens()
        for flow in await client.flows(DOMAIN):
            await client.delete(f"/api/config/config_entries/flow/{flow['flow_id']}")
        for entry in await client.entries(DOMAIN):
            await client.remove_entry(entry["entry_id"])
        for credential in await client.credentials(DOMAIN):
            await client.remove_credentials(credential["id"])


@pytest.fixture
async def customer(town: Town) -> AsyncIterator[Customer]:
    """Return a customer with a browser; leave the simulator as it was."""
    async with Customer(town.simulator_url) as customer:
        # No person is as quick as these tests.
        await customer.control("POST", "settings", {"rate_limit": None})
        yield customer
        town.secrets.update(customer.codes)
        await customer.control("DELETE", "faults")
        await customer.control("DELETE", "settings")


@pytest.fixture
def config_folder(tmp_path: Path) -> Path:
    """Return a place for a configuration folder."""
    return tmp_path / "config"
