"""Fixtures: both processes, and a customer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import pytest_socket

from scripts.hub_client import HubClient
from scripts.sign_in import DOMAIN, Customer
from tests.e2e.moved_clock import MovedClock
from tests.e2e.processes import Processes, start_processes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the kill test; pytest knows them only if the command line names this folder."""
    group = parser.getgroup("kill test")
    group.addoption("--kill-rounds", type=int, default=30, help="how many kills")
    group.addoption(
        "--kill-seed", type=int, default=1, help="seed of the moments of the kills"
    )


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Allow sockets, which the test plugin blocks, for connections to the processes."""


@pytest.fixture(scope="module")
def clock() -> MovedClock | None:
    """Return the clock of the processes of a module; None if it is the real one."""
    return None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def processes(
    tmp_path_factory: pytest.TempPathFactory, clock: MovedClock | None
) -> AsyncIterator[Processes]:
    """Start both processes once for all tests of a module."""
    pytest_socket.enable_socket()  # the plugin's own fixture has the scope of a single test
    folder = tmp_path_factory.mktemp("hub")
    async with start_processes(folder, clock=clock) as processes:
        yield processes


@pytest.fixture
async def client(processes: Processes) -> AsyncIterator[HubClient]:
    """Return a client for Home Assistant; afterwards remove everything of the integration."""
    async with processes.hub.client(processes.token) as client:
        yield client
        processes.remember_tokens()
        for flow in await client.flows(DOMAIN):
            await client.delete(f"/api/config/config_entries/flow/{flow['flow_id']}")
        for entry in await client.entries(DOMAIN):
            await client.remove_entry(entry["entry_id"])
        for credential in await client.credentials(DOMAIN):
            await client.remove_credentials(credential["id"])


@pytest.fixture
async def customer(processes: Processes) -> AsyncIterator[Customer]:
    """Return a customer with a browser; afterwards reset the simulator."""
    async with Customer(processes.simulator_url) as customer:
        # These tests are faster than any person.
        await customer.control("POST", "settings", {"rate_limit": None})
        yield customer
        processes.secrets.update(customer.codes)
        await customer.control("DELETE", "faults")
        await customer.control("DELETE", "settings")


@pytest.fixture
def config_folder(tmp_path: Path) -> Path:
    """Return the path for a configuration folder."""
    return tmp_path / "config"
