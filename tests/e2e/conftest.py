"""The two processes, and a customer between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import pytest_socket

from scripts.hub_client import HubClient
from scripts.linking import DOMAIN, Customer
from tests.e2e.processes import Processes, start_processes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the kill test run longer, or elsewhere; only known where this folder is named on the command line."""
    group = parser.getgroup("kill test")
    group.addoption("--kill-rounds", type=int, default=30, help="how many kills")
    group.addoption("--kill-seed", type=int, default=1, help="draws their moments")


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Let these tests talk to the processes; the test plugin forbids sockets."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def processes(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Processes]:
    """Start both processes once for all tests of a module."""
    pytest_socket.enable_socket()  # the fixture that does this serves single tests
    async with start_processes(tmp_path_factory.mktemp("hub")) as processes:
        yield processes


@pytest.fixture
async def client(processes: Processes) -> AsyncIterator[HubClient]:
    """Return a client for Home Assistant; leave nothing of the integration behind."""
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
    """Return a customer with a browser; leave the simulator as it was."""
    async with Customer(processes.simulator_url) as customer:
        # No person is as quick as these tests.
        await customer.control("POST", "settings", {"rate_limit": None})
        yield customer
        processes.secrets.update(customer.codes)
        await customer.control("DELETE", "faults")
        await customer.control("DELETE", "settings")


@pytest.fixture
def config_folder(tmp_path: Path) -> Path:
    """Return a place for a configuration folder."""
    return tmp_path / "config"
